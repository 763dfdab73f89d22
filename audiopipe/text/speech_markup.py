"""SSML to a document: a subset, read without entities, without anything from outside."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn
from xml.parsers import expat

from audiopipe.errors import Problem, did_you_mean
from audiopipe.text.errors import TextError, place
from audiopipe.text.language import language as known_language
from audiopipe.text.phonemes import parse
from audiopipe.text.prosody import change, duration, strength
from audiopipe.text.say_as import KINDS
from audiopipe.text.sentence import Delivery, Pause, Spoken
from audiopipe.text.source import Document, Forced, Writer, accounted, written

_KNOWN = {
    "speak": ("version", "xml:lang", "xmlns", "xmlns:xsi", "xsi:schemaLocation", "xml:base"),
    "p": ("xml:lang",),
    "s": ("xml:lang",),
    "break": ("strength", "time"),
    "phoneme": ("alphabet", "ph"),
    "say-as": ("interpret-as", "format", "detail"),
    "sub": ("alias",),
    "prosody": ("rate", "pitch", "volume"),
    "voice": ("name", "xml:lang"),
    "emphasis": ("level",),
    "lang": ("xml:lang",),
}
"""Elements, and their attributes."""
_REFERENCE = re.compile(r"&(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);")


def ssml(text: str, language: str = "en", file: str = "<ssml>") -> Document:
    """Read SSML: `speak, p, s, break, phoneme, say-as, sub, prosody, voice, emphasis, lang`.

    Prosody, voice and language are in each word's `delivery`; those of elements in each other add
    up. Raises TextError with all that is wrong, each with its line and column: what is not XML,
    elements and attributes that are not known, values that are not understood, and any DOCTYPE,
    as entities could make a page of a line.

    >>> ssml('<speak>Wait <break time="2s"/> here.</speak>').blocks[0].pauses[0][1].milliseconds
    2000
    """
    reader = _Reader(text, file, Writer(text, language))
    reader.read()
    if reader.problems:
        raise TextError(reader.problems)
    return accounted(reader.writer.document())


@dataclass(frozen=True)
class _Open:
    """An element that is open: where its text begins, and how it was said around it."""

    name: str
    attributes: dict[str, str]
    begin: int
    delivery: Delivery


@dataclass
class _Reader:
    text: str
    file: str
    writer: Writer
    problems: list[Problem] = field(default_factory=list)
    open: list[_Open] = field(default_factory=list)
    _at: int = 0
    _byte: int = 0
    _bytes: bytes = b""
    _parser: Any = None

    def read(self) -> None:
        self._bytes = self.text.encode("utf-8", "surrogatepass")
        self._parser = parser = expat.ParserCreate("utf-8")
        parser.buffer_text = False
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.ProcessingInstructionHandler = lambda target, data: self._problem(
            "processing instructions are not part of SSML here; remove it"
        )
        try:
            parser.Parse(self._bytes, True)
        except expat.ExpatError as error:
            reason = expat.errors.messages.get(error.code, str(error))
            hint = ""
            if reason == "syntax error" or reason == "no element found":
                hint = "; SSML is text within <speak>…</speak>"
            elif "not well-formed" in reason or "undefined entity" in reason:
                hint = "; a bare & is written &amp;, a bare < is written &lt;"
            at = self._index(parser.ErrorByteIndex)
            where = place(self.text, at, self.file)
            self.problems.append(Problem(f"this is not XML: {reason}{hint}", where))

    def _index(self, byte: int) -> int:
        """The character at a byte; the parser only goes on."""
        if byte < self._byte:
            self._byte = self._at = 0
        self._at += len(self._bytes[self._byte : byte].decode("utf-8", "ignore"))
        self._byte = byte
        return self._at

    def _problem(self, message: str) -> None:
        where = place(self.text, self._index(self._parser.CurrentByteIndex), self.file)
        self.problems.append(Problem(message, where))

    def _refuse_doctype(self, *_: object) -> NoReturn:
        self._problem("a DOCTYPE is not part of SSML here; remove it")
        raise TextError(self.problems)

    def _characters(self, data: str) -> None:
        at = self._index(self._parser.CurrentByteIndex)
        reference = _REFERENCE.match(self.text, at)
        if reference is None and self.text.startswith(data, at):
            written(self.writer, self.text, at, at + len(data))
            return
        end = reference.end() if reference else at + 1
        for char in data:
            self.writer.put(" " if char.isspace() else char, at, end)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if not self.open and name != "speak":
            self._problem(
                f"SSML begins with <speak>, not with <{name}>; put <speak>…</speak> around it"
            )
        if name not in _KNOWN:
            self._problem(f"<{name}> is not known; {did_you_mean(name, _KNOWN)}")
        for attribute in attributes:
            if name in _KNOWN and attribute not in _KNOWN[name]:
                meant = did_you_mean(attribute, _KNOWN[name])
                self._problem(f"<{name}> has no {attribute!r}; {meant}")
        self.open.append(_Open(name, attributes, len(self.writer), self.writer.delivery))
        begin = getattr(self, f"_start_{name.replace('-', '_')}", None)
        if name in _KNOWN and begin is not None:
            self._try(begin, attributes)
        if code := attributes.get("xml:lang"):
            self._try(self._speak_language, code)

    def _end(self, name: str) -> None:
        element = self.open.pop()
        end = getattr(self, f"_end_{name.replace('-', '_')}", None)
        if name in _KNOWN and end is not None:
            self._try(end, element)
        self.writer.delivery = element.delivery

    def _try(self, action: Callable[[Any], None], value: object) -> None:
        """Do something with what was written; a TextError becomes a problem with its place."""
        try:
            action(value)
        except TextError as error:
            for problem in error.problems:
                self._problem(problem.message)

    def _speak_language(self, code: str) -> None:
        spoken = known_language(code).code
        self.writer.delivery = replace(self.writer.delivery, language=spoken)

    def _start_p(self, attributes: dict[str, str]) -> None:
        self.writer.end_block()
        self.open[-1] = replace(self.open[-1], begin=0)

    def _end_p(self, element: _Open) -> None:
        self.writer.end_block()

    def _start_s(self, attributes: dict[str, str]) -> None:
        self._divide()

    def _end_s(self, element: _Open) -> None:
        self._divide()

    def _divide(self) -> None:
        """End the sentence; words on both sides are two, even without a space between."""
        at = self._index(self._parser.CurrentByteIndex)
        self.writer.end_sentence()
        if len(self.writer):
            self.writer.put(" ", at, at)

    def _start_break(self, attributes: dict[str, str]) -> None:
        deep = strength(attributes.get("strength", "medium"))
        if "time" in attributes:
            self.writer.pause(Pause(deep, duration(attributes["time"]), exact=True))
        else:
            self.writer.pause(Pause.of(deep))

    def _start_prosody(self, attributes: dict[str, str]) -> None:
        for name, value in attributes.items():
            if name in _KNOWN["prosody"]:
                self._try(self._change, (name, value))

    def _change(self, named: tuple[str, str]) -> None:
        self.writer.delivery = change(self.writer.delivery, *named)

    def _start_emphasis(self, attributes: dict[str, str]) -> None:
        level = attributes.get("level", "moderate")
        self.writer.delivery = change(self.writer.delivery, "emphasis", level)

    def _start_voice(self, attributes: dict[str, str]) -> None:
        name = attributes.get("name", "").strip()
        if not name and "xml:lang" not in attributes:
            raise TextError('<voice> needs a name: <voice name="kathleen">')
        if name:
            self.writer.delivery = replace(self.writer.delivery, voice=name)

    def _end_phoneme(self, element: _Open) -> None:
        alphabet = element.attributes.get("alphabet", "ipa")
        if alphabet.lower() != "ipa":
            raise TextError(f'the alphabet {alphabet!r} is not known; write IPA: alphabet="ipa"')
        if "ph" not in element.attributes:
            raise TextError('<phoneme> needs its sounds: <phoneme alphabet="ipa" ph="təˈmeɪtoʊ">')
        text, (start, stop) = self._inside(element)
        code = known_language(self.writer.delivery.language or self.writer.language).code
        sounds = parse(element.attributes["ph"], code)
        self.writer.force(Forced(start, stop, said=(Spoken(text.lower(), sounds),)))

    def _end_sub(self, element: _Open) -> None:
        if not element.attributes.get("alias", "").strip():
            raise TextError('<sub> needs what is said in its place: <sub alias="World Wide Web">')
        _, (start, stop) = self._inside(element)
        self.writer.force(Forced(start, stop, alias=element.attributes["alias"]))

    def _end_say_as(self, element: _Open) -> None:
        kind = element.attributes.get("interpret-as", "")
        if kind not in KINDS:
            raise TextError(f"interpret-as {kind!r} is not known; {did_you_mean(kind, KINDS)}")
        _, (start, stop) = self._inside(element)
        form = element.attributes.get("format", "")
        self.writer.force(Forced(start, stop, says=kind, detail=form))

    def _inside(self, element: _Open) -> tuple[str, tuple[int, int]]:
        """The text of an element without white space at its ends, and where it lies."""
        text = self.writer.text(element.begin)
        bare = text.strip()
        if not bare:
            raise TextError(f"<{element.name}> is empty; it stands around what is written")
        start = element.begin + len(text) - len(text.lstrip())
        return re.sub(r"\s+", " ", bare), (start, start + len(bare))
