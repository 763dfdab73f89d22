"""What a training leaves, so that it can go on and be used: `checkpoint.pt` and
`weights.safetensors`, each whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

Parts = Mapping[str, nn.Module | torch.optim.Optimizer]


def keep(
    folder: Path,
    parts: Parts,
    facts: Mapping[str, Any],
    averaged: nn.Module,
    kind: str,
    about: Mapping[str, Any],
) -> None:
    """Write the state of `parts` with what else the training has to know, and the averaged
    weights, as `keep_weights` does."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: part.state_dict() for name, part in parts.items()}
    torch.save({**state, **facts}, folder / "checkpoint.new")
    (folder / "checkpoint.new").replace(folder / "checkpoint.pt")
    keep_weights(folder, averaged.state_dict(), kind, about)


def keep_weights(
    folder: Path, state: Mapping[str, Tensor], kind: str, about: Mapping[str, Any]
) -> None:
    """Write weights in float16, whose metadata say `about` under `kind`."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: value.half().cpu().contiguous() for name, value in state.items()}
    save_file(weights, folder / "weights.new", metadata={kind: json.dumps(about)})
    (folder / "weights.new").replace(folder / "weights.safetensors")


def restore(
    folder: Path, parts: Parts, device: torch.device | str | None = None
) -> dict[str, Any] | None:
    """Give `parts` the state of the checkpoint; returns all that stands in it, or None if there is
    no checkpoint."""
    path = folder / "checkpoint.pt"
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    return state
