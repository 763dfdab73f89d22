"""Weights, evaluation and sets -> a model folder with `card.toml` and `weights.safetensors`.

    python -m training.vocoder.card --data DATA --run RUN --to models/vocoder-24k

Nothing in the card is typed by hand: it is read from the run, so it cannot disagree with it.
"""

import argparse
import json
import tomllib
from pathlib import Path

from safetensors import safe_open

from audiopipe.nets.frames import MelConfig

from ..cards import write_model
from .data import Speech
from .evaluate import load_vocoder
from .prepare import SETS

ABOUT = {
    "about": "Log-mel frames and their pitch to 24 kHz speech, "
    "the last step of the embedded voices",
    "task": "vocoder",
    "network": "vocoder",
    "rate": MelConfig.rate,
    "recipe": "training/vocoder",
    "citation": "Filters after H. Siuzdak, Vocos, 2023, arXiv:2306.00814; "
    "code and weights are our own.",
}
LICENCE = {
    "name": "CC-BY-4.0",
    "url": "https://creativecommons.org/licenses/by/4.0/",
    "commercial": True,
}


def sources(names: tuple[str, ...]) -> list[dict[str, str]]:
    """The sets that recordings `set/file` come from, as the card tells them."""
    known = tomllib.loads(SETS.read_text("utf-8"))
    return [
        {
            "name": f"{name}: {known[name]['about']}; without its held-out sentences",
            "licence": known[name]["licence"],
            "source": known[name]["source"],
        }
        for name in dict.fromkeys(name.split("/")[0] for name in names)
    ]


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
    vocoder = load_vocoder(weights)
    with safe_open(weights, framework="pt") as file:
        about = json.loads(file.metadata()["vocoder"])
    report = json.loads((arguments.run / "evaluation.json").read_text())
    figures = {
        "parameters": sum(value.numel() for value in vocoder.parameters()),
        "steps": about["steps"],
        "trained on": f"{about['device']}, {about['seconds'] / 60:.0f} minutes",
        "times real time, one core": report.pop("real_time_factor"),
        "frames of context, past and ahead": ", ".join(map(str, vocoder.reach)),
    }
    data = sources(Speech.load(arguments.data / "train.safetensors").names)
    figures |= measured(report)
    content = weights.read_bytes()
    write_model(arguments.to, content, ABOUT, about["network"], LICENCE, data, figures)


if __name__ == "__main__":
    main()
