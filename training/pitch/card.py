"""A run and its figures -> a model folder with `card.toml` and `weights.safetensors`.

    python -m training.pitch.card RUN --to models/pitch [--figures FILE]

Nothing in the card is typed by hand: it is read from the run, from the benchmark's figures and
from `sets.toml`, so that it cannot disagree with them.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from ..cards import write_card

SETS = Path(__file__).with_name("sets.toml")
ABOUT = {"task": "pitch", "network": "pitch-net", "rate": 16000}


def write(run: Path, to: Path, figures: dict[str, Any]) -> None:
    """Write the weights of a run, and their card."""
    weights = load_file(run / "last.safetensors")
    write_card(run, to, SETS, weights, figures, about=ABOUT)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--figures", type=Path, help="JSON: what the benchmark measured")
    arguments = parser.parse_args()
    figures = json.loads(arguments.figures.read_text()) if arguments.figures else {}
    write(arguments.run, arguments.to, figures)


if __name__ == "__main__":
    main()
