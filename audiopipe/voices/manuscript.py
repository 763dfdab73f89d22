"""A text as it was written, on its way to a voice; and what is to be heard of it, in order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal, Protocol

from torch import Tensor

from audiopipe.errors import AudioError, Place, Problem
from audiopipe.signals import Segment
from audiopipe.text import Document, Lexicon, Sentence, markdown, plain, script, segments, ssml
from audiopipe.text.dialogue import Cue, Script
from audiopipe.text.errors import TextError, place
from audiopipe.text.front_matter import Music, Speaker
from audiopipe.text.sentence import Delivery
from audiopipe.text.source import front_matter
from audiopipe.units import Span

Form = Literal["plain", "markdown", "ssml"]
STOP = "stop"
"""What ends the music: `[music: stop]`."""

_READERS: dict[str, Callable[[str, str, str], Document]] = {
    "plain": lambda text, language, file: plain(text, language),
    "markdown": lambda text, language, file: markdown(text, language),
    "ssml": ssml,
}


class Sounds(Protocol):
    """Where the music of a script comes from."""

    def check(self, name: str) -> None:
        """Make sure that there is a sound of this name; raises AudioError."""

    def read(self, name: str, rate: int) -> Tensor:
        """The sound of this name, stereo [2, time], at a rate in Hz; raises AudioError."""


@dataclass(frozen=True)
class Manuscript(Segment):
    """A whole text: how it is written, the file that it is from, and the sounds beside it."""

    form: Form = "plain"
    file: str = "<text>"
    sounds: Sounds | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Line:
    """A sentence to be said, where it stands, and who says it."""

    sentence: Sentence
    place: Place
    stop: int
    """The end of it in the source."""
    language: str
    speaker: str | None = None
    gain: float = 0.0
    pan: float = 0.0


@dataclass(frozen=True)
class Rest:
    """Silence, in s."""

    seconds: Fraction


@dataclass(frozen=True)
class Jingle:
    """A sound that speech waits for."""

    name: str


@dataclass(frozen=True)
class Bed:
    """Music that begins and goes on under speech, until the next; None: it ends."""

    name: str | None
    gain: float
    fade: Span


@dataclass(frozen=True)
class Head:
    """A chapter begins."""

    title: str


@dataclass(frozen=True)
class Voices:
    """All voices that a script wants: one that is not there is told of before anything is said."""

    names: tuple[str, ...]


Part = Line | Rest | Jingle | Bed | Head | Voices


def is_script(manuscript: Manuscript, voices: Mapping[str, Speaker]) -> bool:
    """Whether names at the beginnings of lines are speakers: they are given voices.

    >>> is_script(Manuscript("---\\nvoices: {ANN: kathleen}\\n---\\nANN: Hello."), {})
    True
    """
    head = manuscript.text[: front_matter(manuscript.text)]
    told = re.search(r"^(?:voices|music)[^\S\n]*:", head, re.MULTILINE)
    return manuscript.form != "ssml" and (bool(voices) or told is not None)


def title(segment: Segment) -> str:
    """What the front matter of a script calls it."""
    head = segment.text[: front_matter(segment.text)]
    found = re.search(r"^title[^\S\n]*:[^\S\n]*(.+?)[^\S\n]*$", head, re.MULTILINE)
    return found[1].strip("\"'") if found else ""


def parts(
    segment: Segment,
    language: str,
    lexicon: Lexicon | None,
    voices: Mapping[str, Speaker],
    spoken: Callable[[str], str],
) -> Iterator[Part]:
    """What there is to be heard of a segment, sentence by sentence.

    `spoken` tells the language of a voice: what is said by a voice that the text names is in it,
    if the text names no language. Raises TextError where it is not what its form says, or its music
    is not there, and DefinitionError for front matter that is wrong.
    """
    written = segment if isinstance(segment, Manuscript) else Manuscript(segment.text)
    if is_script(written, voices):
        yield from _played(script(written.text, written.file, voices), written, lexicon, spoken)
        return
    document = _READERS[written.form](written.text, language, written.file)
    yield from _lines(_in_its_language(document, spoken), written, lexicon, segment.speaker)


def _in_its_language(document: Document, spoken: Callable[[str], str]) -> Document:
    """A document whose voices speak their own languages, where it does not say otherwise."""
    made: dict[Delivery, Delivery] = {}

    def told(way: Delivery) -> Delivery:
        if way.voice is None or way.language is not None:
            return way
        if way not in made:
            made[way] = replace(way, language=spoken(way.voice))
        return made[way]

    blocks = (
        replace(block, deliveries=tuple(map(told, block.deliveries))) for block in document.blocks
    )
    return replace(document, blocks=tuple(blocks))


def _lines(
    document: Document,
    written: Manuscript,
    lexicon: Lexicon | None,
    name: str | None,
    speaker: Speaker | None = None,
) -> Iterator[Line]:
    for sentence in segments(document, lexicon=lexicon):
        yield Line(
            sentence,
            place(written.text, sentence.start, written.file),
            sentence.stop,
            sentence.delivery.language or document.language,
            name,
            speaker.gain if speaker else 0.0,
            speaker.pan if speaker else 0.0,
        )


def _played(
    made: Script, written: Manuscript, lexicon: Lexicon | None, spoken: Callable[[str], str]
) -> Iterator[Part]:
    """A script: its music, its turns and its chapters."""
    music = made.music or Music()
    _check(made, music, written)
    yield Voices(tuple(dict.fromkeys(speaker.voice for speaker in made.speakers.values())))
    if made.lexicon is not None:
        lexicon = Lexicon.read(Path(written.file).parent / made.lexicon, made.language)
    if music.intro:
        yield Jingle(music.intro)
    if music.bed:
        yield Bed(music.bed, music.gain, music.fade)
    head = written.text[: front_matter(written.text)]
    whole = re.search(r"^language[^\S\n]*:", head, re.MULTILINE)
    chapters = list(made.chapters)
    for number, part in enumerate(made.parts):
        while chapters and chapters[0].first <= number:
            yield Head(chapters.pop(0).title)
        if isinstance(part, Cue):
            yield _cue(part, music, written)
        else:
            speaker = made.speakers.get(part.speaker or "")
            said = part.document if whole else _in_its_language(part.document, spoken)
            yield from _lines(said, written, lexicon, part.speaker, speaker)
    yield Bed(None, music.gain, music.fade)
    if music.outro:
        yield Jingle(music.outro)


def _cue(cue: Cue, music: Music, written: Manuscript) -> Part:
    if cue.kind == "jingle":
        return Jingle(cue.argument)
    if cue.kind == "music":
        name = None if cue.argument.lower() == STOP else cue.argument
        return Bed(name, music.gain, music.fade)
    try:
        return Rest(Span.parse(cue.argument).amount)
    except ValueError as error:
        raise TextError([Problem(str(error), _at(cue, written))]) from None


def _check(made: Script, music: Music, written: Manuscript) -> None:
    """Find all music that is not there, and pauses that are none, before anything is said."""
    problems: list[Problem] = []
    begin = Place(written.file, 1, 1)
    wanted = [(name, begin) for name in (music.intro, music.bed, music.outro) if name]
    for cue in (part for part in made.parts if isinstance(part, Cue)):
        if cue.kind == "pause":
            if not re.fullmatch(r"[\d.]+\s*(?:s|ms|min)", cue.argument):
                told = f"{cue.argument!r} is no pause; write 2 s, or 500 ms"
                problems.append(Problem(told, _at(cue, written)))
        elif not (cue.kind == "music" and cue.argument.lower() == STOP):
            wanted.append((cue.argument, _at(cue, written)))
    for name, where in wanted:
        try:
            if written.sounds is None:
                raise AudioError(name, "music is looked for beside the file of a script")
            written.sounds.check(name)
        except AudioError as error:
            problems.append(Problem(str(error), where))
    if problems:
        raise TextError(
            sorted(problems, key=lambda problem: problem.place.line if problem.place else 0)
        )


def _at(cue: Cue, written: Manuscript) -> Place:
    return place(written.text, cue.start, written.file)
