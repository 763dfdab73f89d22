"""Lay pitch over a spectrogram."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from audiopipe.signals import Frames, PitchTrack, Spectrogram
from audiopipe.signals import Overlay as Drawn
from audiopipe.stage import Reach, Stateful


class Overlay(Stateful):
    """Lay pitch over a spectrogram, for a picture of both.

    Takes pitch tracks and at most one spectrogram, in any order, all with the same time from
    frame to frame; gives an `Overlay`, whose picture has the contours over the spectra. Where
    rates or hops differ, frames drift apart, and are refused: give all of them the same sound
    and the same hop.
    """

    name = "overlay"
    takes = Frames
    many = True

    def accepts(self, *sources: Frames) -> Sequence[Frames]:
        for source in sources:
            drawable = isinstance(source, Spectrogram) and source.frequencies
            if not drawable and not isinstance(source, PitchTrack):
                told = repr(source)
                raise ValueError(f"takes pitch tracks and a spectrogram of frequencies, not {told}")
        if sum(isinstance(source, Spectrogram) for source in sources) > 1:
            raise ValueError("takes one spectrogram, not several; leave one out")
        steps = {Fraction(source.hop, source.rate): None for source in sources}
        if len(steps) > 1:
            told = " and ".join(f"{float(1000 * step):.6g} ms" for step in steps)
            raise ValueError(
                f"frames every {told} drift apart; give all the same hop, and put "
                "{use: resample, rate: 16 kHz} before them"
            )
        return sources

    def output(self, *sources: Frames) -> Drawn:
        return _laid(sources, sources[0])

    def reach(self, source: Frames) -> Reach:
        return Reach(behind=0, ahead=0, latency=0)

    def start(self, model: None, sources: Sequence[Frames]) -> None:
        return None

    def step(self, model: None, state: None, blocks: Sequence[Frames], last: bool) -> Drawn:
        return _laid(blocks, blocks[0])


def _laid(layers: Sequence[Frames], clock: Frames) -> Drawn:
    """All layers in one, on the clock of one of them."""
    tracks = [layer for layer in layers if isinstance(layer, PitchTrack)]
    spectra = [layer for layer in layers if isinstance(layer, Spectrogram)]
    none = torch.zeros(0, len(clock), device=clock.device)
    columns: list[Tensor] = [none, none.bool(), none]
    if tracks:
        columns = [torch.stack(column) for column in zip(*(t.tensors for t in tracks), strict=True)]
    made: dict[str, Any] = {"values": none[None]}
    for spectrum in spectra:
        values = spectrum.values
        made = {
            "values": values.abs() if values.is_complex() else values,
            "scale": spectrum.scale,
            "frequencies": spectrum.frequencies,
        }
    hz, voiced, confidence = columns
    return Drawn(
        **made,
        hz=hz,
        voiced=voiced,
        confidence=confidence,
        rate=clock.rate,
        hop=clock.hop,
        start=clock.start,
    )
