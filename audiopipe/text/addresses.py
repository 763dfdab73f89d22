"""What computers read: URLs, mail addresses, file names, tags, identifiers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from audiopipe.text.letters import LETTER
from audiopipe.text.reading import Context, Piece, Rule

_TLD = (
    "com|org|net|edu|gov|mil|int|info|biz|io|ai|app|dev|fm|tv|me|co|uk|de|at|ch|fr|es|it|nl|be|eu|us|ca|"
    "au|nz|jp|cn|in|ru|pl|se|no|dk|fi|cz|pt|br|mx|blog|shop|news|media|audio|studio|live|xyz|online|site|"
    "store|tech|club|show|music|ly|gg|to|cc|ie"
)
_FILES = (
    "md|txt|pdf|docx?|xlsx?|pptx?|csv|tsv|json|ya?ml|toml|xml|html?|css|jsx?|tsx?|py|ipynb|rb|go|rs|c|cpp|h|"
    "java|sh|bat|exe|zip|gz|tar|mp3|mp4|m4a|wav|flac|ogg|opus|aiff?|mov|avi|mkv|png|jpe?g|gif|svg|webp|bmp|"
    "ini|cfg|log|db|sql|srt|vtt|mid|midi|ssml|dmg|iso|apk|epub"
)
_HOST = rf"(?:[\w](?:[\w-]*\w)?\.)+(?:{_TLD})"
_URL = re.compile(
    rf"(?P<skip>(?:https?|ftp)://(?:www\.)?|www\.|mailto:)[^\s<>\"“”]*[^\s<>\"“”.,;:!?)\]}}'’*_]/?"
    rf"|{_HOST}(?::\d+)?(?:/[^\s<>\"“”]*[^\s<>\"“”.,;:!?)\]}}'’*])?/?(?![\w@-])",
    re.IGNORECASE,
)
_MAIL = re.compile(r"[\w.+-]*\w@(?:[\w-]+\.)+[a-zA-Z]{2,}(?!\w)")
_FILE = re.compile(
    rf"(?!\w\.\w\.)(?:[A-Z]:\\|~?/|\.{{1,2}}/)?(?:[\w.-]+[/\\])*[\w-]+(?:\.[\w-]+)*\.(?:{_FILES})(?![\w-])(?!\.\w)",
    re.IGNORECASE,
)
_PATH = re.compile(r"(?:~|\.{1,2})?/(?:[\w.-]+/)*[\w.-]*\w/?(?!\w)|[A-Z]:\\[\w\\.-]*\w")
_TAG = re.compile(rf"(?<!\w)#(?P<name>(?=\d*{LETTER})\w+)")
_HANDLE = re.compile(r"@(?P<name>\w+(?:[.-]\w+)*)")
_OPTION = re.compile(r"--?(?P<name>[A-Za-z][\w-]*)(?:=(?P<value>[\w.-]+))?")
_IDENTIFIER = re.compile(r"_*[^\W_]+(?:_+[^\W_]+)+_*")
_DOTTED = re.compile(rf"{LETTER}[\w]*(?:\.[a-z]\w*)+(?!\w)")


@dataclass(frozen=True)
class Spelling:
    """How a language says what stands in addresses."""

    signs: dict[str, str]
    """Words for `. / @ : _ -` and others."""
    name: Callable[[str, Context], list[str]]
    """What a part in letters is called."""
    number: Callable[[str], list[str]]
    """What a part in digits is called."""
    endings: frozenset[str]
    """Endings of names that are words: `.com`."""
    hashtag: str = "hashtag"

    def part(self, text: str, context: Context) -> list[str]:
        """The words of a part without signs: `user42`."""
        said: list[str] = []
        for run in re.findall(r"\d+|[^\W\d_]+", text):
            if run.isdigit() and run.isascii():
                said += self.number(run)
            else:
                for piece in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|.", run):
                    said += self.name(piece, context)
        return said

    def pieces(self, text: str, start: int, context: Context) -> list[Piece]:
        """A piece for each part of an address, with the sign before it."""
        made: list[Piece] = []
        signs: list[str] = []
        begin = start
        parts = list(re.finditer(r"[^\W_]+|[\W_]", text))
        for position, match in enumerate(parts):
            token = match[0]
            if not token[0].isalnum():
                signs += self.signs.get(token, "").split()
                continue
            final = position == len(parts) - 1 and position and parts[position - 1][0] == "."
            known = token.lower() in self.endings or not final
            said = self.part(token, context) if known else _letters(token, self)
            stop = start + match.end()
            made.append(Piece(begin, stop, (*signs, *said)))
            begin, signs = stop, []
        if made and signs:
            last = made[-1]
            made[-1] = Piece(last.start, start + len(text), (*last.words, *signs))
        elif made:
            made[-1] = Piece(made[-1].start, start + len(text), made[-1].words)
        return made


def _letters(token: str, spelling: Spelling) -> list[str]:
    said: list[str] = []
    for run in re.findall(r"\d+|[^\W\d_]", token):
        said += spelling.number(run) if run.isdigit() and run.isascii() else [run.upper()]
    return said


def rules(spelling: Spelling) -> Sequence[Rule]:
    """The rules for addresses in a language."""

    def url(match: re.Match[str], context: Context) -> list[Piece] | None:
        text = match[0]
        skip = len(match["skip"] or "")
        if (
            not skip
            and re.match(rf"[A-Za-z]+\.(?:{_TLD})$", text)
            and re.search(r"\.[A-Z][a-z]", text)
        ):
            return None
        host, slash, path = text[skip:].partition("/")
        pieces = spelling.pieces(host, match.start() + skip, context)
        if not pieces:
            return None
        if slash:
            behind = spelling.pieces(
                slash + path.rstrip("/"), match.start() + skip + len(host), context
            )
            pieces += behind
        first, last = pieces[0], pieces[-1]
        pieces[0] = Piece(match.start(), first.stop, first.words)
        pieces[-1] = Piece(pieces[-1].start, match.end(), pieces[-1].words)
        return pieces if last else None

    def plain(match: re.Match[str], context: Context) -> list[Piece] | None:
        return spelling.pieces(match[0], match.start(), context) or None

    def path(match: re.Match[str], context: Context) -> list[Piece] | None:
        before = context.left(match.start())
        if before and not before[-1].isspace() and before[-1] not in "(\"'`“":
            return None
        return spelling.pieces(match[0], match.start(), context) or None

    def dotted(match: re.Match[str], context: Context) -> list[Piece] | None:
        first, *others = match[0].split(".")
        if len(first) < 2 or (
            all(len(other) > 4 for other in others) and context.known(first.lower())
        ):
            return None
        return spelling.pieces(match[0], match.start(), context)

    def tag(match: re.Match[str], context: Context) -> list[str]:
        return [spelling.hashtag, *spelling.part(match["name"], context)]

    def handle(match: re.Match[str], context: Context) -> list[Piece] | None:
        return spelling.pieces(match[0], match.start(), context)

    def option(match: re.Match[str], context: Context) -> list[Piece] | None:
        before = context.left(match.start())
        if before and not before[-1].isspace() and before[-1] not in "(`[":
            return None
        if not match[0].startswith("--") and len(match["name"]) > 2:
            return None
        return spelling.pieces(match[0], match.start(), context)

    return (
        Rule(_MAIL, plain), Rule(_URL, url), Rule(_FILE, plain), Rule(_PATH, path), Rule(_TAG, tag),
        Rule(_HANDLE, handle), Rule(_OPTION, option), Rule(_IDENTIFIER, plain),
        Rule(_DOTTED, dotted),
    )  # fmt: skip
