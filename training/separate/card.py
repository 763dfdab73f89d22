"""A run and its figures -> a model folder with `card.toml` and `weights.safetensors`.

    python -m training.separate.card RUN --to models/stems [--sharpness 0.7] [--figures FILE]

The weights are kept in half precision. Networks that saw little music are too sure of themselves:
`--sharpness` multiplies the logits of the masks (Guo et al., "On calibration of modern neural
networks", ICML 2017), by what is best on the validation song. Nothing in the card is typed by hand:
it is read from the run, from measured figures and from `sets.toml`, so that it cannot disagree.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from ..cards import write_card
from .songs import RATE, STEMS

SETS = Path(__file__).with_name("sets.toml")
ABOUT = {"task": "separate", "network": "stems-net", "rate": RATE, "labels": STEMS}


def write(run: Path, to: Path, sharpness: float, figures: dict[str, Any]) -> None:
    """Write the weights of a run, and their card."""
    weights = {
        name: (weight * sharpness if name.startswith("leave.") else weight).half()
        for name, weight in load_file(run / "last.safetensors").items()
    }
    write_card(run, to, SETS, weights, {"sharpness": sharpness, **figures}, about=ABOUT)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--sharpness", type=float, default=1.0, help="of the masks")
    parser.add_argument("--figures", type=Path, help="JSON: what the benchmark measured")
    arguments = parser.parse_args()
    figures = json.loads(arguments.figures.read_text()) if arguments.figures else {}
    write(arguments.run, arguments.to, arguments.sharpness, figures)


if __name__ == "__main__":
    main()
