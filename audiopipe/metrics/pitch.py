"""How well a pitch is tracked, by the measures of melody extraction, as `mir_eval` counts them.

Poliner et al. 2007, *Melody transcription from music audio*; Bittner & Bosch 2019.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from audiopipe.signals import PitchTrack

Floats = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

TOLERANCE_CENTS = 50.0
"""A pitch is right that lies nearer than this to the true one: a quarter of a tone."""
OCTAVE = 1200.0
"""In cents."""
BASE = 10.0
"""The frequency in Hz that is 0 cents."""
DIGITS = 10
"""Times are compared to so many decimals of a second."""


class Contour(NamedTuple):
    """A pitch over time: `seconds` [n], `hz` [n], and where it is voiced [n].

    Without `voiced`, a frame is voiced whose pitch is above 0; one below 0 is unvoiced, and its
    size a guess of the pitch in case that it is voiced after all. 0 Hz is no pitch, and unvoiced.
    """

    seconds: ArrayLike
    hz: ArrayLike
    voiced: ArrayLike | None = None


@dataclass(frozen=True)
class _Frames:
    """Pitch in cents (0 for none) and voicing, at times in s."""

    seconds: Floats
    cents: Floats
    voiced: Flags

    @classmethod
    def of(cls, track: Contour | PitchTrack, what: str) -> _Frames:
        """Check and convert; the first pitch also holds before its time."""
        if isinstance(track, PitchTrack):
            voicing = track.voiced.cpu().numpy()
            track = Contour(track.seconds, track.hz.cpu().numpy(), voicing)
        seconds, hz = (np.asarray(row, np.float64) for row in (track.seconds, track.hz))
        voiced = hz > 0 if track.voiced is None else np.asarray(track.voiced, bool)
        if not seconds.shape == hz.shape == voiced.shape or seconds.ndim != 1:
            shapes = ", ".join(str(row.shape) for row in (seconds, hz, voiced))
            raise ValueError(f"{what}: times, pitches and voicing are rows of one length: {shapes}")
        if not (np.isfinite(seconds).all() and np.isfinite(hz).all()):
            raise ValueError(f"{what}: a time or pitch is not finite; write 0 Hz for no pitch")
        if len(seconds) and (seconds[0] < 0 or (np.diff(seconds) <= 0).any()):
            raise ValueError(f"{what}: times rise from 0 or later")
        voiced = voiced & (hz != 0)
        cents = np.zeros(len(hz))
        cents[hz != 0] = OCTAVE * np.log2(np.abs(hz[hz != 0]) / BASE)
        if len(seconds) and seconds[0] > 0:
            seconds = np.concatenate([[0.0], seconds])
            cents, voiced = np.concatenate([cents[:1], cents]), np.concatenate([voiced[:1], voiced])
        return cls(seconds, cents, voiced)

    def at(self, seconds: Floats) -> _Frames:
        """The same at other times: pitch on a line between frames, voicing as in the frame before.

        After the last frame nothing is voiced.
        """
        if not len(self.seconds) or not len(seconds):
            return _Frames(seconds, np.zeros(len(seconds)), np.zeros(len(seconds), bool))
        if self.seconds.shape == seconds.shape and np.allclose(self.seconds, seconds):
            return self
        own, wanted = self.seconds.round(DIGITS), seconds.round(DIGITS)
        cents, voiced = self.cents, self.voiced
        if wanted[-1] > own[-1]:
            own = np.append(own, wanted[-1])
            cents, voiced = np.append(cents, 0.0), np.append(voiced, False)
        # A frame without pitch keeps that before it, so that no line leads down to 0.
        source = np.maximum.accumulate(np.where(cents != 0, np.arange(len(cents)), 0))
        before = np.searchsorted(own, wanted, side="right") - 1
        line = np.interp(wanted, own, cents[source])
        return _Frames(seconds, np.where(cents[before] != 0, line, 0.0), voiced[before])


@dataclass(frozen=True, eq=False)
class PitchAccuracy:
    """How many frames are right, of one recording or, added, of many.

    `voiced` and `unvoiced` frames are those of the truth. The figures of no frames at all are 0.

    >>> truth = Contour([0.00, 0.01, 0.02, 0.03], [220, 220, 220, 0])
    >>> found = Contour([0.00, 0.01, 0.02, 0.03], [221, 440, -220, 0])
    >>> accuracy = PitchAccuracy.of(truth, found)
    >>> accuracy.overall, accuracy.raw_pitch == 2 / 3, accuracy.raw_chroma
    (0.5, True, 1.0)
    >>> accuracy.octave_errors, round(accuracy.median_cents, 2)
    (1, 7.85)
    >>> (accuracy + accuracy).frames
    8
    """

    voiced: int
    unvoiced: int
    right_pitch: int
    """Voiced frames whose pitch, or guess of it, is right."""
    right_chroma: int
    """The same, in any octave."""
    found_voiced: int
    """Voiced frames that are taken for voiced."""
    false_voiced: int
    """Unvoiced frames that are taken for voiced."""
    octaves_up: int
    """Frames voiced in both that are right but for one octave or more above the truth."""
    octaves_down: int
    """The same below."""
    deviations: Floats
    """Of each frame that is voiced in both, and right, how far off it is in cents."""

    @classmethod
    def of(
        cls,
        truth: Contour | PitchTrack,
        found: Contour | PitchTrack,
        tolerance: float = TOLERANCE_CENTS,
    ) -> PitchAccuracy:
        """Compare at the times of the truth; raises ValueError for rows that do not fit.

        As in `mir_eval`, a truth that begins after 0 s gets one more frame there, and what was
        found at other times is brought to those of the truth: pitch on a line between frames,
        voicing as in the frame before.
        """
        true = _Frames.of(truth, "truth")
        made = _Frames.of(found, "found").at(true.seconds)
        off = made.cents - true.cents
        known = (true.cents != 0) & (made.cents != 0)
        right = known & (np.abs(off) < tolerance)
        octaves = np.floor(np.abs(off) / OCTAVE + 0.5) * OCTAVE
        chroma = known & (np.abs(np.abs(off) - octaves) < tolerance)
        both = true.voiced & made.voiced
        octave_off = both & chroma & ~right
        return cls(
            voiced=_count(true.voiced),
            unvoiced=_count(~true.voiced),
            right_pitch=_count(true.voiced & right),
            right_chroma=_count(true.voiced & chroma),
            found_voiced=_count(both),
            false_voiced=_count(~true.voiced & made.voiced),
            octaves_up=_count(octave_off & (off > 0)),
            octaves_down=_count(octave_off & (off < 0)),
            deviations=np.abs(off[both & right]),
        )

    def __add__(self, other: PitchAccuracy) -> PitchAccuracy:
        return PitchAccuracy(
            self.voiced + other.voiced,
            self.unvoiced + other.unvoiced,
            self.right_pitch + other.right_pitch,
            self.right_chroma + other.right_chroma,
            self.found_voiced + other.found_voiced,
            self.false_voiced + other.false_voiced,
            self.octaves_up + other.octaves_up,
            self.octaves_down + other.octaves_down,
            np.concatenate([self.deviations, other.deviations]),
        )

    @property
    def frames(self) -> int:
        return self.voiced + self.unvoiced

    @property
    def overall(self) -> float:
        """Overall accuracy: frames with the right pitch and voiced, or rightly unvoiced."""
        return _share(len(self.deviations) + self.unvoiced - self.false_voiced, self.frames)

    @property
    def raw_pitch(self) -> float:
        """Raw pitch accuracy: of the voiced frames, those with the right pitch or guess of it."""
        return _share(self.right_pitch, self.voiced)

    @property
    def raw_chroma(self) -> float:
        """Raw chroma accuracy: the same, in any octave."""
        return _share(self.right_chroma, self.voiced)

    @property
    def voicing_recall(self) -> float:
        """Of the voiced frames, those that are taken for voiced; 1 where none is voiced."""
        return _share(self.found_voiced, self.voiced, of_none=float(self.frames > 0))

    @property
    def voicing_false_alarm(self) -> float:
        """Of the unvoiced frames, those that are taken for voiced."""
        return _share(self.false_voiced, self.unvoiced)

    @property
    def median_cents(self) -> float:
        """The median distance from the true pitch, of frames voiced and right; nan of none."""
        return float(np.median(self.deviations)) if len(self.deviations) else float("nan")

    @property
    def octave_errors(self) -> int:
        """Frames voiced in both that are right but for the octave."""
        return self.octaves_up + self.octaves_down

    def __str__(self) -> str:
        return (
            f"{100 * self.overall:.1f} % of {self.frames} frames "
            f"(pitch {100 * self.raw_pitch:.1f} %, voicing {100 * self.voicing_recall:.1f} %, "
            f"false {100 * self.voicing_false_alarm:.1f} %)"
        )


def _count(row: Flags) -> int:
    return int(np.count_nonzero(row))


def _share(count: int, total: int, of_none: float = 0.0) -> float:
    return count / total if total else of_none
