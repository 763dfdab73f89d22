"""A run and its figures -> a model folder with `card.toml` and `weights.safetensors`.

python -m training.clone.card --data DATA --run RUN --to models/clone
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from safetensors.torch import load_file

from audiopipe.nets.frames import MelConfig

from ..cards import write_card
from .data import Voices
from .prepare import SETS
from .run import load_converter


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of `prepare`")
    parser.add_argument("--run", type=Path, required=True, help="folder of `train`, `evaluate`")
    parser.add_argument("--to", type=Path, required=True, help="folder of the model")
    arguments = parser.parse_args()

    run = arguments.run
    converter, about = load_converter(run / "weights.safetensors")
    voices = Voices.load(arguments.data / "train.safetensors")
    report = json.loads((run / "evaluation.json").read_text())
    facts = {
        "settings": about["settings"],
        "step": about["steps"],
        "parameters": sum(value.numel() for value in converter.parameters()),
        "sources": sorted({name.split("/")[0] for name in voices.names}),
    }
    (run / "last.json").write_text(json.dumps(facts, indent=2) + "\n")
    hours = len(voices.mel) * MelConfig.hop / MelConfig.rate / 3600
    figures = {
        "trained on": f"a CPU core, {about['ear_seconds'] / 60:.0f} minutes for what hears words, "
        f"{about['seconds'] / 60:.0f} minutes for the rest",
        "speakers": len(set(voices.speakers)),
        "hours of speech": round(hours, 2),
        "frames of context, past and ahead": ", ".join(map(str, converter.reach)),
        "people in the evaluation": report["people"],
        "times real time, one core, without the vocoder": report["real_time_factor"],
    }
    figures |= {f"likeness, {who}": value for who, value in report["likeness"].items()}
    figures |= {
        f"word error rate, {who}": f"{rate:.1%} of {report['words']} words"
        for who, rate in report["word_error_rate"].items()
    }
    if "share" in about:
        figures["share of the weights that met a critic"] = about["share"]
    figures |= {f"NISQA-TTS, {who}": value for who, value in report.get("nisqa", {}).items()}
    write_card(
        run, arguments.to, SETS, load_file(run / "weights.safetensors"), figures,
        about={"task": "clone", "network": "converter", "rate": MelConfig.rate},
    )  # fmt: skip


if __name__ == "__main__":
    main()
