"""From a document to sentences of words with their sounds."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby, pairwise

from audiopipe.text.clauses import divide
from audiopipe.text.language import Language, language
from audiopipe.text.lexicon import Lexicon
from audiopipe.text.pronounce import Pronouncer, pronouncer
from audiopipe.text.reading import Context, Piece, scan
from audiopipe.text.say_as import say_as
from audiopipe.text.sentence import Pause, Sentence, Spoken, Strength, Word
from audiopipe.text.source import Block, Document, Forced
from audiopipe.text.tokens import Token

LIMIT = 200
"""How many phonemes a sentence has before it is divided: about 15 seconds."""


def segments(
    document: Document, *, lexicon: Lexicon | None = None, limit: int = LIMIT
) -> Iterator[Sentence]:
    """The sentences of a document, one after the other, so that the first can sound early.

    No letter and no digit is lost: each is in one word of one sentence, or in a stretch that
    `document.skipped` names. Sentences with more than `limit` phonemes are divided between
    clauses, else between words. Raises MissingDependencyError where the lexicon of the language
    is not installed, and TextError for a language that is not known.

    >>> from audiopipe.text import plain, segments
    >>> [sentence.said for sentence in segments(plain("Dr. Lee owes me $5. Really?"))]
    ['doctor lee owes me five dollars', 'really']
    """
    held: Sentence | None = None
    lead = Pause()
    for block, following in pairwise([*document.blocks, None]):
        assert block is not None
        last = _behind(block, following)
        for drawn in _sentences(block, document, lexicon or Lexicon.empty()):
            if isinstance(drawn, Pause):
                lead, held = (
                    (lead.deeper(drawn), None) if held is None else (lead, _then(held, drawn))
                )
                continue
            if held is not None:
                yield from divide(held, limit, _conjunctions(held, document))
            held = replace(drawn, before=lead)
            lead = Pause()
        if held is not None:
            held = _then(held, Pause.of(last))
    if held is not None:
        yield from divide(held, limit, _conjunctions(held, document))


def _conjunctions(sentence: Sentence, document: Document) -> frozenset[str]:
    return language(sentence.delivery.language or document.language).conjunctions


def _then(sentence: Sentence, pause: Pause) -> Sentence:
    """A sentence with a pause behind it that is at least as deep."""
    *words, last = sentence.words
    return replace(sentence, words=(*words, replace(last, pause=last.pause.deeper(pause))))


def _behind(block: Block, following: Block | None) -> Strength:
    if block.kind == "heading" or (following is not None and following.kind == "heading"):
        return Strength.HEADING
    if block.kind == "item" and following is not None and following.kind == "item":
        return Strength.STRONG
    return Strength.PARAGRAPH


def _sentences(block: Block, document: Document, lexicon: Lexicon) -> Iterator[Sentence | Pause]:
    """The sentences of a block, and pauses that stand before its first word."""
    pauses = list(block.pauses)
    for stretch in _stretches(block):
        code = block.deliveries[stretch.start].language or document.language
        reader = _Reader(block, language(code), pronouncer(language(code).code), lexicon)
        for words in reader.sentences(stretch):
            while pauses and pauses[0][0] <= words[0].at:
                yield pauses.pop(0)[1]
            made = [word.word for word in words]
            for i, (word, after) in enumerate(pairwise([*words, None])):
                assert word is not None
                end = after.at if after else word.at + 1
                while pauses and after and word.at < pauses[0][0] <= end:
                    made[i] = replace(made[i], pause=made[i].pause.deeper(pauses.pop(0)[1]))
            yield Sentence(tuple(made), kind=block.kind)
    for _, pause in pauses:
        yield pause


def _stretches(block: Block) -> Iterator[range]:
    """Stretches with one voice and one language."""
    at = 0
    for _, run in groupby(block.deliveries, key=lambda how: (how.voice, how.language)):
        size = len(list(run))
        yield range(at, at + size)
        at += size


@dataclass(frozen=True)
class _Placed:
    """A word, and the index of its first character in the block."""

    at: int
    word: Word


@dataclass(frozen=True)
class _Reader:
    """Reads a block in a language."""

    block: Block
    language: Language
    pronouncer: Pronouncer
    lexicon: Lexicon

    def sentences(self, stretch: range) -> Iterator[list[_Placed]]:
        text = self.block.text[: stretch.stop]
        context = Context(text, self.pronouncer.known, _shouting(text[stretch.start :]))
        words: list[tuple[Piece, str]] = []
        for piece, following in pairwise(chain(self._pieces(context, stretch), [None])):
            assert piece is not None
            ends = self._ends(context, piece, following)
            sounding = bool(piece.words or piece.said or _alphanumeric(text, piece))
            if sounding:
                words.append((piece, "." if piece.may_end and ends else piece.mark))
            elif piece.mark and words:
                words[-1] = (words[-1][0], _stronger(words[-1][1], piece.mark))
            if ends and words:
                yield self._spoken(words)
                words = []
        if words:
            yield self._spoken(words)

    def _pieces(self, context: Context, stretch: range) -> Iterator[Piece]:
        own = self.lexicon.found(context.text, stretch, self.language.code)
        taken = {i for f in self.block.forced for i in range(f.start, f.stop)}
        forced = [f for f in own if not taken & set(range(f.start, f.stop))]
        at = stretch.start
        for force in sorted((*self.block.forced, *forced), key=lambda f: f.start):
            if force.start >= stretch.stop or force.stop <= at:
                continue
            yield from scan(context, self.language.rules, at, force.start)
            yield self._forced(context, force)
            at = force.stop
        yield from scan(context, self.language.rules, at, stretch.stop)

    def _forced(self, context: Context, force: Forced) -> Piece:
        if force.said:
            return Piece(
                force.start, force.stop, tuple(s.text for s in force.said), said=force.said
            )
        text = force.alias or context.text[force.start : force.stop]
        if force.says:
            words = say_as(text, force.says, force.detail, self.language, context)
        else:
            words = read_words(text, self.language, context)
        return Piece(force.start, force.stop, tuple(words))

    def _ends(self, context: Context, piece: Piece, following: Piece | None) -> bool:
        """Whether a sentence ends with a piece."""
        text = context.text
        end = bisect_right(self.block.ends, piece.start)
        limit = following.start if following else len(text)
        if end < len(self.block.ends) and self.block.ends[end] <= limit:
            return True
        match = _BEHIND.match(text, piece.stop)
        behind = match[1] if match else ""
        if piece.may_end:
            if match is None and piece.stop < len(text):
                return False
            word = re.match(
                r"[^\W\d_]+(?:['’][^\W\d_]+)?", context.right(match.end(1)) if match else ""
            )
            head = word[0] if word else ""
            if not head:
                return not context.right(piece.stop).strip()
            return head[0].isupper() and head.lower() in self.language.heads
        if piece.words or piece.said or piece.mark not in (".", "!", "?", "…"):
            return False
        if match is None and re.match(r"[^\W\d_]", text[piece.stop : piece.stop + 1]) is None:
            return following is None
        opening = text[match.end(1) : match.end(1) + 1] if match else text[piece.stop]
        if opening.islower():
            return False
        return bool(behind.strip() or behind or not opening or piece.mark != "…")

    def _spoken(self, pieces: Sequence[tuple[Piece, str]]) -> list[_Placed]:
        text = self.block.text
        tokens: list[Token] = []
        for piece, mark in pieces:
            written = text[piece.start : piece.stop]
            for i, word in enumerate(piece.words):
                same = len(piece.words) == 1 and written.lower() == word
                final = i == len(piece.words) - 1
                tokens.append(Token(word, written if same else word, mark if final else ""))
        found = iter(self.language.sounds(tokens, self.pronouncer))
        placed = []
        for i, (piece, mark) in enumerate(pieces):
            guessed = tuple(Spoken(word, next(found)) for word in piece.words)
            said = piece.said or tuple(part for part in guessed if part.phonemes)
            last = i == len(pieces) - 1
            pause = Pause.of(Strength.STRONG if last else _STRENGTH.get(mark, Strength.NONE))
            starts, stops = self.block.starts, self.block.stops
            placed.append(_Placed(piece.start, Word(
                text[piece.start : piece.stop].strip(), starts[piece.start], stops[piece.stop - 1],
                said, mark, pause, self.block.deliveries[piece.start],
            )))  # fmt: skip
        return placed


_BEHIND = re.compile(r"([\"'”’»)\]*_]*(?:\s+|$)[\"'“‘«(\[—–-]*\s*)")
_STRENGTH = {
    ",": Strength.WEAK,
    ";": Strength.MEDIUM,
    ":": Strength.MEDIUM,
    "—": Strength.MEDIUM,
    "…": Strength.MEDIUM,
    ".": Strength.MEDIUM,
    "?": Strength.MEDIUM,
    "!": Strength.MEDIUM,
}
_RANK = ("", ",", "—", ":", ";", "…", ".", "!", "?")


def _stronger(one: str, other: str) -> str:
    return max(one, other, key=_RANK.index)


def _alphanumeric(text: str, piece: Piece) -> bool:
    return any(char.isalnum() for char in text[piece.start : piece.stop])


def read_words(text: str, language: Language, context: Context) -> list[str]:
    """A text in words, without its punctuation."""
    inner = replace(context, text=text)
    return [word for piece in scan(inner, language.rules) for word in piece.words]


def _shouting(text: str) -> bool:
    words = re.findall(r"[^\W\d_]{2,}", text)
    loud = sum(word.isupper() for word in words)
    return len(words) > 2 and loud > 0.7 * len(words) and not any(map(str.islower, words))
