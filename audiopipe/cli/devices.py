"""`audiopipe devices`: microphones, speakers and GPUs."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table


def devices() -> None:
    """List the sound devices, and the devices that can compute."""
    from audiopipe.device import computing_devices
    from audiopipe.io.devices import list_devices

    console = Console(highlight=False)
    console.print("computing:")
    for name, what in computing_devices().items():
        console.print(f"  {name:<8}{what}", markup=False)
    table = Table("", "sound device", "inputs", "outputs", "rate", box=None, pad_edge=False)
    for found in list_devices():
        number = f"{found.index}{'*' if found.default else ''}"
        rate = f"{found.rate} Hz"
        table.add_row(number, found.name, str(found.inputs), str(found.outputs), rate)
    console.print(table if table.row_count else "no sound device")
