"""A run and its figures -> a model folder with `card.toml` and `weights.safetensors`.

    python -m training.pitch.card RUN --to models/pitch [--figures FILE]

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

SETS = Path(__file__).with_name("sets.toml")

HEAD = """\
name = "{name}"
about = "{about}"
task = "pitch"
network = "pitch-net"
rate = 16000
recipe = "training/pitch"
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


def write_card(run: Path, to: Path, figures: dict[str, Any]) -> None:
    """Write the weights of a run, and the card that tells what is known of them."""
    to.mkdir(parents=True, exist_ok=True)
    content = save(load_file(run / "last.safetensors"), {"format": "pt"})
    (to / "weights.safetensors").write_bytes(content)
    facts = json.loads((run / "last.json").read_text())
    known = tomllib.loads(SETS.read_text())
    text = HEAD.format(
        name=to.name,
        **known["model"],
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        **facts["settings"],
    )
    told: list[dict[str, str]] = []
    for source in facts["sources"]:
        name = source.partition("=")[0]
        own = {"name": name, "licence": "not stated", "source": "given to the recipe"}
        stem = next((s for s in known["sources"] if name.startswith(s)), None)
        told += [made_of for made_of in known["sources"].get(stem, [own]) if made_of not in told]
    for made_of in [*told, *known["backgrounds"]]:
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
    arguments = parser.parse_args()
    figures = json.loads(arguments.figures.read_text()) if arguments.figures else {}
    write_card(arguments.run, arguments.to, figures)


if __name__ == "__main__":
    main()
