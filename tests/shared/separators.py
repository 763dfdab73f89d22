"""Models made for a test: a folder with a card and seeded random weights."""

from hashlib import sha256
from pathlib import Path

import torch
from safetensors.torch import save_file

from audiopipe import Audio
from audiopipe.nets.stems import STEMS, StemsNet

CARD = """
name = "{name}"
about = "Made for a test."
task = "separate"
network = "{network}"
rate = {rate}
labels = {labels}

[settings]
{settings}

{files}

[licence]
name = "CC0-1.0"
url = "https://creativecommons.org/publicdomain/zero/1.0/"
commercial = true

[[data]]
name = "nothing: random numbers"
licence = "CC0-1.0"
source = "tests"
"""
FILE = """[[files]]
name = "{name}"
size = {size}
sha256 = "{sha256}"
"""


def write_card(folder: Path, network: str, labels, settings, rate=44100, files=None) -> str:
    """Write a card for what lies in the folder; returns the model's name, its path."""
    paths = sorted(folder.iterdir()) if files is None else files
    told = [
        FILE.format(name=p.name, size=p.stat().st_size, sha256=sha256(p.read_bytes()).hexdigest())
        for p in paths
    ]
    card = CARD.format(
        name=folder.name,
        network=network,
        rate=rate,
        labels=str(list(labels)),
        settings="\n".join(f"{key} = {value!r}" for key, value in settings.items()),
        files="\n".join(told),
    )
    (folder / "card.toml").write_text(card)
    return str(folder)


def random_weights(net: torch.nn.Module, folder: Path, name="weights.safetensors") -> None:
    """Save a network's weights as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({k: v.contiguous() for k, v in net.state_dict().items()}, folder / name)


def stems_model(folder: Path, channels=4, hidden=8, seed=0) -> str:
    """A small untrained network of the kind of `stems`."""
    torch.manual_seed(seed)
    random_weights(StemsNet(channels=channels, hidden=hidden), folder)
    return write_card(folder, "stems-net", STEMS, {"channels": channels, "hidden": hidden})


def music(seconds=1.0, rate=44100, channels=2, seed=0) -> Audio:
    """Noise and a tone whose levels change."""
    generator = torch.Generator().manual_seed(seed)
    time = torch.arange(round(seconds * rate)) / rate
    tone = torch.sin(2 * torch.pi * 220 * time)
    noise = torch.randn(channels, len(time), generator=generator)
    return Audio(0.1 * (tone + noise * torch.sin(9 * time).relu()), rate)
