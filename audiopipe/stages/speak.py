"""Say a text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import torch
from pydantic import Field

from audiopipe.errors import SpeechError
from audiopipe.signals import Audio, Segment, Signal, Text
from audiopipe.stage import Reach, Stage, Stateful
from audiopipe.text import Lexicon, TextError
from audiopipe.units import Decibels
from audiopipe.voices.base import RATE, Manner
from audiopipe.voices.cast import Cast
from audiopipe.voices.hearing import heard
from audiopipe.voices.manuscript import Line, Manuscript, lines

MODEL = "kathleen"
"""The voice that comes with audiopipe."""
TOLD = 5
"""Words without sounds that are named; of more, their number is told."""


@dataclass
class Speaking:
    """How far a stream has come: samples and sentences given, and words that have no sounds."""

    samples: int = 0
    sentences: int = 0
    segments: int = 0
    file: str = ""
    mute: list[str] = field(default_factory=list)


class Speak(Stateful):
    """Say a text: plain, Markdown or SSML becomes sound, sentence by sentence.

    Text becomes Audio [1, time] at 24 kHz; the port `words` has every word with its times, for
    subtitles. Each sentence is said on its own, a long one in clauses, and comes out in pieces
    while the rest is being made. Pauses follow punctuation, paragraphs and headings, and `<break>`
    of SSML to the millisecond.

    Nothing is left out: a sentence that comes out silent, cut off or too long for its phonemes is
    an error that names it. Words that the language has no sounds for, as Chinese in an English
    text, are reported as warnings.
    """

    name = "speak"
    takes = Text
    retimes = True
    heavy = True

    voice: str = MODEL
    """Who speaks: the name of a voice, or the folder of one; see `audiopipe speak --list-voices`.
    """
    rate: Annotated[float, Field(ge=0.25, le=4)] = 1.0
    """Speed: 2 is twice as fast. Pauses between sentences keep their length."""
    pitch: Annotated[float, Field(ge=-12, le=12)] = 0.0
    """Semitones above the voice's own pitch."""
    energy: Annotated[Decibels, Field(ge=-12, le=12)] = 0.0
    """How much louder than usual the voice speaks: the effort, not a gain."""
    pause: Annotated[float, Field(ge=0, le=5)] = 1.0
    """How long pauses are, against the usual; those that SSML states keep their length."""
    language: str | None = None
    """`en` or `de`; none means the voice's."""
    seed: Annotated[int, Field(ge=0)] = 0
    """What voices that draw random numbers draw them from."""
    lexicon: str | None = None
    """A YAML file of `word: /IPA/` or `word: how it is said`, for names and terms."""

    @property
    def models(self) -> Sequence[str]:
        return (self.voice,)

    @property
    def comment(self) -> str:
        return f"Synthetic speech: audiopipe, voice {Path(self.voice).name}"

    def output(self, source: Text) -> Mapping[str, Signal]:
        return {"": Audio.empty(RATE, 1), "words": Text((), RATE)}

    def reach(self, source: Text) -> Reach:
        return Reach(behind=0, ahead=0, latency=0)

    def load(self, source: Text, device: torch.device, dtype: torch.dtype) -> Cast:
        cast = Cast(device)
        language = self.language or cast.voice(self.voice).language
        cast.lexicon = Lexicon.read(Path(self.lexicon), language) if self.lexicon else None
        return cast

    def start(self, model: Cast, sources: Sequence[Text]) -> Speaking:
        return Speaking()

    def step(
        self, model: Cast, state: Speaking, blocks: Sequence[Text], last: bool
    ) -> Iterator[tuple[Audio, Text]]:
        (block,) = blocks
        language = self.language or model.voice(self.voice).language
        for segment in block.segments:
            state.file = segment.file if isinstance(segment, Manuscript) else "the text"
            for line in lines(segment, language, model.lexicon):
                yield from self._say(line, model, state)
        state.segments += len(block)
        if last and state.segments and not state.sentences:
            if state.mute:
                raise SpeechError(f"{state.file}: nothing of it has sounds: {_named(state.mute)}")
            raise TextError(f"{state.file}: there is nothing to say: it has no words")

    def _say(self, line: Line, model: Cast, state: Speaking) -> Iterator[tuple[Audio, Text]]:
        sentence = line.sentence
        state.mute += [word.written for word in sentence if not word.phonemes]
        if not sentence.phonemes:
            return
        voice = model.voice(sentence.delivery.voice or self.voice)
        spoken = sentence.delivery.language or self.language or voice.language
        if spoken.split("-")[0] != voice.language:
            raise TextError(
                f"{line.place}: {voice.name!r} speaks {voice.language}, and this is {spoken}; "
                "name a voice that speaks it, or leave out the language"
            )
        state.sentences += 1
        manner = Manner(self.rate, self.pitch, self.energy, 0.0, self.pause, self.seed)
        begin = state.samples
        pieces = voice.say(sentence, manner)
        for piece in heard(pieces, sentence, manner, voice.rate, line.place):
            model.audience.hear(line, piece)
            audio = Audio(piece.samples, RATE, state.samples)
            state.samples += len(audio)
            words = [
                Segment(
                    sentence.words[timing.word].written + sentence.words[timing.word].mark,
                    begin + timing.start,
                    begin + timing.stop,
                    line.speaker,
                )
                for timing in piece.words
            ]
            yield audio, Text(tuple(words), RATE)
        model.audience.end(line)

    def warnings(self, state: Speaking) -> Sequence[str]:
        if not state.mute:
            return ()
        return (f"not said, as the language has no sounds for it: {_named(state.mute)}",)

    @classmethod
    def examples(cls) -> Sequence[Stage]:
        return (cls(), cls(rate=1.2, pitch=-2.0, lexicon="words.yaml"))


def _named(words: Sequence[str]) -> str:
    told = ", ".join(map(repr, list(dict.fromkeys(words))[:TOLD]))
    return f"{told} and others ({len(words)} in all)" if len(set(words)) > TOLD else told
