"""The family of Spleeter: masks over a short-time Fourier transform, by U-Nets of 512 frames.

With an overlap of 0 the stems are those of Deezer's own program (2.4.2) to rounding: its frames
begin 4096 samples before the sound, a hop is 1024, the last segment is filled up with silence. Its
segments meet without a seam only by luck; with an overlap, the frames of both fade into each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from audiopipe.conversion import converted
from audiopipe.engines.spleeter import DeezerNet
from audiopipe.errors import ModelError
from audiopipe.framing import Framing
from audiopipe.models import Store, load_weights
from audiopipe.nets.spleeter import DEPTH, FILTERS, FRAMES, SpleeterNet, state_of_checkpoint
from audiopipe.separators.base import (
    Choice,
    Remainder,
    Separator,
    Share,
    arrange,
    separation_card,
)
from audiopipe.separators.segments import WINDOW, Segments, analyzed, hann, synthesized
from audiopipe.signals import Audio
from audiopipe.stage import Stage
from audiopipe.tensorflow_checkpoint import convert

OVERLAP = 0.25
REMAINDER: Remainder = "none"
"""Nearly all that its stems lack lies above its masks: none of them has a share in that."""
INDEX, DATA = "model.index", "model.data-00000-of-00001"
"""The files of a checkpoint."""
WIDE = 1536
"""The network's bins where it sees up to 16 kHz, and not to 11."""
WIDEST = 1024
"""Filters of a layer; a card that asks for more would fill the memory."""

HighBand = Literal["zeros", "average"]


class Spleeter(Separator):
    """Segments of sound to stems: Audio [2, time] to a port a stem.

    A stretch is the inverse transform of the masked frames, windowed once more and faded in and
    out over the overlap; `norm` is what an open mask would make of it.
    """

    name = "spleeter"

    overlap: Share = OVERLAP
    high_band: HighBand = Field(default="zeros")
    """The mask above the network's bins: closed, or the mean of those below."""

    def framing(self, source: Audio) -> Framing:
        return _segments(self.overlap).framing

    def load(self, source: Audio, device: torch.device, dtype: torch.dtype) -> Masking:
        net: SpleeterNet | DeezerNet
        if _settings(self.model)["engine"]:
            net = deezer_net(self.model)
        else:  # channels last in memory is what a CPU's convolutions like
            net = spleeter_net(self.model).to(memory_format=torch.channels_last).to(device)
        bins = self.card.settings["bins"]
        fades = _segments(self.overlap).fades.to(device)
        return Masking(net, bins, self.high_band, hann(device), fades)

    def compute(self, model: Masking, windows: Tensor) -> tuple[Tensor, ...]:
        # On a CPU, a segment at a time stays nearer to its caches.
        few = 1 if windows.device.type == "cpu" else len(windows)
        stems = [stretches(model, some) for some in torch.split(windows, max(1, few))]
        return arrange(torch.cat(stems), self.card.labels, self.keep)


@dataclass(frozen=True, eq=False)
class Masking:
    """A network, the bins that it sees, what becomes of those above; `window` [WINDOW], and
    `fades` [FRAMES], by which frames are weighted."""

    net: SpleeterNet | DeezerNet
    bins: int
    high_band: HighBand
    window: Tensor
    fades: Tensor


def stretches(model: Masking, windows: Tensor) -> Tensor:
    """Segments of sound [n, 2, samples] to what each gives of the stems [n, stems, 2, samples]."""
    spectra = analyzed(windows.nan_to_num(0.0, 0.0, 0.0), model.window)
    if model.high_band == "zeros":
        spectra = spectra[..., : model.bins]
    magnitudes = spectra[..., : model.bins].abs()
    masks = model.net(magnitudes.contiguous(memory_format=torch.channels_last))
    window = model.window * model.fades[:, None]
    stems = []
    for mask in masks.unbind(1):
        if above := spectra.shape[-1] - model.bins:
            mean = mask.mean(-1, keepdim=True)
            mask = torch.cat([mask, mean.expand(*mask.shape[:-1], above)], -1)
        stems.append(synthesized(spectra * mask, window))
    return torch.stack(stems, 1)


def _segments(overlap: float) -> Segments:
    return Segments(FRAMES, min(round(overlap * FRAMES), FRAMES - 1))


def parts(choice: Choice) -> Sequence[Stage]:
    """The stages that the family makes of a model."""
    settings = _settings(choice.model)
    given: dict[str, Any] = {"model": choice.model, "keep": choice.keep, "batch": choice.batch}
    overlap = OVERLAP if choice.overlap is None else choice.overlap
    high_band = choice.high_band or settings["high_band"]
    return (Spleeter(**given, overlap=overlap, high_band=high_band),)


def spleeter_net(model: str) -> SpleeterNet:
    """The network with its weights, on the CPU, for use and not for training.

    Raises ModelError where card and weights do not fit, CheckpointError where the checkpoint is
    damaged, and what `Store.path` raises.
    """
    settings = _settings(model)
    stems = len(separation_card(model).labels)
    tensors = load_weights(converted(model, _convert))
    try:
        if odd := [name for name, tensor in tensors.items() if not tensor.isfinite().all()]:
            raise ValueError(f"{odd[0]} holds what is no number")
        net = SpleeterNet(stems, settings["activation"], settings["output"], settings["filters"])
        net.load_state_dict(state_of_checkpoint(tensors, stems))
    except (KeyError, ValueError, RuntimeError) as error:
        told = " ".join(str(error).split())
        raise ModelError(f"model {model!r}: its weights do not fit its card: {told}") from None
    return net.eval().requires_grad_(False)


def deezer_net(model: str) -> DeezerNet:
    """Deezer's own networks with the same weights, in a process of their own.

    Raises EngineError where the engine is not installed, and what `Store.path` raises.
    """
    settings, labels = _settings(model), separation_card(model).labels
    index, _ = (Store().path(model, name) for name in (INDEX, DATA))
    configuration = f"{len(labels)}stems{'-16kHz' if settings['bins'] == WIDE else ''}"
    return DeezerNet(configuration, index.with_suffix(""), len(labels), settings["filters"])


def _convert(sources: Mapping[str, Path], target: Path) -> None:
    if lost := {INDEX, DATA} - sources.keys():
        raise ModelError(f"the card lists no file {lost.pop()!r}, which a checkpoint consists of")
    convert(sources[INDEX], sources[DATA], target)


def _settings(model: str) -> dict[str, Any]:
    """The settings of a card; raises ModelError for those that are not possible."""
    settings = {
        "high_band": "zeros",
        "filters": FILTERS,
        "engine": "",
        **separation_card(model).settings,
    }
    possible = {
        "activation": settings.get("activation") in ("leaky", "elu"),
        "output": settings.get("output") in ("sigmoid", "softmax"),
        "bins": settings.get("bins") in range(64, WINDOW // 2, 64),
        "high_band": settings["high_band"] in ("zeros", "average"),
        "engine": settings["engine"] in ("", "spleeter"),
        "filters": len(settings["filters"]) == DEPTH
        and all(n in range(1, WIDEST + 1) for n in settings["filters"]),
    }
    if wrong := [name for name, right in possible.items() if not right]:
        raise ModelError(f"model {model!r}: what its card says is not possible: {wrong[0]}")
    return settings
