"""Track the fundamental frequency."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from audiopipe.evidence import HOP, LOWEST, RATE
from audiopipe.stage import Chain, Stage
from audiopipe.trackers import neural, yin
from audiopipe.trackers.candidates import Smooth
from audiopipe.trackers.grid import Grid
from audiopipe.trackers.neural import TOP, Gather, NeuralCandidates, NeuralFrames
from audiopipe.trackers.pyin import Pyin
from audiopipe.trackers.yin import YinCandidates, YinFrames
from audiopipe.units import Hertz, Span

MODEL = "pitch"

LEAST = 10.0
"""The lowest pitch in Hz that YIN may be asked for."""

USUAL = (65.0, 1000.0)
"""Where YIN and pYIN look unless a range is given: the wider, the more mistakes."""

SMOOTHING = Span.parse("100 ms")
"""How long YIN's frames wait for those that follow, unless something is said."""

OWN = {
    "model": ("neural",),
    "voicing_threshold": ("neural", "yin"),
    "smoothing": ("neural", "yin"),
    "window": ("yin", "pyin"),
    "threshold": ("yin",),
}
"""Options that not every method has."""

Share = Annotated[float, Field(ge=0, le=1)]


class Pitch(Chain):
    """Track the fundamental frequency and whether there is one.

    Audio [channels, time] becomes a `PitchTrack` [frames], one frame a hop: `hz`, the best
    guess also where nothing is voiced; `voiced`; `confidence`, 0 to 1. Frame `k` is about sample
    `k * hop`. Several channels are mixed to one.

    - `neural`, the default: a small network of ours, for voices and instruments from 27.5 Hz to
      4.3 kHz, in noise, rooms and telephones too. It hears 64 ms of sound at a time, decides 52 ms
      later, and looks every 10 ms; for another `hop` its pitches are interpolated. Its confidence
      is the probability that the frame is voiced. Sound is brought to 16 kHz.
    - `yin`: de Cheveigné & Kawahara 2002 (see `audiopipe.yin`), exact on clean tones. Its
      confidence is 1 minus the aperiodicity. Rates above 24 kHz are brought down to 16 kHz (32 kHz
      where the range goes above 2 kHz).
    - `pyin`: Mauch & Dixon 2014 as librosa has it, to compare with. It cannot stream.

    With `smoothing`, the best path through several candidates a frame is followed (see
    `audiopipe.viterbi`), which mends YIN's octave errors and single wrong frames; a frame is
    decided when so much more has been heard, so that the smoothing is part of the latency. Streams
    and whole recordings are decided alike.

    Times that are written as a number of samples count at the rate that is looked at.

    One pitch at a time: of a chord comes one of its notes, a common divisor, or nothing.
    """

    name = "pitch"

    method: Literal["neural", "yin", "pyin"] = "neural"
    """How the pitch is found."""
    hop: Span = Field(default=Span.parse("10 ms"))
    """How often."""
    range: tuple[Hertz, Hertz] | None = None
    """The lowest and the highest pitch that are looked for; none means 27.5 Hz to 4.3 kHz for the
    network, 65 Hz to 1 kHz for the others."""
    voicing_threshold: Share = 0.5
    """How confident a frame must be to count as voiced; pYIN decides by itself."""
    smoothing: Span | None = None
    """How much later a frame is decided; 0 takes each frame by itself. None means 100 ms for YIN,
    and 0 for the network, which hears its neighbours anyway."""
    resolution: Annotated[float, Field(ge=0, le=1200)] = 0.0
    """Cents to whole multiples of which pitches are rounded; 0 gives them as they are found."""
    model: str | None = None
    """The network: the name of a model, or the folder of one; none means the one that comes with
    audiopipe."""
    window: Span | None = None
    """How much sound YIN looks at; none means three of the longest periods."""
    threshold: Share | None = None
    """Aperiodicity below which YIN without smoothing takes the shortest period; none means its
    authors' 0.1."""

    @model_validator(mode="after")
    def _check(self) -> Pitch:
        low, high = self.looked_for
        if not 0 < low < high:
            raise ValueError(
                f"the range {low:g} Hz to {high:g} Hz is empty; write the lower pitch first, "
                "as in [65 Hz, 1 kHz]"
            )
        if self.method == "neural" and not (low >= LOWEST and high <= TOP):
            raise ValueError(
                f"the range {low:g} Hz to {high:g} Hz is wider than the network's, {LOWEST:g} Hz "
                f"to {TOP:g} Hz; narrow it, or write 'method: yin'"
            )
        if low < LEAST:
            raise ValueError(f"the range begins at {low:g} Hz; the least is {LEAST:g} Hz")
        if self.hop.amount == 0:
            raise ValueError("the hop is 0; write how often a pitch is wanted, as in '10 ms'")
        for option, methods in OWN.items():
            said = option in self.model_fields_set and getattr(self, option) is not None
            if said and self.method not in methods:
                raise ValueError(
                    f"{option} is of method {' and '.join(methods)}, not of {self.method}; leave "
                    f"it out, or write 'method: {methods[0]}'"
                )
        if self.threshold is not None and self.lag.amount:
            raise ValueError(
                "threshold is of YIN without smoothing; leave it out, or write 'smoothing: 0 s'"
            )
        return self

    @property
    def looked_for(self) -> tuple[float, float]:
        """The lowest and the highest pitch in Hz."""
        if self.range is not None:
            return self.range
        return (LOWEST, TOP) if self.method == "neural" else USUAL

    @property
    def models(self) -> Sequence[str]:
        return (self.model or MODEL,) if self.method == "neural" else ()

    @property
    def lag(self) -> Span:
        """How much later a frame is decided."""
        if self.smoothing is not None:
            return self.smoothing
        return SMOOTHING if self.method == "yin" else Span.parse(0)

    def parts(self) -> Sequence[Stage]:
        shared: dict[str, Any] = {"range": self.looked_for}
        if self.method == "pyin":
            pyin = Pyin(**shared, hop=self.hop, window=self.window)
            return (pyin, self._grid()) if self.resolution else (pyin,)
        shared["voicing_threshold"] = self.voicing_threshold
        if self.method == "yin":
            shared |= {"hop": self.hop, "window": self.window}
            if self.lag.amount:
                smooth = Smooth(smoothing=self.lag, switch=yin.SWITCH, jump=yin.JUMP)
                found: tuple[Stage, ...] = (YinCandidates(**shared), smooth)
            else:
                threshold = 0.1 if self.threshold is None else self.threshold
                found = (YinFrames(**shared, threshold=threshold),)
            return (*found, self._grid()) if self.resolution else found
        shared["model"] = self.model or MODEL
        if self.lag.amount:
            smooth = Smooth(smoothing=self.lag, switch=neural.SWITCH, jump=neural.JUMP)
            found = (Gather(), NeuralCandidates(**shared), smooth)
        else:
            found = (Gather(), NeuralFrames(**shared))
        another = self.hop.samples(RATE) != HOP
        return (*found, self._grid()) if another or self.resolution else found

    def _grid(self) -> Grid:
        return Grid(hop=self.hop, resolution=self.resolution)

    @classmethod
    def examples(cls) -> Sequence[Stage]:
        return (
            cls(),
            cls(smoothing=Span.parse("30 ms")),
            cls(range=(200.0, 2000.0), hop=Span.parse("4 ms"), smoothing=Span.parse("40 ms")),
            cls(method="yin"),
            cls(method="yin", smoothing=Span.parse(0)),
            cls(
                method="yin",
                range=(200.0, 2000.0),
                hop=Span.parse("5 ms"),
                smoothing=Span.parse("40 ms"),
                resolution=50.0,
            ),
            cls(method="pyin", range=(100.0, 500.0)),
        )
