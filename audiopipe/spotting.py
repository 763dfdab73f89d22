"""From scores to events: one event for a spoken word, when it has been spoken.

A network looks at a second of sound and scores what it hears. A word is in that second for
longer than it lasts, so that its scores are high many times over; while it enters and leaves,
other labels flicker. Three things make one event of it:

- Scores are averaged over a short while (G. Chen, C. Parada & G. Heigold, "Small-footprint
  keyword spotting using deep neural networks", ICASSP 2014).
- An event belongs to a stretch of sound: `latest_sound` finds the last one in the second by its
  level above what the room has. A word is decided when its sound has ended, or when it was the
  best for so long that it will not become another: until then "no" may still become "nine".
- A stretch gives one event. For another there has to be new sound: a word that is still in the
  window is not heard twice, but one that is said twice is.

Times are frames, of which a hop has several; a decision looks at what has been heard and at
nothing else, whatever the blocks were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

Floats = NDArray[np.float64]
Frames = NDArray[np.int64]

# Of sound, in dB and in frames of 10 ms.

FLOOR = 0.1
"""The share of a window in which a band has no more than the room's own level."""
DEPTH = 30.0
"""Decibels below the loudest frame at which a word's sound ends, where the room is quiet."""
SHARE = 0.3
"""The same, where it is not: of the way from the room's usual level to the loudest frame."""
LEAST = 3.0
"""Decibels that sound stands above the room's usual level, at the least."""
GAP = 14
"""Frames that a word may be silent in its middle, as before the t of "eight"."""
SHORTEST = 8
"""Frames that sound lasts, at the least, to be taken for a word and not for a click."""
LONGEST = 80
"""Frames that it lasts at the most: a longer stretch without a pause is talk, in which words that
sound like ours are many times more frequent than ours."""


def latest_sound(decibels: Tensor) -> tuple[Tensor, Tensor]:
    """Where the last stretch of sound in each window begins and ends.

    Windows [n, bands, frames] of log-mel spectra in dB; gives two [n] with the first frame of
    the stretch and the one after its last, both 0 where there is no sound.

    >>> word = torch.full((1, 40, 100), 20.0)
    >>> word[:, :, 30:70] = 60.0
    >>> latest_sound(word)
    (tensor([30]), tensor([70]))
    """
    frames, frame = decibels.shape[-1], torch.arange(decibels.shape[-1], device=decibels.device)
    # Before a stream begins there is no room: what the window has of it stands for the rest.
    first = (decibels.amax(1) <= 0).cumprod(-1).sum(-1, keepdim=True)
    begun = frame >= first
    stand_in = torch.where(begun, frame, first + frame % (frames - first).clamp_min(1))
    known = decibels.gather(-1, stand_in.clamp_max(frames - 1)[:, None].expand_as(decibels))
    room = known.kthvalue(max(1, round(FLOOR * frames)), dim=-1, keepdim=True).values
    # Squared, so that an s, which has few bands, counts as much as a vowel that is louder.
    level = (known - room).clamp_min(0).square().mean(1).sqrt()
    usual = level.kthvalue(max(1, round(2 * FLOOR * frames)), dim=-1, keepdim=True).values
    loudest = level.amax(-1, keepdim=True)
    above = (SHARE * (loudest - usual)).clamp_min(LEAST)
    line = torch.maximum(usual + above, loudest - DEPTH)
    sound = _opened(_closed(((level > line) & begun).to(decibels.dtype), GAP), SHORTEST) > 0
    stop = (sound * (frame + 1)).amax(-1)
    start = (~sound * (frame + 1) * (frame < stop[:, None])).amax(-1)
    return start, stop


def alone(decibels: Tensor, start: Tensor) -> Tensor:
    """The windows [n, bands, frames] without what was before the last stretch of sound.

    In its place is, over and over, the quiet that lies before `start` [n], so that the network
    hears one word after another and never two at a time.
    """
    frame = torch.arange(decibels.shape[-1], device=decibels.device)
    first = start[:, None]
    quiet = first - GAP + (frame - first) % GAP
    kept = torch.where((frame < first - GAP) & (first > GAP), quiet, frame)
    return decibels.gather(-1, kept[:, None].expand_as(decibels))


def _closed(flags: Tensor, gap: int) -> Tensor:
    """Flags [n, frames], 0 or 1, where gaps of at most `gap` frames are filled."""
    dilated = functional.max_pool1d(functional.pad(flags, (gap, gap)), gap + 1, stride=1)
    return -functional.max_pool1d(-dilated, gap + 1, stride=1)


def _opened(flags: Tensor, shortest: int) -> Tensor:
    """Flags [n, frames], 0 or 1, without stretches of fewer than `shortest` frames."""
    eroded = -functional.max_pool1d(-flags, shortest, stride=1)
    padded = functional.pad(eroded, (shortest - 1, shortest - 1))
    return functional.max_pool1d(padded, shortest, stride=1)


# Of decisions, in frames of 10 ms.

QUIET = 10
"""Frames of quiet after which a word has ended."""
PATIENCE = 30
"""Frames for which a word is the best, after which it is decided while the sound goes on."""
LAG = 30
"""Frames after the end of its sound by which a word is decided, or never."""
NEW = 20
"""Frames of sound without a pause after which another word may have followed."""


@dataclass(frozen=True, eq=False)
class Rules:
    """How events are made, times in frames.

    `thresholds` [labels] are infinite for labels that give none; `smoothing` counts scores;
    `refractory` is how long after a word the same one is taken for its echo; `window` is how
    long a word can still be heard.
    """

    thresholds: Floats
    hop: int
    smoothing: int
    refractory: int
    window: int


@dataclass(frozen=True)
class Event:
    """A word, by its number, from frame `start` to `stop`; `score` is its highest."""

    label: int
    start: int
    stop: int
    score: float


@dataclass
class Spotting:
    """The state of one stream."""

    recent: Floats
    """[smoothing, labels]: the latest scores of the stretch that is heard."""
    heard: int = 0
    """How many scores have come."""
    since: int = 0
    until: int = 0
    """The frames at which the latest stretch of sound begins and ends, as far as is known."""
    best: int = -1
    """The word above its threshold at the latest score, -1 for none."""
    held: int = 0
    """For how many scores it has been."""
    peak: float = 0.0
    """Its highest score in that time."""
    last: Event | None = None

    @classmethod
    def fresh(cls, rules: Rules) -> Spotting:
        return cls(np.zeros((rules.smoothing, len(rules.thresholds))))


def spot(
    state: Spotting, rules: Rules, scores: Floats, starts: Frames, stops: Frames
) -> Sequence[Event]:
    """Take the next scores [n, labels] and the latest sound in each of their windows, from
    `starts` to `stops` [n], counted from the beginning of the stream; give events.

    >>> rules = Rules(np.array([0.5, np.inf]), hop=5, smoothing=1, refractory=20, window=100)
    >>> scores = np.array([[0.1, 0.9], [0.8, 0.2], [0.9, 0.1], [0.9, 0.1]])
    >>> begins, ends = np.zeros(4, int), np.array([5, 8, 8, 8])
    >>> spot(Spotting.fresh(rules), rules, scores, begins, ends)
    [Event(label=0, start=0, stop=8, score=0.9)]
    """
    events = []
    for score, start, stop in zip(scores, starts.tolist(), stops.tolist(), strict=True):
        state.heard += 1
        if start < stop:
            if start >= state.until:  # what was heard before it says nothing about it
                state.recent[:] = 0.0
            elif start <= state.heard * rules.hop - rules.window:  # it began before the window
                start = min(start, state.since)
            state.since, state.until = start, stop
        state.recent[state.heard % rules.smoothing] = score
        _follow(state, rules)
        if state.held and (event := _decide(state, rules, start, stop)):
            state.last = event
            events.append(event)
    return events


def _follow(state: Spotting, rules: Rules) -> None:
    """Note which word is the best, and for how long."""
    smooth = state.recent.mean(0)
    best = int(np.where(smooth >= rules.thresholds, smooth, -1.0).argmax())
    if smooth[best] < rules.thresholds[best]:
        best = -1
    if best != state.best:
        state.best, state.held, state.peak = best, 0, 0.0
    if best >= 0:
        state.held += 1
        state.peak = max(state.peak, float(smooth[best]))


def _decide(state: Spotting, rules: Rules, start: int, stop: int) -> Event | None:
    """The event of the word that is the best, if it is new and will not become another."""
    now, last = state.heard * rules.hop, state.last
    if last is not None:
        if not _is_new(last, state.best, rules, start, stop, now):
            return None
        start = max(start, last.stop)
    ended = QUIET <= now - stop <= LAG
    settled = state.held * rules.hop >= PATIENCE and now - stop < QUIET
    if not SHORTEST <= stop - start <= LONGEST or not (ended or settled):
        return None
    return Event(state.best, start, stop, state.peak)


def _is_new(last: Event, label: int, rules: Rules, start: int, stop: int, now: int) -> bool:
    """Whether there is sound after the last event that may be this word."""
    if label == last.label and stop - last.stop < rules.refractory:
        return False
    if start >= last.stop:
        return True
    # The sound has gone on: the same word is the same one until it has left the window.
    return stop - last.stop >= NEW and (label != last.label or now - last.stop >= rules.window)
