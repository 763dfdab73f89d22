"""Scripts: who says what, in which chapter, and when there is music."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from audiopipe.errors import Problem, did_you_mean
from audiopipe.text.commonmark import markdown
from audiopipe.text.errors import TextError, place
from audiopipe.text.front_matter import FrontMatter, Music, Speaker, read
from audiopipe.text.sentence import Delivery, Emphasis
from audiopipe.text.source import Document, Skip


@dataclass(frozen=True)
class Turn:
    """What a speaker says at once; its places are those in the script.

    `speaker` is None for text before the first name: the narrator.
    """

    speaker: str | None
    document: Document
    chapter: int | None = None
    """Which of the script's chapters it is in."""


@dataclass(frozen=True)
class Chapter:
    """A heading, and the number of the first turn or cue behind it."""

    title: str
    level: int
    first: int
    start: int
    """Where the heading stands in the source."""


@dataclass(frozen=True)
class Cue:
    """A line such as `[jingle: intro.wav]`, `[music: bed.mp3]`, `[music: stop]`, `[pause: 2 s]`."""

    kind: Literal["jingle", "music", "pause"]
    argument: str
    start: int
    chapter: int | None = None


@dataclass(frozen=True)
class Script:
    """A script as data: turns and cues in their order, chapters, and the front matter."""

    source: str
    title: str
    language: str
    speakers: dict[str, Speaker]
    music: Music | None
    lexicon: str | None
    parts: tuple[Turn | Cue, ...]
    chapters: tuple[Chapter, ...]
    skipped: tuple[Skip, ...]
    """Front matter, names, headings and cues; what turns skip themselves is in their documents."""

    @property
    def turns(self) -> tuple[Turn, ...]:
        """What is spoken, without the cues."""
        return tuple(part for part in self.parts if isinstance(part, Turn))


_LINE = re.compile(r"[^\n]*\n?")
_HEADING = re.compile(r"(#{1,6})[^\S\n]+(.*?)[^\S\n]*#*[^\S\n]*\n?$")
_NAME = re.compile(r"(?:\*\*)?([^\W\d_][^:\n*]{0,39}?)[^\S\n]*(?::\*\*|\*\*:|:)(?=\s|$)")
_CUE = re.compile(r"\[([a-zA-Z]+)(?::[^\S\n]*([^\]\n]*))?\][^\S\n]*\n?$")
_CUES = ("jingle", "music", "pause")


def script(
    text: str, file: str = "<script>", voices: Mapping[str, Speaker] | None = None
) -> Script:
    """Read a script: `HOST: …` begins a turn, headings are chapters, front matter names voices.

    `voices` are those of names that the front matter gives none. A turn goes on until the next
    name, heading or cue, and is Markdown. A name is in capitals or one that is given a voice. Where
    voices are given, every name needs one. Raises TextError, or DefinitionError for the front
    matter, with all that is wrong and its places.

    >>> made = script("# Hello\\nHOST: Welcome!\\nGUEST: Thank *you*.")
    >>> [(turn.speaker, turn.document.blocks[0].text) for turn in made.turns]
    [('HOST', 'Welcome!'), ('GUEST', 'Thank you.')]
    """
    head, begin = read(text, file)
    if voices:
        head = head.model_copy(update={"voices": {**voices, **head.voices}})
    reader = _Reader(text, file, head)
    reader.skipped += [Skip(0, begin, "front matter")] if begin else []
    reader.read(begin)
    if not reader.problems and not any(isinstance(part, Turn) for part in reader.parts):
        reader.problems.append(Problem(f"{file}: nobody says anything; write lines as HOST: Hello"))
    if reader.problems:
        raise TextError(reader.problems)
    speakers = dict(head.voices)
    return Script(
        text,
        head.title,
        head.language,
        speakers,
        head.music,
        head.lexicon,
        tuple(reader.parts),
        tuple(reader.chapters),
        tuple(reader.skipped),
    )


@dataclass
class _Reader:
    source: str
    file: str
    head: FrontMatter
    parts: list[Turn | Cue] = field(default_factory=list)
    chapters: list[Chapter] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    speaker: str | None = None
    _begin: int = 0

    def read(self, begin: int) -> None:
        self._begin = begin
        for start, line in self._lines(begin):
            name = self._name(line)
            if heading := _HEADING.match(line):
                self._heading(heading, start)
            elif cue := _CUE.match(line):
                self._cue(cue, start)
            elif name is not None:
                self._turn(start)
                self.speaker = name[1]
                self.skipped.append(Skip(start, start + name.end(), "name"))
                self._begin = start + name.end()
        self._turn(len(self.source))

    def _lines(self, begin: int) -> Iterator[tuple[int, str]]:
        """Lines outside of blocks of code."""
        fence = ""
        for match in _LINE.finditer(self.source, begin):
            marks = re.match(r"\s{0,3}(```+|~~~+)", match[0])
            if marks and (not fence or marks[1].startswith(fence)):
                fence = "" if fence else marks[1]
            elif match[0] and not fence:
                yield match.start(), match[0]

    def _name(self, line: str) -> re.Match[str] | None:
        match = _NAME.match(line)
        if match is None or not (match[1].isupper() or match[1] in self.head.voices):
            return None
        return match

    def _heading(self, match: re.Match[str], start: int) -> None:
        self._turn(start)
        # A title may have emphasis and links in it, as a heading of Markdown has.
        blocks = markdown(match[0]).blocks
        title = blocks[0].text if blocks else ""
        self.chapters.append(Chapter(title, len(match[1]), len(self.parts), start))
        self.skipped.append(Skip(start, start + match.end(), "chapter"))
        self._begin = start + match.end()

    def _cue(self, match: re.Match[str], start: int) -> None:
        self._turn(start)
        kind = match[1].lower()
        if kind not in _CUES:
            hint = did_you_mean(kind, _CUES)
            self._problem(f"the cue {match[0].strip()!r} is not known; {hint}", start)
        elif not (match[2] or "").strip():
            self._problem(f"{match[0].strip()!r} needs what is meant: [{kind}: …]", start)
        else:
            self.parts.append(Cue(kind, match[2].strip(), start, self._chapter))  # type: ignore[arg-type]
        self.skipped.append(Skip(start, start + match.end(), "cue"))
        self._begin = start + match.end()

    @property
    def _chapter(self) -> int | None:
        return len(self.chapters) - 1 if self.chapters else None

    def _problem(self, message: str, at: int) -> None:
        self.problems.append(Problem(message, place(self.source, at, self.file)))

    def _turn(self, stop: int) -> None:
        text = self.source[self._begin : stop]
        named = (
            self.skipped and self.skipped[-1].why == "name" and self.skipped[-1].stop == self._begin
        )
        if not text.strip():
            if named:
                where = self.skipped[-1].start
                self._problem(f"{self.speaker!r} says nothing; write it behind the colon", where)
            return
        voices = self.head.voices
        if named and voices and self.speaker not in voices:
            cure = did_you_mean(self.speaker or "", voices)
            where = self.skipped[-1].start
            message = f"{self.speaker!r} has no voice in the front matter; {cure}"
            self._problem(f"{message} (a line that is no name begins with a backslash)", where)
            return
        self.parts.append(Turn(self.speaker, self._document(text), self._chapter))

    def _document(self, text: str) -> Document:
        """The Markdown of a turn, with places in the script and the speaker's way to talk."""
        made = markdown(text, self.head.language)
        shift = self._begin
        speaker = self.head.voices.get(self.speaker or "")
        usual = (
            Delivery()
            if speaker is None
            else Delivery(
                voice=speaker.voice,
                language=speaker.language,
                rate=speaker.rate,
                pitch=speaker.pitch,
            )
        )
        # One for each emphasis, and not for each letter: a script is read before it is heard.
        ways = {emphasis: replace(usual, emphasis=emphasis) for emphasis in get_args(Emphasis)}
        blocks = tuple(
            replace(
                block,
                starts=tuple(at + shift for at in block.starts),
                stops=tuple(at + shift for at in block.stops),
                deliveries=tuple(ways[way.emphasis] for way in block.deliveries),
            )
            for block in made.blocks
        )
        skipped = tuple(Skip(s.start + shift, s.stop + shift, s.why) for s in made.skipped)
        return Document(self.source, blocks, skipped, self.head.language)
