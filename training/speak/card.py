"""A run and its figures -> a model folder with `card.toml` and `weights.safetensors`.

    python -m training.speak.card --data DATA --run RUN --to models/kathleen

Nothing in the card is typed by hand: it is read from the run, from its evaluation and from
`sets.toml`, so that it cannot disagree with them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

from audiopipe.nets.frames import MelConfig
from audiopipe.voices.tokens import labels

from ..vocoder.card import table
from .corpus import SETS
from .data import load
from .run import load_speech

HEAD = """\
name = "{name}"
about = "{about}"
task = "speak"
network = "speech-net"
rate = {rate}
labels = {labels}
recipe = "training/speak"
citation = "{citation}"

[settings]
language = "{language}"
vocoder = "{vocoder}"
"""

CITATION = (
    "Network after Y. Ren et al., FastSpeech 2, 2021, arXiv:2006.04558; "
    "code and weights are our own."
)

WHO = ("copy", "voice", "flite", "espeak-ng")
"""Whose sound is measured: the recordings through the vocoder, the voice, other programs."""

FILES = """
[[files]]
name = "weights.safetensors"
size = {size}
sha256 = "{sha256}"
"""


def figures_of(report: dict[str, Any]) -> dict[str, Any]:
    """The figures of an evaluation, flat."""
    found: dict[str, Any] = {"held-out sentences": report["sentences"]}
    rates = report.get("word_error_rate", {})
    for who, rate in rates.items():
        found[f"word error rate, {who}"] = (
            f"{rate:.1%} of {report['words']} words, "
            f"{rate / rates['recording']:.2f} times that of the recordings"
        )
    if not rates:
        found["word error rate"] = "not measured: no recogniser of this language is at hand"
    for key, value in report["prosody"].items():
        found[key.replace("_", " ")] = value
    found["log-mel difference with the true prosody"] = report["frames"]["mel_l1"]
    for who in WHO:
        for key, value in report.get(who, {}).items():
            found[f"{key.replace('_', ' ')}, {who}"] = value
    for who, value in report.get("nisqa", {}).items():
        found[f"NISQA-TTS, {who}"] = value
    found["times real time, one core, with the vocoder"] = report["real_time_factor"]
    return found


def write_card(data: Path, run: Path, to: Path, vocoder: str) -> None:
    """Write the weights of a run, and the card that tells what is known of them."""
    facts = tomllib.loads(SETS.read_text("utf-8"))[to.name]
    weights = run / "weights.safetensors"
    net, about = load_speech(weights)
    sentences, voice, language = load(data / "train.safetensors")
    text = HEAD.format(
        name=to.name, about=facts["about"], rate=MelConfig.rate, language=language, vocoder=vocoder,
        citation=CITATION,
        labels=json.dumps(labels(language), ensure_ascii=False),
    )  # fmt: skip
    text += "".join(f"{key} = {json.dumps(value)}\n" for key, value in about["settings"].items())
    content = weights.read_bytes()
    text += FILES.format(size=len(content), sha256=hashlib.sha256(content).hexdigest())
    text += table("[licence]", facts["licence"])
    for source in facts["data"]:
        text += table("[[data]]", source)
    figures = {
        "parameters": sum(value.numel() for value in net.parameters()),
        "steps": about["steps"],
        "trained on": f"a CPU core, {about['seconds'] / 60:.0f} minutes of its time",
        "sentences to train with": len(sentences),
        "minutes of speech": round(sum(len(one.mel) for one in sentences) * 256 / 24_000 / 60, 1),
        "mean f0 of the speaker, Hz": round(2 ** (voice.f0 / 12), 1),
    }
    report = json.loads((run / "evaluation.json").read_text())
    text += table("[figures]", figures | figures_of(report))
    tomllib.loads(text)
    to.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(weights, to / "weights.safetensors")
    (to / "card.toml").write_text(text, "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of `prepare`")
    parser.add_argument("--run", type=Path, required=True, help="folder of `train`")
    parser.add_argument("--to", type=Path, required=True, help="folder of the model")
    parser.add_argument("--vocoder", default="vocoder-24k", help="the model that makes sound of it")
    arguments = parser.parse_args()
    write_card(arguments.data, arguments.run, arguments.to, arguments.vocoder)


if __name__ == "__main__":
    main()
