"""How long each token of a sentence lasts, where silence is put in, and when each word is said."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from audiopipe.text import Sentence
from audiopipe.voices.base import Manner, Timing
from audiopipe.voices.tokens import Tokens

LEAD = 3.0
"""Frames of quiet before the first word, at most: 32 ms, so that sound begins early."""
QUIET = 0.25
"""Seconds of a pause that the network makes, with the room in it; the rest is silence."""
LEAST, LONGEST = 0.4, 1.5
"""How far a network may differ from the usual length of a pause within a sentence."""


@dataclass(frozen=True, eq=False)
class Schedule:
    """When what is said.

    `frames` int64 [n] is how long each token lasts, `owners` the word that each is said like.
    `silences` are samples of silence before a frame, `words` the times of words, silences counted.
    """

    frames: Tensor
    owners: tuple[int, ...]
    silences: tuple[tuple[int, int], ...]
    words: tuple[Timing, ...]


def schedule(
    sentence: Sentence, manner: Manner, made: Tokens, planned: Tensor, hop: int, rate: int
) -> Schedule:
    """Bring the lengths that a network planned, in frames [n], to the manner that is asked for.

    Sounds are scaled by the rate and rounded to whole frames without drift, each to one or more.
    Pauses have the length that the text states exactly, or the network's within bounds.
    """
    owner = made.owner.tolist()
    owners = _filled(owner)
    wanted = planned.double().tolist()
    silent: list[tuple[int, int]] = []
    for k, word in enumerate(owner):
        if word >= 0:
            wanted[k] = max(1.0, wanted[k] / manner.of(sentence.words[word]).rate)
        elif k == 0:
            wanted[k] = min(LEAD, wanted[k])
        else:
            wanted[k], extra = _quiet(sentence, manner, owner, k, wanted[k], hop, rate)
            silent += [(k, extra)] if extra else []
    edges = (torch.tensor([0.0, *wanted], dtype=torch.float64).cumsum(0) + 0.5).floor().long()
    frames = edges.diff()
    begin = edges.tolist()
    before = round(sentence.before.milliseconds * rate / 1000)
    silences = [(0, before)] if before else []
    # In the middle of a pause, so that the words around it end and begin as they do.
    last = len(owner) - 1
    silences += [
        (begin[k + 1] if k == last else (begin[k] + begin[k + 1]) // 2, extra)
        for k, extra in silent
    ]
    words = []
    for word in dict.fromkeys(each for each in owner if each >= 0):
        mine = [k for k, each in enumerate(owner) if each == word]
        start, stop = begin[mine[0]], begin[mine[-1] + 1]
        shift = sum(extra for frame, extra in silences if frame <= start)
        words.append(Timing(word, start * hop + shift, stop * hop + shift))
    return Schedule(frames, owners, tuple(silences), tuple(words))


def _filled(owner: list[int]) -> tuple[int, ...]:
    """The word that each token is said like: a quiet like the word before it."""
    filled = []
    current = next((word for word in owner if word >= 0), 0)
    for word in owner:
        current = word if word >= 0 else current
        filled.append(current)
    return tuple(filled)


def _quiet(
    sentence: Sentence,
    manner: Manner,
    owner: list[int],
    k: int,
    planned: float,
    hop: int,
    rate: int,
) -> tuple[float, int]:
    """Frames of a quiet between words or behind the last, and samples of silence besides."""
    following = next((word for word in owner[k + 1 :] if word >= 0), len(sentence))
    behind = sentence.words[owner[k - 1] : following]
    deepest = max(behind, key=lambda word: (word.pause.exact, manner.silence(word, rate)))
    samples = float(manner.silence(deepest, rate))
    if not deepest.pause.milliseconds:
        return planned / manner.of(behind[0]).rate, 0
    if not deepest.pause.exact and k < len(owner) - 1:
        usual = samples / hop
        samples = hop * min(max(planned * manner.pause, LEAST * usual), LONGEST * usual)
    most = QUIET * rate / hop
    frames = float(min(int(samples / hop), int(most)))
    exactly = deepest.pause.exact or samples / hop > most or k == len(owner) - 1
    return frames, round(samples - frames * hop) if exactly else 0
