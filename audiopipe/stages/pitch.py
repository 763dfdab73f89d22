"""Track the fundamental frequency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor

from audiopipe.framing import Framing
from audiopipe.signals import Audio, PitchTrack, Sampled
from audiopipe.stage import Chain, Reach, Stage, Stateful, Windowed
from audiopipe.units import Hertz, Span
from audiopipe.viterbi import Costs, Floats, Path, decide
from audiopipe.yin import TAPS, Lags, Tables, candidates, first_below

RATE = 16000
"""Sound at a higher rate is brought down to this, times the octaves of range above 1 kHz."""

LOWEST = 10.0
"""The lowest pitch in Hz that may be looked for."""

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

Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, eq=False)
class Candidates(Sampled):
    """Possible pitches, some a frame: `hz` and `aperiodicity` [candidates, frames]."""

    hz: Tensor
    aperiodicity: Tensor
    rate: int
    hop: int
    start: int = 0

    series: ClassVar = ("hz", "aperiodicity")


class _Yin(Windowed):
    """What both kinds of frames share."""

    hop: Span
    range: tuple[Hertz, Hertz]
    window: Span | None

    def accepts(self, source: Audio) -> Sequence[Audio]:
        wanted = Audio.empty(_rate(source.rate, self.range[1]), channels=1)
        self.lags(wanted)  # refuses a window that is too short
        return [wanted]

    def lags(self, source: Audio) -> Lags:
        return _lags(source.rate, self.range, self.window)

    def framing(self, source: Audio) -> Framing:
        window = self.lags(source).window
        before = window // 2
        return Framing(window, _hop(self.hop, source), before, window - before)

    def load(self, source: Audio, device: torch.device, dtype: torch.dtype) -> Tables:
        return Tables.of(self.lags(source), device)


class Frames(_Yin):
    """YIN, each frame by itself: Audio [1, time] to PitchTrack [frames]."""

    name = "frames"

    threshold: Share
    voicing_threshold: Share

    def output(self, source: Audio) -> PitchTrack:
        return PitchTrack.empty(source.rate, _hop(self.hop, source))

    def compute(self, model: Tables, windows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        parts = [first_below(part, model, self.threshold) for part in _parts(windows)]
        period, aperiodicity = (torch.cat(column) for column in zip(*parts, strict=True))
        hz = (model.lags.rate / period).clamp(*self.range)
        voiced = aperiodicity < self.voicing_threshold
        return hz[:, None], voiced[:, None], (1 - aperiodicity)[:, None]


class Propose(_Yin):
    """Candidates for the pitch of each frame: Audio [1, time] to Candidates [K, frames]."""

    name = "candidates"

    def output(self, source: Audio) -> Candidates:
        none = torch.zeros(min(CANDIDATES, len(self.lags(source).bands)), 0)
        return Candidates(none, none, source.rate, _hop(self.hop, source))

    def compute(self, model: Tables, windows: Tensor) -> tuple[Tensor, Tensor]:
        parts = [candidates(part, model, CANDIDATES, OCTAVE) for part in _parts(windows)]
        period, aperiodicity = (torch.cat(column) for column in zip(*parts, strict=True))
        return (model.lags.rate / period)[..., None], aperiodicity[..., None]


@dataclass
class Smoothing:
    """The state of a stream: the path, and the candidates of frames not yet decided."""

    path: Path
    hz: Floats
    aperiodicity: Floats
    given: int = 0


class Smooth(Stateful):
    """Choose one candidate a frame, or none: Candidates [K, frames] to PitchTrack [frames]."""

    name = "smooth"
    takes = Candidates

    range: tuple[Hertz, Hertz]
    smoothing: Span
    voicing_threshold: Share

    def output(self, source: Candidates) -> PitchTrack:
        return PitchTrack.empty(source.rate, source.hop)

    def lag(self, source: Candidates) -> int:
        return ceil(self.smoothing.samples(source.rate) / source.hop)

    def reach(self, source: Candidates) -> Reach:
        return Reach(behind=None, ahead=self.lag(source), latency=self.lag(source))

    def start(self, model: None, sources: Sequence[Candidates]) -> Smoothing:
        count = sources[0].hz.shape[0]
        return Smoothing(Path.fresh(count), np.zeros((0, count)), np.zeros((0, count)))

    def step(
        self, model: None, state: Smoothing, blocks: Sequence[Candidates], last: bool
    ) -> PitchTrack:
        (block,) = blocks
        new_hz, new_aperiodicity = (t.mT.cpu().double().numpy() for t in block.tensors)
        step = block.hop / block.rate / 0.01  # in 10 ms
        costs = Costs(self.voicing_threshold, SWITCH / step, JUMP / step)
        lag = self.lag(block)
        cost = _cost(new_hz, new_aperiodicity, self.range)
        states = decide(state.path, np.log2(new_hz), cost, costs, lag, last)
        hz = np.concatenate([state.hz, new_hz])
        aperiodicity = np.concatenate([state.aperiodicity, new_aperiodicity])
        count, unvoiced = len(states), hz.shape[1]
        state.hz, state.aperiodicity = hz[count:].copy(), aperiodicity[count:].copy()
        hz, aperiodicity = hz[:count], aperiodicity[:count]
        voiced = states < unvoiced
        guess = _cost(hz, aperiodicity, self.range).argmin(1)
        chosen = np.where(voiced, states, guess)[:, None]
        start, state.given = state.given, state.given + count
        device = block.device
        return PitchTrack(
            _tensor(np.take_along_axis(hz, chosen, 1).clip(*self.range), device),
            torch.from_numpy(voiced).to(device),
            _tensor(1 - np.take_along_axis(aperiodicity, chosen, 1), device),
            block.rate,
            block.hop,
            start,
        )


class Pitch(Chain):
    """Track the fundamental frequency and whether there is one.

    Audio [channels, time] becomes a `PitchTrack` [frames], one frame a hop: `hz`, the best
    guess also where nothing is voiced; `voiced`; `confidence`, 1 minus the aperiodicity.
    Frame `k` looks at the `window` around sample `k * hop`; there are 1 + n // hop of them.
    Several channels are mixed to one, and rates above 24 kHz are brought down to 16 kHz
    (32 kHz where the range goes above 2 kHz), where the pitch is as accurate and costs less.

    Method `yin` is de Cheveigné & Kawahara 2002 (see `audiopipe.yin`). With `smoothing`,
    the best path through several candidates a frame is followed (see `audiopipe.viterbi`),
    which mends octave errors and single wrong frames; a frame is decided when so much more
    has been heard, so that the smoothing is part of the latency. Streams and whole
    recordings are decided alike.

    Times that are written as a number of samples count at that lower rate.

    One pitch at a time: of a chord comes one of its notes, a common divisor, or nothing.
    """

    name = "pitch"

    method: Literal["yin"] = "yin"
    """How the pitch is found."""
    hop: Span = Field(default=Span.parse("10 ms"))
    """How often."""
    range: tuple[Hertz, Hertz] = (65.0, 1000.0)
    """The lowest and the highest pitch that are looked for."""
    window: Span | None = None
    """How much sound a frame looks at; none means three of the longest periods."""
    threshold: Share = 0.1
    """Aperiodicity below which, without smoothing, the shortest period is taken: YIN's own."""
    voicing_threshold: Share = 0.5
    """Aperiodicity from which on a frame is unvoiced."""
    smoothing: Span = Field(default=Span.parse("100 ms"))
    """How much later than the window a frame is decided; 0 takes each frame by itself."""

    @model_validator(mode="after")
    def _check(self) -> Pitch:
        low, high = self.range
        if not 0 < low < high:
            raise ValueError(
                f"the range {low:g} Hz to {high:g} Hz is empty; write the lower pitch first, "
                "as in [65 Hz, 1 kHz]"
            )
        if low < LOWEST:
            raise ValueError(f"the range begins at {low:g} Hz; the least is {LOWEST:g} Hz")
        if self.hop.amount == 0:
            raise ValueError("the hop is 0; write how often a pitch is wanted, as in '10 ms'")
        return self

    def parts(self) -> Sequence[Stage]:
        shared = {"hop": self.hop, "range": self.range, "window": self.window}
        voicing = self.voicing_threshold
        if not self.smoothing.amount:
            return (Frames(**shared, threshold=self.threshold, voicing_threshold=voicing),)
        smooth = Smooth(range=self.range, smoothing=self.smoothing, voicing_threshold=voicing)
        return (Propose(**shared), smooth)

    @classmethod
    def examples(cls) -> Sequence[Stage]:
        return (
            cls(),
            cls(smoothing=Span.parse(0)),
            cls(range=(200.0, 2000.0), hop=Span.parse("5 ms"), smoothing=Span.parse("40 ms")),
        )


def _rate(given: int, highest: float) -> int:
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


def _lags(rate: int, pitches: tuple[float, float], window: Span | None) -> Lags:
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


def _parts(windows: Tensor) -> Sequence[Tensor]:
    """Windows [n, 1, window] in parts [some, window] that stay in the cache: half the time."""
    return torch.split(windows[:, 0], max(1, IN_CACHE // windows.shape[-1]))


def _hop(hop: Span, source: Audio) -> int:
    return max(1, hop.samples(source.rate))


def _cost(hz: Floats, aperiodicity: Floats, pitches: tuple[float, float]) -> Floats:
    """What each candidate [frames, K] costs; the octaves count from the middle of the range."""
    middle = (pitches[0] * pitches[1]) ** 0.5
    cost: Floats = aperiodicity + OCTAVE * np.log2(middle / hz)
    return cost


def _tensor(column: Floats, device: torch.device) -> Tensor:
    return torch.from_numpy(column[:, 0]).float().to(device)
