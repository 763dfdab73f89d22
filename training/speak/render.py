"""What the vocoder will hear of a voice: frames that its network makes of the training sentences,
said as they were said, and the recordings that belong to them.

    python -m training.speak.render ../shared/speech/kathleen --data DATA --run RUN \\
        --to rendered.safetensors

The vocoder is tuned with them: `training.vocoder.train … --rendered rendered.safetensors`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from audiopipe.nets.speech import SpeechNet
from audiopipe.nets.vocoder import MelConfig

from ..vocoder.data import Rendered
from .corpus import read_corpus
from .data import Spoken, load
from .run import load_speech


def pair(net: SpeechNet, one: Spoken, samples: Tensor) -> tuple[Tensor, Tensor]:
    """Frames [bands, frames] and their samples [frames * hop], of a sentence and its recording."""
    mel = net.render(one.ids, one.frames, one.f0, one.energy)
    hop, count = MelConfig.hop, mel.shape[1]
    own = samples[one.first * hop :][: count * hop]
    return mel, functional.pad(own, (0, count * hop - len(own)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="recordings and metadata.csv")
    parser.add_argument("--data", type=Path, required=True, help="folder of `prepare`")
    parser.add_argument("--run", type=Path, required=True, help="folder of `train`")
    parser.add_argument("--to", type=Path, required=True, metavar="FILE")
    arguments = parser.parse_args()

    torch.set_flush_denormal(True)
    net, _ = load_speech(arguments.run / "weights.safetensors")
    sentences, _, language = load(arguments.data / "train.safetensors")
    recordings = {one.name: one for one in read_corpus(arguments.folder, language, False)}
    pairs = [pair(net, one, recordings[one.name].samples()) for one in sentences]
    Rendered.of(pairs, MelConfig()).save(arguments.to)
    print(f"{len(pairs)} sentences rendered")


if __name__ == "__main__":
    main()
