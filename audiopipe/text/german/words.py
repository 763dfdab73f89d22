"""Words, acronyms, and mixtures of letters and digits: German."""

from __future__ import annotations

import re

from audiopipe.text.german.numbers import cardinal, digits
from audiopipe.text.letters import LETTER, WORD, vocabulary
from audiopipe.text.reading import Context, Piece, Rule, rule

HEADS = vocabulary(
    "der die das ein eine er sie es wir ihr ich du man dieser diese dieses dort hier da wenn "
    "als und aber oder doch dann nun nein ja wer was wo wie warum im in am an auf bei mit "
    "nach seit von zu für über unter vor aus bis danach jetzt heute morgen gestern ist sind "
    "war waren hat haben kein keine alle viele mein dein sein unser bitte vielleicht"
)
"""Words that, with a capital, begin a sentence."""

_SAID_AS_WORDS = vocabulary(
    "NASA NATO UNO UNICEF UNESCO ASCII COVID FIFA UEFA AIDS LASER RADAR PIN TÜV BAFÖG GEMA "
    "SPD"
) - {"SPD"}  # fmt: skip
_COMMON = vocabulary(
    "der die das und nicht sie wir ihr ich du er es ein in im am an auf zu so ja nein alle "
    "mehr nur hier da was wer wie wo"
)  # fmt: skip


@rule(r"(?P<caps>[A-ZÄÖÜ]{2,})(?P<tail>s)?(?!\w)")
def _acronym(match: re.Match[str], context: Context) -> list[str] | None:
    caps, lower = match["caps"], match["caps"].lower()
    if caps in _SAID_AS_WORDS:
        return [lower + (match["tail"] or "")]
    if not match["tail"] and ((context.shouting or len(caps) > 4) and context.known(lower)):
        return [lower]
    if not match["tail"] and (
        (context.shouting and lower in _COMMON) or lower in ("nicht", "alle")
    ):
        return [lower]
    if len(caps) > 6:
        return [lower + (match["tail"] or "")]
    *head, last = list(caps)
    return [*head, last + ("'s" if match["tail"] else "")]


@rule(rf"[^\W\d_](?!{LETTER}|[\d_'’\u0300-\u036f])")
def _letter(match: re.Match[str], context: Context) -> list[str] | None:
    return [match[0].upper()] if match[0].isascii() or match[0] in "äöüÄÖÜ" else None


@rule(r"(?=\w*\d)(?=\w*[^\W\d_])[A-Za-zÄÖÜäöüß0-9]+(?!\w)")
def _mixed(match: re.Match[str], context: Context) -> list[str]:
    said: list[str] = []
    for part in re.findall(r"\d+|[A-ZÄÖÜ]+(?![a-zäöü])|[^\W\d_]+", match[0]):
        if part.isdigit():
            said += digits(part) if len(part) > 4 or part[0] == "0" else cardinal(part)
        else:
            said += name(part, context)
    return said


def name(text: str, context: Context) -> list[str]:
    """A part of a name in letters: a word where it is one, else its letters."""
    lower = text.lower()
    if (
        len(text) == 1
        or (len(text) < 4 and not context.known(lower))
        or (text.isupper() and len(text) < 4)
    ):
        return [char.upper() for char in text]
    return [lower] if re.search("[aeiouyäöü]", lower) else [char.upper() for char in text]


@rule(rf"{WORD}(?:['’ʼ\-‐]{WORD})*['’]?")
def _word(match: re.Match[str], context: Context) -> list[Piece]:
    text, stop = match[0], match.end()
    if text[-1] in "'’":
        text, stop = text[:-1], stop - 1
    said: list[str] = []
    for part in re.split("[-‐]", text):
        lower = re.sub("['’ʼ]", "", part.lower())
        short = part.isupper() and (len(part) == 1 or (len(part) < 4 and not context.known(lower)))
        voiceless = (
            part.isascii() and not re.search("[aeiouy]", lower) and lower not in ("hm", "pst", "st")
        )
        said += [c for c in part.upper() if c.isalpha()] if short or voiceless else [lower]
    return [Piece(match.start(), stop, tuple(said))]


@rule(r"\d")
def _digit(match: re.Match[str], context: Context) -> list[str]:
    return digits(match[0]) if match[0].isascii() else [match[0]]


ACRONYMS: tuple[Rule, ...] = (_acronym, _letter)
RULES: tuple[Rule, ...] = (_mixed, _word, _digit)
