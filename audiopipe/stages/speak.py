"""Say a text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import cos, pi, sin
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor

from audiopipe.consent import Consent, no_consent, read_consent
from audiopipe.disclosure import disclosure
from audiopipe.signals import About, Audio, Segment, Signal, Text
from audiopipe.stage import Reach, Stage, Stateful
from audiopipe.text import Lexicon, TextError
from audiopipe.text.front_matter import Speaker
from audiopipe.text.language import prepare
from audiopipe.units import Decibels
from audiopipe.voices import music as music_of_scripts
from audiopipe.voices.base import RATE, Manner
from audiopipe.voices.cast import Cast
from audiopipe.voices.hearing import heard
from audiopipe.voices.manuscript import (
    Bed,
    Head,
    Line,
    Manuscript,
    Part,
    Rest,
    Sounds,
    Voices,
    parts,
    title,
)

MODEL = "kathleen"
"""The voice that comes with audiopipe."""
LIFT = 12.0
"""dB by which a bed is louder without speech than with it: what `duck` turns it down."""
Given = tuple[Audio, Text, Audio]
"""Speech, the words that end in it, and music."""
TOLD = 5
"""Words without sounds that are named; of more, their number is told."""


@dataclass
class Speaking:
    """How far a stream has come: samples and sentences given, and words that have no sounds."""

    samples: int = 0
    sentences: int = 0
    segments: int = 0
    file: str = ""
    title: str = ""
    chapters: list[Segment] = field(default_factory=list)
    score: music_of_scripts.Score = field(default_factory=music_of_scripts.Score)
    mute: list[str] = field(default_factory=list)
    told: tuple[str, ...] = ()


class Speak(Stateful):
    """Say a text: plain, Markdown or SSML becomes sound, sentence by sentence.

    Text becomes Audio [channels, time] at 24 kHz; the port `words` has every word with its times,
    for subtitles. Each sentence is said on its own, a long one in clauses, and comes out in pieces
    while the rest is being made. Pauses follow punctuation, paragraphs and headings, and `<break>`
    of SSML to the millisecond.

    Nothing is left out: a sentence that comes out silent, cut off or too long for its phonemes is
    an error that names it. Words that the language has no sounds for, as Chinese in an English
    text, are reported as warnings.

    A text whose front matter gives `voices`, or with the option of that name, is a script: lines
    such as `HOST: Hello.` are said by the voice of the name. Headings are its chapters. The port
    `music`, 48 kHz stereo, has its jingles, for which speech waits, and its bed, which `duck` is
    to turn down under speech: with `depth: 12 dB` it has the script's `gain` there.
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
    voices: Mapping[str, Speaker] = {}
    """Who speaks the lines of a name, in a script: `HOST: kathleen`, or a mapping of `voice`,
    `gain`, `pan`, `rate`, `pitch`, `language`. Those of its front matter come first."""
    channels: Literal[1, 2] = 1
    """1, or 2: in stereo each speaker has a place between left and right."""
    reference: str | None = None
    """A recording of the voice to speak in, for voices of coqui-tts that can (XTTS, YourTTS)."""
    consent: str | None = None
    """The record of consent to that, made by `audiopipe consent new`."""

    @model_validator(mode="after")
    def _agreed(self) -> Speak:
        if self.reference and not self.consent:
            raise ValueError(no_consent(self.reference))
        if self.consent and not self.reference:
            raise ValueError("consent is to a reference, and none is named; leave it out")
        return self

    @property
    def models(self) -> Sequence[str]:
        return tuple(dict.fromkeys([self.voice, *(each.voice for each in self.voices.values())]))

    @property
    def files(self) -> Sequence[str]:
        return tuple(filter(None, (self.lexicon, self.reference, self.consent)))

    @property
    def comment(self) -> str:
        agreed = "; ".join(consent.summary for consent in self.consents)
        return disclosure(" and ".join(Path(voice).name for voice in self.models), agreed)

    @property
    def consents(self) -> Sequence[Consent]:
        return (read_consent(self.consent),) if self.consent else ()

    def output(self, source: Text) -> Mapping[str, Signal]:
        speech = Audio.empty(RATE, self.channels)
        music = Audio.empty(music_of_scripts.RATE, music_of_scripts.CHANNELS)
        return {"": speech, "words": Text((), RATE), "music": music}

    def reach(self, source: Text) -> Reach:
        return Reach(behind=0, ahead=0, latency=0)

    def load(self, source: Text, device: torch.device, dtype: torch.dtype) -> Cast:
        heard = None
        if self.reference and self.consent:
            from audiopipe.cloning.heard import Heard  # what it needs takes long to import

            heard = Heard(self.reference, self.consent)
        cast = Cast(device, heard=heard)
        language = self.language or cast.voice(self.voice).language
        prepare(language)
        cast.lexicon = Lexicon.read(Path(self.lexicon), language) if self.lexicon else None
        return cast

    def start(self, model: Cast, sources: Sequence[Text]) -> Speaking:
        return Speaking(told=model.heard.told if model.heard else ())

    def step(
        self, model: Cast, state: Speaking, blocks: Sequence[Text], last: bool
    ) -> Iterator[Given]:
        (block,) = blocks
        language = self.language or model.voice(self.voice).language
        for segment in block.segments:
            state.file = segment.file if isinstance(segment, Manuscript) else "the text"
            state.title = state.title or title(segment)
            sounds = segment.sounds if isinstance(segment, Manuscript) else None
            for part in parts(segment, language, model.lexicon, self.voices, model.language):
                yield from self._play(part, sounds, model, state)
            left = -(-state.score.fading * RATE // music_of_scripts.RATE)
            yield from self._silence(left, state)
        state.segments += len(block)
        if last and state.segments and not state.sentences:
            if state.mute:
                told = f"{state.file}: nothing of it has sounds in the language of the voice"
                raise TextError(f"{told}: {_named(state.mute)}; `--list-voices` tells of others")
            raise TextError(f"{state.file}: there is nothing to say: it has no words")

    def _play(
        self, part: Part, sounds: Sounds | None, model: Cast, state: Speaking
    ) -> Iterator[Given]:
        if isinstance(part, Line):
            yield from self._say(part, model, state)
        elif isinstance(part, Voices):
            for name in part.names:
                model.voice(name)
        elif isinstance(part, Rest):
            yield from self._silence(round(part.seconds * RATE), state)
        elif isinstance(part, Head):
            state.chapters.append(Segment(part.title, state.samples))
        else:
            wanted = None
            if part.name is not None:
                assert sounds is not None  # looked for when the script was read
                wanted = sounds.read(part.name, music_of_scripts.RATE)
            if isinstance(part, Bed):
                level = 10 ** ((part.gain + LIFT) / 20)
                state.score.bed(wanted, level, part.fade.samples(music_of_scripts.RATE))
            else:
                assert wanted is not None
                state.score.add(wanted)
                yield from self._silence(-(-wanted.shape[1] * RATE // music_of_scripts.RATE), state)

    def _say(self, line: Line, model: Cast, state: Speaking) -> Iterator[Given]:
        sentence = line.sentence
        state.mute += [word.written for word in sentence if not word.phonemes]
        if not sentence.phonemes:
            return
        voice = model.voice(sentence.delivery.voice or self.voice)
        if line.language.split("-")[0] != voice.language:
            raise TextError(
                f"{line.place}: {voice.name!r} speaks {voice.language}, and this is "
                f"{line.language}; name a voice that speaks it, or leave out the language"
            )
        state.sentences += 1
        manner = Manner(
            rate=self.rate,
            pitch=self.pitch,
            energy=self.energy,
            pause=self.pause,
            seed=self.seed,
            early=model.early,
        )
        begin = state.samples
        pieces = voice.say(sentence, manner)
        for piece in heard(pieces, sentence, manner, voice.rate, line.place):
            model.audience.hear(line, piece)
            words = [
                Segment(
                    sentence.words[timing.word].shown,
                    begin + timing.start,
                    begin + timing.stop,
                    line.speaker,
                )
                for timing in piece.words
            ]
            yield self._given(piece.samples * self._gains(line), words, state)
        model.audience.end(line)

    def _gains(self, line: Line) -> Tensor:
        """The gain of each channel: pan at constant power, 3 dB down in the middle."""
        gain = 10 ** (line.gain / 20)
        if self.channels == 1:
            return torch.tensor([[gain]])
        angle = (line.pan + 1) * pi / 4
        return gain * torch.tensor([[cos(angle)], [sin(angle)]])

    def _silence(self, samples: int, state: Speaking) -> Iterator[Given]:
        """Silence of the voices, second by second."""
        while samples > 0:
            size = min(RATE, samples)
            samples -= size
            yield self._given(torch.zeros(self.channels, size), [], state)

    def _given(self, samples: Tensor, words: list[Segment], state: Speaking) -> Given:
        """The next stretch of all ports."""
        speech = Audio(samples, RATE, state.samples)
        scale = music_of_scripts.RATE // RATE
        music = state.score.next(len(speech) * scale)
        start = state.samples * scale
        state.samples += len(speech)
        return speech, Text(tuple(words), RATE), Audio(music, music_of_scripts.RATE, start)

    def about(self, state: Speaking) -> About:
        stops = [*(chapter.start for chapter in state.chapters[1:]), state.samples]
        chapters = [
            replace(chapter, stop=stop)
            for chapter, stop in zip(state.chapters, stops, strict=False)
        ]
        return About(title=state.title, chapters=tuple(chapters), rate=RATE)

    def warnings(self, state: Speaking) -> Sequence[str]:
        if not state.mute:
            return state.told
        told = f"not said, as the language has no sounds for it: {_named(state.mute)}"
        return (*state.told, told)

    @classmethod
    def examples(cls) -> Sequence[Stage]:
        return (cls(), cls(rate=1.2, pitch=-2.0, lexicon="words.yaml"))


def _named(words: Sequence[str]) -> str:
    told = ", ".join(map(repr, list(dict.fromkeys(words))[:TOLD]))
    return f"{told} and others ({len(words)} in all)" if len(set(words)) > TOLD else told
