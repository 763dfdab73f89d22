"""Bring a recording to a loudness or a peak."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, log10
from typing import Annotated, Literal

import torch
from pydantic import Field, model_validator

from audiopipe.loudness import LOWEST_RATE, WEIGHTS, LoudnessMeter
from audiopipe.signals import Audio
from audiopipe.stage import Fidelity, Stage, TwoPass
from audiopipe.units import Decibels, Loudness

log = logging.getLogger(__name__)

MOST = 60.0
"""No recording is raised by more dB: it would be its noise."""

CLOSE = 0.05
"""LU by which the target may be missed in silence."""


@dataclass
class Measured:
    """What is known of a recording; `gain` is a factor, known after the first pass."""

    meter: LoudnessMeter | None
    peak: float = 0.0
    gain: float | None = None


class Normalize(TwoPass):
    """Change the level of a whole recording, by one gain, so that it is as loud as asked.

    `loudness` is that of ITU-R BS.1770-4: -14 LUFS for streaming services, -16 for podcasts,
    -23 for European broadcasting. `peak` is the highest sample. With both, the loudness is
    reached unless the peak would be passed, and a warning says by how much it is missed.

    Audio [channels, time] in and out, mono, stereo, 3.0, 5.0 or 5.1 for loudness (in the
    order L R C LFE Ls Rs), any number of channels for peak. Silence stays as it is, and so
    does what is quieter than -70 LUFS, with a warning; nothing is raised by more than 60 dB.
    Less than 400 ms of sound are measured as one block. Samples that are no numbers are not
    measured, and stay.
    """

    name = "normalize"

    loudness: Annotated[Loudness, Field(ge=-70, le=0)] | None = None
    """How loud the recording is to be, in LUFS."""
    peak: Annotated[Decibels, Field(ge=-100, le=0)] | None = None
    """How high its highest sample is to be or, together with `loudness`, may be; in dBFS."""
    over: Literal["lower", "leave"] = "lower"
    """What happens where the loudness passes full scale: `lower` tells of it; `leave` is for a
    stage `limit` behind."""

    @model_validator(mode="after")
    def _check(self) -> Normalize:
        if self.loudness is None and self.peak is None:
            raise ValueError("say to what: 'loudness: -16 LUFS', 'peak: -1 dB', or both")
        return self

    @property
    def fidelity(self) -> Fidelity:
        return Fidelity(
            "offline",
            why="how loud a recording is, is known at its end",
            instead="set the level by hand with {use: mix, gains: [-3 dB]}, "
            "or normalize the recording afterwards",
        )

    def accepts(self, source: Audio) -> Sequence[Audio]:
        if self.loudness is not None and source.channels not in WEIGHTS:
            raise ValueError(
                f"there is no agreed loudness of {source.channels} channels; put "
                "{use: mix, channels: 2} before it, or ask for a peak only"
            )
        if self.loudness is not None and source.rate < LOWEST_RATE:
            raise ValueError(
                f"loudness needs {LOWEST_RATE} Hz or more, not {source.rate} Hz; put "
                "{use: resample, rate: 16 kHz} before it, or ask for a peak only"
            )
        return [source.format]

    def output(self, source: Audio) -> Audio:
        return Audio.empty(source.rate, source.channels)

    def start(self, model: None, sources: Sequence[Audio]) -> Measured:
        (source,) = sources
        wanted = self.loudness is not None
        return Measured(LoudnessMeter(source.rate, source.channels) if wanted else None)

    def measure(self, model: None, state: Measured, block: Audio) -> None:
        finite = torch.nan_to_num(block.samples, posinf=0.0, neginf=0.0)
        if len(block):
            state.peak = max(state.peak, float(finite.abs().max()))
        if state.meter:
            state.meter.add(finite.cpu().numpy())

    def step(self, model: None, state: Measured, blocks: Sequence[Audio], last: bool) -> Audio:
        (block,) = blocks
        if state.gain is None:
            loudness = state.meter.integrated() if state.meter else None
            state.gain = 10 ** (self._decibels(loudness, state.peak) / 20)
        return block.like(block.samples * state.gain, start=block.start)

    def _decibels(self, loudness: float | None, peak: float) -> float:
        """The gain in dB for a recording of this loudness and peak; says what is amiss."""
        if peak == 0:
            log.warning("normalize: the recording is silent; it stays as it is")
            return 0.0
        room = inf if self.peak is None else self.peak - 20 * log10(peak)
        if self.loudness is None:
            return self._limited(room)
        assert loudness is not None
        if not isfinite(loudness):
            log.warning("normalize: the recording is quieter than -70 LUFS; it stays as it is")
            return min(0.0, room)
        wanted = self._limited(self.loudness - loudness)
        if room < wanted - CLOSE:
            log.warning(
                "normalize: %.1f LUFS instead of %.1f: more would pass the peak of %.1f dB",
                loudness + room,
                self.loudness,
                self.peak,
            )
        above = 20 * log10(peak) + wanted
        if self.peak is None and above > 0 and self.over == "lower":
            log.warning(
                "normalize: peaks are %.1f dB above full scale and will be clipped in a file; "
                "add 'peak: -1 dB'",
                above,
            )
        return min(wanted, room)

    def _limited(self, gain: float) -> float:
        if gain > MOST:
            log.warning("normalize: raised by %.0f dB, not %.1f: no more is done", MOST, gain)
        return min(gain, MOST)

    @classmethod
    def examples(cls) -> Sequence[Stage]:
        return (cls(loudness=-16.0), cls(peak=-1.0), cls(loudness=-14.0, peak=-1.0))
