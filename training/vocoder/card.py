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

from .data import Speech
from .evaluate import load_vocoder
from .prepare import SETS

TEMPLATE = """\
name = "{name}"
task = "vocoder"
about = "Log-mel frames to 24 kHz speech; ConvNeXt blocks at frame rate and an inverse STFT."
network = "vocoder"
rate = {mel[rate]}
licence = "MIT"
commercial = true
recipe = "training/vocoder"
citation = "Network after H. Siuzdak, Vocos, 2023, arXiv:2306.00814; code and weights are our own."

[[files]]
path = "weights.safetensors"
size = {size}
sha256 = "{sha256}"

[mel]
n_fft = {mel[n_fft]}
hop = {mel[hop]}
bins = {mel[bins]}
low = {mel[low]}
high = {mel[high]}
floor = {mel[floor]}
scale = "htk"
values = "natural logarithm of magnitudes; frame t is centred on sample (t + 1/2) hop"

[reach]
# Frames of context that a frame needs, overlap-add included.
past = {past}
ahead = {ahead}

[training]
device = "{device}"
minutes = {minutes}
steps = {steps}
parameters = {parameters}
"""


def toml_table(header: str, values: dict[str, object]) -> str:
    """A flat table of strings, numbers and booleans; JSON writes those as TOML does."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join([f"\n{header}", *lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of `prepare`")
    parser.add_argument("--run", type=Path, required=True, help="folder of `train`")
    parser.add_argument("--to", type=Path, required=True, help="folder of the model")
    arguments = parser.parse_args()

    weights = arguments.run / "weights.safetensors"
    content = weights.read_bytes()
    vocoder = load_vocoder(weights)
    length = int.from_bytes(content[:8], "little")
    about = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["vocoder"])
    card = TEMPLATE.format(
        name=arguments.to.name,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        mel=about["mel"],
        past=vocoder.reach.past,
        ahead=vocoder.reach.ahead,
        device=about["device"],
        minutes=round(about["seconds"] / 60, 1),
        steps=about["steps"],
        parameters=sum(value.numel() for value in vocoder.parameters()),
    )
    speech = Speech.load(arguments.data / "train.safetensors")
    known = tomllib.loads(SETS.read_text())
    for name in dict.fromkeys(name.split("/")[0] for name in speech.names):
        facts = {key: known[name][key] for key in ("about", "source", "licence")}
        card += toml_table("[[training.data]]", {"name": name} | facts)
    report = json.loads((arguments.run / "evaluation.json").read_text())
    factor = report.pop("real_time_factor")
    card += toml_table("[measured]", {"real_time_factor_one_core": factor})
    for name, figures in report.items():
        facts = {"sentences": figures["sentences"]} | figures["vocoder"]
        facts |= {f"griffin_lim_{key}": value for key, value in figures["griffin_lim"].items()}
        card += toml_table(f"[measured.{name}]", facts)

    tomllib.loads(card)
    arguments.to.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(weights, arguments.to / "weights.safetensors")
    (arguments.to / "card.toml").write_text(card)
    print(card)


if __name__ == "__main__":
    main()
