"""What `train` has written, read again, and a recording said by it in another voice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor
from torch.nn import functional

from audiopipe.nets.converter import Converter, Likeness, bridged
from audiopipe.nets.frames import LogMel, MelConfig

from .data import QUIET
from .prepare import f0_of

SPREAD = (0.7, 1.4)
"""Between which the melody is made narrower or wider."""


def load_converter(path: Path) -> tuple[Converter, dict[str, Any]]:
    """A network with its weights, and what stands in their metadata."""
    with safe_open(path, framework="pt") as file:
        about = json.loads(file.metadata()["converter"])
        state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    converter = Converter.of(**about["settings"])
    converter.load_state_dict(state)
    return converter.eval(), about


@torch.inference_mode()
def likeness_of(converter: Converter, audio: Tensor) -> Likeness:
    """Of samples [time], their speech at the level of all others."""
    mel = LogMel(MelConfig())(audio[None])[0]
    return converter.likeness(mel, f0_of(audio, MelConfig()))


@torch.inference_mode()
def converted(converter: Converter, audio: Tensor, likeness: Likeness) -> tuple[Tensor, Tensor]:
    """Samples [time] in another voice: log-mels [bins, frames], and f0 in Hz [frames]."""
    mel = LogMel(MelConfig())(audio[None])
    hz = f0_of(audio, MelConfig())
    semitones = 12 * hz[hz > 0].log2()
    low, median, high = semitones.quantile(torch.tensor([0.16, 0.5, 0.84]))
    wider = (2 * likeness.spread / (high - low)).clamp(*SPREAD)
    pitch = wider * (bridged(hz) - median)
    context = functional.pad(mel, converter.reach, value=QUIET)
    around = functional.pad(pitch[None], converter.reach, mode="replicate")
    made = converter(context, around, likeness)[0]
    return made, torch.exp2((likeness.f0 + pitch) / 12)
