"""A run and its figures -> a model folder with `card.toml` and `weights.safetensors`.

    python -m training.keywords.card RUN --to models/keywords-18 [--figures FILE] [--threshold N]

Nothing in the card is typed by hand: it is read from the run, from the benchmark's figures and
from `sets.toml`, so that it cannot disagree with them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save

from .clips import LABELS, UNKNOWN

SETS = Path(__file__).with_name("sets.toml")

DOUBT = 1.0
"""By how much the logit of what is unknown is lowered: in training it is a quarter of all, which is
more often than in the choice of one of all labels. With this, held-out words and other words are
right about as often."""

HEAD = """\
name = "{name}"
about = "{about}"
task = "keywords"
network = "keyword-net"
rate = 16000
labels = {labels}
recipe = "training/keywords"
citation = "{citation}"

[settings]
bands = 40
channels = {channels}
blocks = {blocks}
kernel = {kernel}
threshold = {threshold}

[[files]]
name = "weights.safetensors"
size = {size}
sha256 = "{sha256}"

[licence]
name = "{licence}"
url = "{url}"
commercial = true
"""


def write_card(run: Path, to: Path, figures: dict[str, Any], threshold: float) -> None:
    """Write the weights of a run, and the card that tells what is known of them."""
    to.mkdir(parents=True, exist_ok=True)
    weights = load_file(run / "last.safetensors")
    weights["head.bias"][LABELS.index(UNKNOWN)] -= DOUBT
    content = save(weights, {"format": "pt"})
    (to / "weights.safetensors").write_bytes(content)
    facts = json.loads((run / "last.json").read_text())
    sets = tomllib.loads(SETS.read_text())
    text = HEAD.format(
        name=to.name,
        **sets["model"],
        labels=json.dumps(LABELS),
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        threshold=threshold,
        **facts["settings"],
    )
    for name in facts["sources"]:
        own = {"name": name, "licence": "not stated", "source": "given to the recipe"}
        for made_of in sets["sources"].get(name, [own]):
            rows = (f"{key} = {json.dumps(made_of[key])}" for key in ("name", "licence", "source"))
            text += "\n".join(("", "[[data]]", *rows, ""))
    text += "\n[figures]\n"
    figures = {"parameters": facts["parameters"], "steps": facts["step"], **figures}
    text += "".join(
        f"{json.dumps(key, ensure_ascii=False)} = {json.dumps(value, ensure_ascii=False)}\n"
        for key, value in figures.items()
    )
    (to / "card.toml").write_text(text, "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--figures", type=Path, help="JSON: what the benchmark measured")
    parser.add_argument("--threshold", type=float, default=0.7)
    arguments = parser.parse_args()
    figures = json.loads(arguments.figures.read_text()) if arguments.figures else {}
    write_card(arguments.run, arguments.to, figures, arguments.threshold)


if __name__ == "__main__":
    main()
