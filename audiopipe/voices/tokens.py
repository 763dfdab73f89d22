"""What of a sentence a voice's network is given: sounds, the joints of words, pauses, the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from audiopipe.errors import AudiopipeError
from audiopipe.text.phonemes import STRESS, inventory, is_vowel
from audiopipe.text.sentence import Sentence, Strength, Word

START, JOINT, PAUSE, END = "^", " ", ",", "."
"""The quiet before the first word, what is between two words (often nothing), a pause within a
sentence, and its end with the quiet behind it."""
MARKS = (START, JOINT, PAUSE, END)


class TokenError(AudiopipeError):
    """A voice has no token for a sound of a sentence."""


@dataclass(frozen=True)
class Tokens:
    """A sentence as a network is given it.

    `ids` int64 [n] count in the voice's labels; `owner` int64 [n] is the word of the sentence that
    a token is said for, by its place in `sentence.words`, and -1 for a quiet that belongs to none.
    """

    ids: Tensor
    owner: Tensor

    def __len__(self) -> int:
        return len(self.ids)


def labels(language: str) -> tuple[str, ...]:
    """All tokens of a language in the order of their ids: marks, then sounds; vowels stand there
    unstressed and with each stress.

    >>> labels("en")[:6], len(labels("en"))
    (('^', ' ', ',', '.', 'aɪ', 'aʊ'), 76)
    """
    sounds = sorted(inventory(language))
    stressed = [
        stress + sound for stress in STRESS for sound in sounds if is_vowel(sound, language)
    ]
    return (*MARKS, *sounds, *stressed)


def tokens(sentence: Sentence, names: Sequence[str]) -> Tokens:
    """The tokens of a sentence; `names` are the labels of the voice's card.

    It begins with START and ends with END, or with PAUSE if the sentence goes on in the next one.
    Between words stands PAUSE where the text has a pause of any depth, else JOINT. Words that have
    no sounds are left out. Raises TokenError for a sound that the voice does not have.

    >>> from audiopipe.text import plain, segments
    >>> names = labels("en")
    >>> said = tokens(next(segments(plain("Oh, no!"))), names)
    >>> [names[k] for k in said.ids.tolist()], said.owner.tolist()
    (['^', 'ˈoʊ', ',', 'n', 'ˈoʊ', '.'], [-1, 0, -1, 1, 1, -1])
    """
    number = {name: k for k, name in enumerate(names)}
    row, owner = [START], [-1]
    paused = False
    for place, word in enumerate(sentence.words):
        parts = [part.phonemes for part in word.spoken if part.phonemes]
        if parts and len(row) > 1:
            row.append(PAUSE if paused else JOINT)
            owner.append(-1)
            paused = False
        for turn, sounds in enumerate(parts):
            if turn:
                row.append(JOINT)
                owner.append(place)
            row += sounds
            owner += [place] * len(sounds)
        paused = paused or _pauses(word)
    row.append(PAUSE if sentence.continues else END)
    owner.append(-1)
    if lost := sorted(set(row) - number.keys()):
        raise TokenError(
            f"the voice has no sound {lost[0]!r}, which {sentence.written!r} needs; it has "
            + " ".join(name for name in names if name not in MARKS)
        )
    ids = torch.tensor([number[name] for name in row])
    return Tokens(ids, torch.tensor(owner))


def _pauses(word: Word) -> bool:
    return word.pause.strength > Strength.NONE or word.pause.milliseconds > 0
