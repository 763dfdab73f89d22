"""YIN as windowed stages: with frames taken each by itself, or as candidates to be smoothed."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import torch
from torch import Tensor

from audiopipe.framing import Framing
from audiopipe.signals import Audio, PitchTrack
from audiopipe.stage import Windowed
from audiopipe.trackers.candidates import Candidates
from audiopipe.units import Hertz, Span
from audiopipe.yin import TAPS, Lags, Tables, candidates, first_below

RATE = 16000
"""Sound at a higher rate is brought down to this, times the octaves of range above 1 kHz."""

MARGIN = TAPS
"""By how many samples half a window is longer than the longest period, at least."""

IN_CACHE = 1 << 18
"""Samples of windows that are looked at together."""

PERIODS = 3
"""How many of the longest periods a window holds, unless it is given."""

CANDIDATES = 8
"""How many candidates a frame goes into the smoother with."""

OCTAVE = 0.03
"""What an octave lower costs, in aperiodicity: of two that fit, the higher pitch is meant."""

JUMP = 0.35
"""What an octave's jump within 10 ms costs."""

SWITCH = 0.14
"""What it costs within 10 ms to become voiced or unvoiced. Both after Boersma 1993."""


class _Yin(Windowed):
    """What both kinds of frames share."""

    hop: Span
    range: tuple[Hertz, Hertz]
    window: Span | None
    voicing_threshold: float

    def accepts(self, source: Audio) -> Sequence[Audio]:
        wanted = Audio.empty(rate(source.rate, self.range[1]), channels=1)
        self.lags(wanted)  # refuses a window that is too short
        return [wanted]

    def lags(self, source: Audio) -> Lags:
        return lags(source.rate, self.range, self.window)

    def framing(self, source: Audio) -> Framing:
        window = self.lags(source).window
        before = window // 2
        return Framing(window, hop_samples(self.hop, source), before, window - before)

    def load(self, source: Audio, device: torch.device, dtype: torch.dtype) -> Tables:
        return Tables.of(self.lags(source), device)


class YinFrames(_Yin):
    """YIN, each frame by itself: Audio [1, time] to PitchTrack [frames]."""

    name = "frames"

    threshold: float

    def output(self, source: Audio) -> PitchTrack:
        return PitchTrack.empty(source.rate, hop_samples(self.hop, source))

    def compute(self, model: Tables, windows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        parts = [first_below(part, model, self.threshold) for part in _parts(windows)]
        period, aperiodicity = (torch.cat(column) for column in zip(*parts, strict=True))
        hz = (model.lags.rate / period).clamp(*self.range)
        voiced = aperiodicity < 1 - self.voicing_threshold
        return hz[:, None], voiced[:, None], (1 - aperiodicity)[:, None]


class YinCandidates(_Yin):
    """Candidates for the pitch of each frame: Audio [1, time] to Candidates [K, frames]."""

    name = "candidates"

    def output(self, source: Audio) -> Candidates:
        count = min(CANDIDATES, len(self.lags(source).bands))
        return Candidates.empty(count, source.rate, hop_samples(self.hop, source))

    def compute(self, model: Tables, windows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        parts = [candidates(part, model, CANDIDATES, OCTAVE) for part in _parts(windows)]
        period, aperiodicity = (torch.cat(column) for column in zip(*parts, strict=True))
        hz = model.lags.rate / period
        # The octaves count from the middle of the range.
        lower = ((self.range[0] * self.range[1]) ** 0.5 / hz).log2()
        cost = aperiodicity + OCTAVE * lower - (1 - self.voicing_threshold)
        return hz.clamp(*self.range)[..., None], cost[..., None], (1 - aperiodicity)[..., None]


def rate(given: int, highest: float) -> int:
    """The rate at which to look for pitches up to `highest` Hz."""
    if highest > given / 4:
        raise ValueError(
            f"the range ends at {highest:g} Hz, but sound at {given} Hz allows pitches up to "
            f"{given / 4:g} Hz; end it there, or give the sound at a higher rate"
        )
    wanted = RATE
    while highest > wanted / 8:
        wanted *= 2
    return given if given <= 1.5 * wanted else wanted


def lags(rate: int, pitches: tuple[float, float], window: Span | None) -> Lags:
    """The lags to be searched; raises ValueError where the window is too short for them."""
    longest = ceil(rate / pitches[0])
    least = 2 * (longest + MARGIN)
    given = PERIODS * longest if window is None else window.samples(rate)
    if window is not None and given < least:
        raise ValueError(
            f"a window of {given} samples is too short for {pitches[0]:g} Hz; write at least "
            f"'{ceil(1000 * least / rate)} ms', or begin the range higher"
        )
    return Lags.of(rate, *pitches, max(least, given))


def hop_samples(hop: Span, source: Audio) -> int:
    return max(1, hop.samples(source.rate))


def _parts(windows: Tensor) -> Sequence[Tensor]:
    """Windows [n, 1, window] in parts [some, window] that stay in the cache: half the time."""
    return torch.split(windows[:, 0], max(1, IN_CACHE // windows.shape[-1]))
