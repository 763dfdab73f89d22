"""Weights, evaluation and sets -> a model folder with `card.toml` and `weights.safetensors`.

    python -m training.vocoder.card --data DATA --run RUN --to models/vocoder-24k

Nothing in the card is typed by hand: it is read from the run, so it cannot disagree with it.
"""

import argparse
import hashlib
import json
import shutil
import tomllib
from pathlib import Path

from safetensors import safe_open

from .data import Speech
from .evaluate import load_vocoder
from .prepare import SETS

HEAD = """\
name = "{name}"
about = "Log-mel frames and their pitch to 24 kHz speech, the last step of the embedded voices"
task = "vocoder"
network = "vocoder"
rate = {rate}
recipe = "training/vocoder"
citation = "Filters after H. Siuzdak, Vocos, 2023, arXiv:2306.00814; code and weights are our own."

[settings]
width = {width}
expansion = {expansion}
kernel = {kernel}
ahead = {ahead}

[[files]]
name = "weights.safetensors"
size = {size}
sha256 = "{sha256}"

[licence]
name = "CC-BY-4.0"
url = "https://creativecommons.org/licenses/by/4.0/"
commercial = true
"""


def table(header: str, values: dict[str, object]) -> str:
    """A flat table of strings, numbers and booleans; JSON writes those as TOML does."""
    lines = [
        f"{json.dumps(key, ensure_ascii=False)} = {json.dumps(value, ensure_ascii=False)}"
        for key, value in values.items()
    ]
    return "\n".join(["", header, *lines, ""])


def sources(names: tuple[str, ...]) -> str:
    """The sets that recordings `set/file` come from, as the card tells them."""
    known = tomllib.loads(SETS.read_text())
    rows = []
    for name in dict.fromkeys(name.split("/")[0] for name in names):
        told = {"name": f"{name}: {known[name]['about']}; without its held-out sentences"}
        told |= {key: known[name][key] for key in ("licence", "source")}
        rows.append(table("[[data]]", told))
    return "".join(rows)


def measured(report: dict[str, dict]) -> dict[str, object]:
    """The figures of an evaluation, flat: of each set, and of Griffin-Lim beside it."""
    figures: dict[str, object] = {}
    for name, found in report.items():
        kinds = {"": "vocoder", "Griffin-Lim, 32 rounds: ": "griffin_lim"}
        for before, who in kinds.items():
            for key, value in found[who].items():
                figures[f"{before}{key.replace('_', ' ')}, {name}"] = value
        figures[f"held-out sentences, {name}"] = found["sentences"]
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of `prepare`")
    parser.add_argument("--run", type=Path, required=True, help="folder of `train`")
    parser.add_argument("--to", type=Path, required=True, help="folder of the model")
    arguments = parser.parse_args()

    weights = arguments.run / "weights.safetensors"
    content = weights.read_bytes()
    vocoder = load_vocoder(weights)
    with safe_open(weights, framework="pt") as file:
        about = json.loads(file.metadata()["vocoder"])
    card = HEAD.format(
        name=arguments.to.name,
        rate=about["mel"]["rate"],
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        **about["network"],
    )
    card += sources(Speech.load(arguments.data / "train.safetensors").names)
    report = json.loads((arguments.run / "evaluation.json").read_text())
    figures = {
        "parameters": sum(value.numel() for value in vocoder.parameters()),
        "steps": about["steps"],
        "trained on": f"{about['device']}, {about['seconds'] / 60:.0f} minutes",
        "times real time, one core": report.pop("real_time_factor"),
        "frames of context, past and ahead": ", ".join(map(str, vocoder.reach)),
    }
    card += table("[figures]", figures | measured(report))

    tomllib.loads(card)
    arguments.to.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(weights, arguments.to / "weights.safetensors")
    (arguments.to / "card.toml").write_text(card, "utf-8")
    print(card)


if __name__ == "__main__":
    main()
