"""The best path through candidates over time, decided a fixed time later.

A pitch tracker finds several candidates a frame, and cannot know from one frame alone which
is right, or whether any is. The best path is the one whose candidates are good and whose
steps are small (A. J. Viterbi, "Error bounds for convolutional codes", IEEE Trans. Inf.
Theory 13(2), 1967; the costs are those of P. Boersma, "Accurate short-term analysis of the
fundamental frequency", IFA Proceedings 17, 1993). With a fixed lag the decision for frame t
is the best path's over frames 0 … t + lag, whatever comes later: it does not depend on how
the frames were delivered. With a lag as long as the recording it is the best path of all.

States of a frame: its K candidates, and one more, unvoiced, which is number K.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
States = NDArray[np.intp]

AT_ONCE = 1024
"""Frames whose transitions are held in memory at the same time."""


@dataclass(frozen=True)
class Costs:
    """What a path pays, in the unit of the candidates' own cost."""

    unvoiced: float
    """A frame in which no candidate is taken."""
    switch: float
    """A step between voiced and unvoiced."""
    jump: float
    """A step of one octave."""


@dataclass
class Path:
    """The state of one stream."""

    octaves: Floats
    """[K]: the latest frame's candidates, as log2 of their frequency."""
    score: Floats
    """[K + 1]: the cost of the best path to each state of the latest frame."""
    pointers: States
    """[held, K + 1]: for undecided frames and each of their states, the best state before."""
    frames: int = 0
    """How many frames have come."""

    @classmethod
    def fresh(cls, candidates: int) -> Path:
        states = candidates + 1
        return cls(np.zeros(candidates), np.zeros(states), np.zeros((0, states), np.intp))


def decide(path: Path, octaves: Floats, cost: Floats, costs: Costs, lag: int, last: bool) -> States:
    """Take the next frames' candidates, log2 frequency and cost [frames, K]; decide frames.

    Gives the states of the next undecided frames: after n frames in all, n - lag have been
    decided, and all of them once `last` is said.

    >>> octaves, cost = np.log2([[100.0, 200], [99, 198], [101, 202]]), np.ones((3, 2))
    >>> cost[[0, 1, 2], [0, 1, 0]] = 0.1  # the second frame looks an octave higher
    >>> costs = Costs(unvoiced=2.0, switch=1.0, jump=1.0)
    >>> decide(Path.fresh(2), octaves, cost, costs, lag=0, last=True)
    array([0, 0, 0])
    """
    count, candidates = cost.shape
    pointers = np.empty((count, candidates + 1), np.intp)
    best = np.empty(count, np.intp)
    own = np.concatenate([cost, np.full((count, 1), costs.unvoiced)], axis=1)
    for begin in range(0, count, AT_ONCE):
        end = min(count, begin + AT_ONCE)
        before = np.concatenate([path.octaves[None], octaves[begin : end - 1]])
        steps = np.full((end - begin, candidates + 1, candidates + 1), costs.switch)
        steps[:, :-1, :-1] = np.abs(octaves[begin:end, :, None] - before[:, None, :])
        steps[:, :-1, :-1] *= costs.jump
        steps[:, -1, -1] = 0.0
        if path.frames == 0:
            steps[0] = 0.0
        _forward(path, steps, own[begin:end], pointers[begin:end], best[begin:end])
        path.octaves = octaves[end - 1].copy()
        path.frames += end - begin
    return _backward(path, pointers, best, lag, last)


def _forward(path: Path, steps: Floats, own: Floats, pointers: States, best: States) -> None:
    """Fill in the pointers and the best state of each frame: the only loop over time."""
    score, states = path.score, np.arange(own.shape[1])
    for step, cost, pointer, number in zip(steps, own, pointers, range(len(best)), strict=True):
        total = step + score  # [to, from]
        total.argmin(1, out=pointer)
        score = total[states, pointer]
        score += cost
        best[number] = state = score.argmin()
        score -= score[state]
    path.score = score


def _backward(path: Path, pointers: States, best: States, lag: int, last: bool) -> States:
    """Follow the pointers, `lag` frames back from each new frame, for all frames at once."""
    held = np.concatenate([path.pointers, pointers])
    new = np.arange(len(held) - len(best), len(held))  # where the new frames are in `held`
    reaching = new >= lag
    state, at = best[reaching], new[reaching]
    for _ in range(lag):
        state = held[at, state]
        at = at - 1
    if last:
        rest = min(lag, len(held))
        tail = np.empty(rest, np.intp)
        at_end = int(path.score.argmin())
        for position in range(rest):
            tail[rest - 1 - position] = at_end
            at_end = int(held[len(held) - 1 - position, at_end])
        state = np.concatenate([state, tail])
    path.pointers = held[len(held) - min(lag, len(held)) :].copy()
    return state
