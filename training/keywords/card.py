"""A run and its figures -> a model folder with `card.toml` and `weights.safetensors`.

    python -m training.keywords.card RUN --to models/keywords-18 [--figures FILE] [--threshold N]

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
from .clips import LABELS, UNKNOWN

SETS = Path(__file__).with_name("sets.toml")
ABOUT = {"task": "keywords", "network": "keyword-net", "rate": 16000, "labels": LABELS}

DOUBT = 1.0
"""By how much the logit of what is unknown is lowered: in training it is a quarter of all, which is
more often than in the choice of one of all labels. With this, held-out words and other words are
right about as often."""


def write(run: Path, to: Path, figures: dict[str, Any], threshold: float) -> None:
    """Write the weights of a run, and their card."""
    weights = load_file(run / "last.safetensors")
    weights["head.bias"][LABELS.index(UNKNOWN)] -= DOUBT
    settings = {"bands": 40, "threshold": threshold}
    write_card(run, to, SETS, weights, figures, about=ABOUT, settings=settings)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--figures", type=Path, help="JSON: what the benchmark measured")
    parser.add_argument("--threshold", type=float, default=0.7)
    arguments = parser.parse_args()
    figures = json.loads(arguments.figures.read_text()) if arguments.figures else {}
    write(arguments.run, arguments.to, figures, arguments.threshold)


if __name__ == "__main__":
    main()
