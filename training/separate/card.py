"""A run and its figures -> a model folder with `card.toml` and `weights.safetensors`.

    python -m training.separate.card RUN --to models/stems [--sharpness 0.7] [--figures FILE]

The weights are kept in half precision. Networks that saw little music are too sure of themselves:
`--sharpness` multiplies the logits of the masks (Guo et al., "On calibration of modern neural
networks", ICML 2017), by what is best on the validation song. Nothing in the card is typed by hand:
it is read from the run, from measured figures and from `sets.toml`, so that it cannot disagree.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save

from .songs import RATE, STEMS

SETS = Path(__file__).with_name("sets.toml")

HEAD = """\
name = "{name}"
about = "{about}"
task = "separate"
network = "stems-net"
rate = {rate}
labels = {labels}
recipe = "training/separate"
citation = "{citation}"

[settings]
channels = {channels}
hidden = {hidden}

[[files]]
name = "weights.safetensors"
size = {size}
sha256 = "{sha256}"

[licence]
name = "{licence}"
url = "{url}"
commercial = true
"""


def write_card(run: Path, to: Path, sharpness: float, figures: dict[str, Any]) -> None:
    """Write the weights of a run, and the card that tells what is known of them."""
    to.mkdir(parents=True, exist_ok=True)
    weights = {
        name: (weight * sharpness if name.startswith("leave.") else weight).half()
        for name, weight in load_file(run / "last.safetensors").items()
    }
    content = save(weights, {"format": "pt"})
    (to / "weights.safetensors").write_bytes(content)
    facts = json.loads((run / "last.json").read_text())
    known = tomllib.loads(SETS.read_text())
    text = HEAD.format(
        name=to.name,
        rate=RATE,
        labels=json.dumps(STEMS),
        **known["model"],
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        **facts["settings"],
    )
    for source in facts["sources"]:
        name = source.partition("=")[0]
        own = {"name": name, "licence": "not stated", "source": "given to the recipe"}
        for made_of in known["sources"].get(name, [own]):
            rows = (f"{key} = {json.dumps(made_of[key])}" for key in ("name", "licence", "source"))
            text += "\n".join(("", "[[data]]", *rows, ""))
    text += "\n[figures]\n"
    trained = {"parameters": facts["parameters"], "steps": facts["step"], "sharpness": sharpness}
    figures = {**trained, **figures}
    text += "".join(
        f"{json.dumps(key, ensure_ascii=False)} = {json.dumps(value, ensure_ascii=False)}\n"
        for key, value in figures.items()
    )
    (to / "card.toml").write_text(text, "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--sharpness", type=float, default=1.0, help="of the masks")
    parser.add_argument("--figures", type=Path, help="JSON: what the benchmark measured")
    arguments = parser.parse_args()
    figures = json.loads(arguments.figures.read_text()) if arguments.figures else {}
    write_card(arguments.run, arguments.to, arguments.sharpness, figures)


if __name__ == "__main__":
    main()
