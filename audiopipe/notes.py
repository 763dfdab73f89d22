"""From a pitch that wavers to notes that begin and end.

A voice has no notes: it glides into a pitch, circles around it, breaks off for a consonant.
What is written down is the simplest melody that explains it. So a pitch track is fitted by
steps (R. B. Potts' model; M. Storath, A. Weinmann & M. Unser, "Jump-penalized least absolute
values estimation of scalar or circle-valued signals", Information and Inference 6(3), 2017):

- A frame on a level pays how far its pitch is from that, at most `FAR`: one octave error is
  as bad as another, and is soon less bad than a note of its own.
- Every change of the level costs `CHANGE`. A vibrato pays less to waver around one level than
  to change twice in each of its periods; a semitone that is held for 125 ms pays more.
- A rest is a level too. What stays on a level though it is unvoiced pays so much that a gap of
  the length `gap` is worth the two changes of a rest; likewise a voiced frame in a rest, so
  that less than `shortest` is no note.

The cheapest steps are found by dynamic programming over levels `STEP` apart, and each frame is
decided a fixed number of frames later, whatever comes then and however frames were delivered;
from then on only paths that agree with it are followed. What is not held for `shortest` belongs
to the note that follows it, as the glide does by which a singer comes to it, or to none. The
pitch of a note is the median of its middle, and lies on no grid.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Frames = NDArray[np.int64]

LOWEST, HIGHEST = 0.0, 136.0
"""The levels in MIDI numbers: 8.2 Hz to 21 kHz."""
STEP = 0.2
"""Semitones between two levels."""
FAR = 2.5
"""Semitones from which on it does not matter how far."""
CHANGE = 0.07
"""What a change costs, in semitones times s: a semitone that was not followed for 70 ms."""
EDGES = 6
"""The share of a note at its beginning, and at its end, that does not count for its pitch."""
NEAR = 0.5
"""Semitones around the pitch of a note within which it has to be for as long as `shortest`."""
EQUAL = 1e-9
"""Costs that differ by less are equal: of two such paths, the one that changed earlier."""


@dataclass(frozen=True)
class Rules:
    """How notes are made; times in s, but for `lag`, which counts frames.

    `step` is the time from frame to frame.
    """

    step: float
    shortest: float
    gap: float
    lag: int

    @property
    def unvoiced(self) -> float:
        """What an unvoiced frame of a note costs."""
        return 2 * CHANGE / max(self.gap, self.step) * self.step

    @property
    def voiced(self) -> float:
        """What a voiced frame of a rest costs."""
        return 2 * CHANGE / max(self.shortest, self.step) * self.step


@dataclass(frozen=True)
class Sung:
    """A note from frame `start` to `stop`: its pitch in MIDI numbers, and how sure that is."""

    start: int
    stop: int
    pitch: float
    confidence: float


_LEVELS = np.arange(LOWEST, HIGHEST, STEP)
REST = len(_LEVELS)
"""The number of the level that is a rest."""


@dataclass
class Fit:
    """The state of one stream."""

    cost: Floats = field(default_factory=lambda: np.append(np.full(REST, CHANGE), 0.0))
    """[levels + 1]: of the cheapest path to each level at the latest frame."""
    since: Frames = field(default_factory=lambda: np.zeros(REST + 1, np.int64))
    """[levels + 1]: the frame at which that path came to the level."""
    best: list[tuple[int, int]] = field(default_factory=list)
    """For undecided frames: the level of the cheapest path, and since when."""
    pitch: list[float] = field(default_factory=list)
    """From `begun` on, the pitch of each frame, NaN for none."""
    confidence: list[float] = field(default_factory=list)
    begun: int = 0
    """The frame at which the stretch begins that is being decided."""
    rests: bool = True
    """Whether that is a rest."""
    decided: int = 0
    """How many frames are decided."""


def follow(fit: Fit, rules: Rules, pitch: Floats, confidence: Floats, last: bool) -> Iterator[Sung]:
    """Take the next frames' pitch in MIDI numbers, NaN where unvoiced; give notes that ended.

    >>> rules = Rules(step=0.01, shortest=0.06, gap=0.05, lag=30)
    >>> pitch = np.repeat([60.0, 62.0, np.nan, 62.1], 20)
    >>> [(n.start, n.stop, n.pitch) for n in follow(Fit(), rules, pitch, np.ones(80), last=True)]
    [(0, 20, 60.0), (20, 40, 62.0), (60, 80, 62.1)]
    """
    for number, sure in zip(pitch.tolist(), confidence.tolist(), strict=True):
        _step(fit, rules, number)
        fit.pitch.append(number)
        fit.confidence.append(sure)
        if len(fit.best) > rules.lag:
            yield from _decide(fit, rules, _path(fit))
    if last:
        path = _path(fit) if fit.best else []
        while fit.best:
            yield from _decide(fit, rules, path)
        yield from _note(fit, rules, fit.decided)


def _step(fit: Fit, rules: Rules, pitch: float) -> None:
    """Lengthen the cheapest path to each level by a frame."""
    now = fit.decided + len(fit.best)
    changed = fit.cost[_cheapest(fit)] + CHANGE
    change = fit.cost > changed + EQUAL
    fit.cost[change] = changed
    fit.since[change] = now
    if pitch == pitch:  # is a number
        away = np.abs(_LEVELS - min(max(pitch, LOWEST), HIGHEST))
        fit.cost[:REST] += np.minimum(away, FAR, out=away) * rules.step
        fit.cost[REST] += rules.voiced
    else:
        fit.cost[:REST] += rules.unvoiced
    level = _cheapest(fit)
    fit.cost -= fit.cost[level]
    fit.best.append((level, int(fit.since[level])))


def _cheapest(fit: Fit) -> int:
    return int(fit.cost.argmin())


def _path(fit: Fit) -> list[tuple[int, int]]:
    """The cheapest path now: its levels, each with the frame since when, from late to early."""
    level, since = fit.best[-1]
    path = [(level, since)]
    while since > fit.decided:
        level, since = fit.best[since - 1 - fit.decided]
        path.append((level, since))
    return path


def _decide(fit: Fit, rules: Rules, path: list[tuple[int, int]]) -> Iterator[Sung]:
    """Decide the next frame as the path has it, and drop the paths that have it otherwise."""
    now = fit.decided
    level, since = next(part for part in path if part[1] <= now)
    changes, rests = since == now, level == REST
    if changes and (rests or not _is_short(fit, rules)):
        yield from _note(fit, rules, now)
    # By the frame at which a path came to its last level, if that is later than this one.
    agrees: list[bool] = []
    for level, since in fit.best:
        same = (since == now) == changes and (level == REST) == rests
        agrees.append(same if since <= now else agrees[since - now - 1])
    same = (fit.since == now) == changes
    same[:REST] &= not rests
    same[REST] &= rests
    later = fit.since > now
    same[later] = np.array(agrees)[fit.since[later] - now - 1]
    fit.cost[~same] = np.inf
    fit.best.pop(0)
    fit.decided += 1
    fit.rests = rests
    if rests:
        del fit.pitch[0], fit.confidence[0]
        fit.begun = fit.decided


def _is_short(fit: Fit, rules: Rules) -> bool:
    """Whether what is voiced, up to the frame that is being decided, is too short for a note.

    What glides by does not count: only frames near the median do.
    """
    pitch = np.array(fit.pitch[: fit.decided - fit.begun])
    pitch = pitch[np.isfinite(pitch)]
    near = np.abs(pitch - np.median(pitch)) <= NEAR if len(pitch) else pitch
    return bool(near.sum() * rules.step < rules.shortest - EQUAL)


def _note(fit: Fit, rules: Rules, stop: int) -> Iterator[Sung]:
    """The note that ends here, if it is one."""
    if fit.rests:
        return
    short, count = _is_short(fit, rules), stop - fit.begun
    pitch, sure = np.array(fit.pitch[:count]), np.array(fit.confidence[:count])
    del fit.pitch[:count], fit.confidence[:count]
    if not short:
        voiced = np.isfinite(pitch).nonzero()[0]
        start = fit.begun + int(voiced[0])  # a gap between two notes belongs to neither
        middle = pitch[voiced[len(voiced) // EDGES : len(voiced) - len(voiced) // EDGES]]
        yield Sung(start, stop, float(np.median(middle)), float(sure[voiced].mean()))
    fit.begun = stop
