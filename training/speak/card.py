"""A run and its figures -> a model folder with `card.toml` and `weights.safetensors`.

    python -m training.speak.card --data DATA --run RUN --to models/kathleen

Nothing in the card is typed by hand: it is read from the run, from its evaluation and from
`sets.toml`, so that it cannot disagree with them.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from pathlib import Path
from typing import Any

from audiopipe.nets.frames import MelConfig
from audiopipe.voices.tokens import labels

from ..cards import write_model
from .corpus import SETS
from .data import load
from .run import load_speech

CITATION = (
    "Network after Y. Ren et al., FastSpeech 2, 2021, arXiv:2006.04558; "
    "code and weights are our own."
)

WHO = ("copy", "voice", "flite", "flite rms", "espeak-ng")
"""Whose sound is measured: the recordings through the vocoder, the voice, other programs."""


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


def write_voice(data: Path, run: Path, to: Path, vocoder: str) -> None:
    """Write the weights of a run, and the card that tells what is known of them."""
    facts = tomllib.loads(SETS.read_text("utf-8"))[to.name]
    weights = run / "weights.safetensors"
    net, about = load_speech(weights)
    sentences, voice, language = load(data / "train.safetensors")
    head = {
        "about": facts["about"],
        "task": "speak",
        "network": "speech-net",
        "rate": MelConfig.rate,
        "labels": labels(language),
        "recipe": "training/speak",
        "citation": CITATION,
    }
    settings = {"language": language, "vocoder": vocoder, **about["settings"]}
    frames = sum(len(one.mel) for one in sentences)
    before = f", after those of {facts['made']['of']}" if "made" in facts else ""
    figures = {
        "parameters": sum(value.numel() for value in net.parameters()),
        "steps": about["steps"],
        "trained on": f"a CPU core, {about['seconds'] / 60:.0f} minutes of its time{before}",
        "sentences to train with": len(sentences),
        "minutes of speech": round(frames * MelConfig.hop / MelConfig.rate / 60, 1),
        "mean f0 of the speaker, Hz": round(2 ** (voice.f0 / 12), 1),
    }
    figures |= figures_of(json.loads((run / "evaluation.json").read_text()))
    content = weights.read_bytes()
    write_model(to, content, head, settings, facts["licence"], facts["data"], figures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of `prepare`")
    parser.add_argument("--run", type=Path, required=True, help="folder of `train`")
    parser.add_argument("--to", type=Path, required=True, help="folder of the model")
    parser.add_argument("--vocoder", default="vocoder-24k", help="the model that makes sound of it")
    arguments = parser.parse_args()
    write_voice(arguments.data, arguments.run, arguments.to, arguments.vocoder)


if __name__ == "__main__":
    main()
