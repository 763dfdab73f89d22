"""Listen to what a voice says: no sentence is cut off, left out or silent without an error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from audiopipe.errors import Place, SpeechError
from audiopipe.text import Sentence
from audiopipe.voices.base import Manner, Piece

SHORTEST, LONGEST = 0.015, 0.6
"""Seconds for a phoneme at the usual rate. People need 0.05 to 0.2 on the average."""
ALLOWANCE = 1.0
"""Seconds by which a sentence may be longer, pauses aside."""
QUIETEST = -60.0
"""dB full scale; what is quieter on the average is silence, or as good as."""
WHISPER = -30.0
"""dB; where a text asks for less, silence is what it wants."""


@dataclass(frozen=True)
class Expected:
    """How long a sentence may take, in s of speech and in all."""

    shortest: float
    longest: float
    whole: float


def expected(sentence: Sentence, manner: Manner) -> Expected:
    """How long a sentence may take: what its phonemes need at the rate that is asked for.

    >>> from audiopipe.text import plain, segments
    >>> expected(next(segments(plain("Good morning."))), Manner(pause=0)).longest
    6.4
    """
    usual = sum(len(word.phonemes) / manner.of(word).rate for word in sentence)
    longest = round(LONGEST * usual + ALLOWANCE, 3)
    pauses = sum(manner.silence(word, 1000) for word in sentence) / 1000
    before = sentence.before.milliseconds / 1000
    # A voice has pauses of its own between words.
    return Expected(SHORTEST * usual, longest, 2 * longest + 2 * pauses + before)


def heard(
    pieces: Iterable[Piece], sentence: Sentence, manner: Manner, rate: int, place: Place
) -> Iterator[Piece]:
    """The pieces of a sentence, as they come.

    Raises SpeechError, which names the sentence, if a word has no sound, the sentence is silent or
    of a length that its phonemes cannot have, or a sample is no number.
    """
    bounds = expected(sentence, manner)
    waiting = {index for index, word in enumerate(sentence) if word.phonemes}
    loudest = max((manner.of(word).volume for word in sentence), default=0.0)
    samples = spoken = 0
    energy = 0.0
    for piece in pieces:
        if not bool(piece.samples.isfinite().all()):
            raise _error(place, sentence, "the voice made what is no number")
        samples += piece.samples.shape[-1]
        if samples > bounds.whole * rate:
            told = f"{samples / rate:.1f} s and no end, at most {bounds.whole:.1f} s are plausible"
            raise _error(place, sentence, told)
        energy += float(piece.samples.double().square().sum())
        for timing in piece.words:
            spoken += timing.stop - timing.start
            if timing.stop > timing.start:
                waiting.discard(timing.word)
        yield piece
    if waiting:
        lost = ", ".join(repr(sentence.words[index].written) for index in sorted(waiting))
        raise _error(place, sentence, f"the voice did not say {lost}")
    seconds = spoken / rate
    if not bounds.shortest <= seconds <= bounds.longest:
        told = f"{seconds:.2f} s of speech, where {bounds.shortest:.2f} to {bounds.longest:.1f} s"
        raise _error(place, sentence, f"{told} are plausible")
    if spoken and loudest > WHISPER and energy / spoken < 10 ** ((QUIETEST + loudest) / 10):
        raise _error(place, sentence, "the voice was silent")


def _error(place: Place, sentence: Sentence, why: str) -> SpeechError:
    return SpeechError(
        f"{place}: {why}, in {shortened(sentence.written)!r}; say it in other words, choose "
        "another voice, or report it"
    )


def shortened(text: str, length: int = 60) -> str:
    """The beginning of a text, for messages.

    >>> shortened("one two three", 9)
    'one two …'
    """
    if len(text) <= length:
        return text
    return text[: length - 1].rpartition(" ")[0].rstrip() + " …"
