"""What the vocoder will hear of a voice: frames that its network makes of the training sentences,
said as they were said, and the recordings that belong to them.

    python -m training.speak.render kathleen=FOLDER --data DATA --run RUN \\
        --to rendered.safetensors

The vocoder is tuned with them: `training.vocoder.train … --rendered rendered.safetensors`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from audiopipe.nets.frames import MelConfig
from audiopipe.nets.speech import SpeechNet

from ..vocoder.data import Rendered
from .corpus import Source, read_corpus
from .data import Spoken, load
from .run import load_speech


def rendered(net: SpeechNet, one: Spoken, samples: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of a sentence and its recording: frames [bands, frames], their pitch [frames] and samples
    [frames * hop]."""
    mel, hz = net.render(one.ids, one.frames, one.f0, one.energy)
    hop, count = MelConfig.hop, mel.shape[1]
    own = samples[one.first * hop :][: count * hop]
    return mel, hz, functional.pad(own, (0, count * hop - len(own)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Source.of, metavar="NAME=FOLDER", help="a set of sets.toml")
    parser.add_argument("--data", type=Path, required=True, help="folder of `prepare`")
    parser.add_argument("--run", type=Path, required=True, help="folder of `train`")
    parser.add_argument("--to", type=Path, required=True, metavar="FILE")
    arguments = parser.parse_args()

    torch.set_flush_denormal(True)
    net, _ = load_speech(arguments.run / "weights.safetensors")
    sentences, _, _ = load(arguments.data / "train.safetensors")
    recordings = {one.name: one for one in read_corpus(arguments.source, False)}
    parts = [rendered(net, one, recordings[one.name].samples()) for one in sentences]
    Rendered.of(parts, MelConfig()).save(arguments.to)
    print(f"{len(parts)} sentences rendered")


if __name__ == "__main__":
    main()
