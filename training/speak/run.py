"""What `train` has written, read again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from audiopipe.nets.speech import SpeechNet
from audiopipe.voices.tokens import MARKS, labels


def load_speech(path: Path) -> tuple[SpeechNet, dict[str, Any]]:
    """A network with its weights, and what stands in their metadata."""
    with safe_open(path, framework="pt") as file:
        about = json.loads(file.metadata()["speech"])
        state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    net = SpeechNet(labels(about["language"]), **about["settings"])
    net.load_state_dict(state)
    return net.eval(), about


def whole(frames: Tensor, ids: Tensor) -> Tensor:
    """Lengths of tokens in whole frames, without drift; sounds have one at least."""
    least = (ids >= len(MARKS)).double()
    edges = (frames.double().maximum(least).cumsum(0) + 0.5).floor().long()
    return torch.diff(edges, prepend=torch.zeros(1, dtype=torch.long))
