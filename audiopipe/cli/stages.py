"""`audiopipe stages`: which stages there are, and the manual of one."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table


def stages(
    name: Annotated[str | None, typer.Argument(help="A stage, for its manual.")] = None,
) -> None:
    """List the stages, or show the manual of one.

    **Examples**

    `audiopipe stages`

    `audiopipe stages spectrogram`
    """
    from audiopipe.manual import stage_manual, stage_row
    from audiopipe.registry import find_stage, stage_names

    console = Console(highlight=False)
    if name is not None:
        console.print(stage_manual(find_stage(name)), markup=False, soft_wrap=True)
        return
    table = Table("stage", "takes", "fidelity", "what it does", box=None, pad_edge=False)
    for each in stage_names():
        table.add_row(*stage_row(find_stage(each)))
    console.print(table)
