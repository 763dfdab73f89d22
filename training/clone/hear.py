"""What the trained ear makes of all recordings -> `heard.safetensors`: as they are, and as other
throats, microphones and rooms would have made them.

    python -m training.clone.hear --data DATA --run RUN

The decoder learns from these, so the ear is not run again in each of its steps.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from audiopipe.nets.frames import MelConfig
from audiopipe.nets.listening import BANDS, Content

from .content import load_content
from .data import QUIET, Voices
from .disturb import Warp, disturbed

COPIES = 2


@torch.inference_mode()
def heard(content: Content, voices: Voices, copies: int, seed: int) -> Tensor:
    """Content of all frames: as recorded, and `copies` times disturbed,
    float16 [1 + copies, frames, neck]."""
    generator = torch.Generator().manual_seed(seed)
    warp, bands = Warp(MelConfig()), torch.full((copies,), BANDS)
    found = torch.zeros(1 + copies, len(voices.mel), content.neck.out_features).half()
    for begin, end in voices.spans.tolist():
        mel = voices.mel[None, begin:end, :BANDS].float()
        others = disturbed(mel.expand(copies, -1, -1), bands, warp, generator)
        every = functional.pad(torch.cat([mel, others]), (0, 0, *content.stack.reach), value=QUIET)
        found[:, begin:end] = content(every).half()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of `prepare`")
    parser.add_argument("--run", type=Path, required=True, help="folder of `content`")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    voices = Voices.load(arguments.data / "train.safetensors")
    found = heard(load_content(arguments.run)[0], voices, COPIES, seed=1)
    save_file({"content": found}, arguments.run / "heard.safetensors")


if __name__ == "__main__":
    main()
