"""Numbers that are codes: telephones, postcodes, rooms, versions, chords: American English."""

from __future__ import annotations

import re

from audiopipe.text.english.numbers import cardinal, digits, pairs, plural
from audiopipe.text.english.quantities import number
from audiopipe.text.reading import Context, Piece, Rule, rule

_GROUPS = (
    r"\+\d{1,3}(?:[\s.-]?\(?\d{1,5}\)?){1,5}|"
    r"(?:1[-.\s])?\(\d{3}\)\s?\d{3}[-.\s]\d{4}|(?:1-)?\d{3}[-.]\d{3}[-.]\d{4}|\d{3}-\d{4}"
)


@rule(rf"(?:{_GROUPS})(?![\d-]|\.\d)")
def _phone(match: re.Match[str], context: Context) -> list[Piece] | None:
    if match[0][0] == "+" and sum(c.isdigit() for c in match[0]) < 8:
        return None
    pieces = []
    groups = list(re.finditer(r"\+?\d+", match[0]))
    for position, group in enumerate(groups):
        plus = ["plus"] if group[0][0] == "+" else []
        said = plus + digits(group[0].lstrip("+"))
        start, stop = match.start() + group.start(), match.start() + group.end()
        mark = "," if position < len(groups) - 1 else ""
        pieces.append(Piece(start, stop, tuple(said), mark))
    last = pieces[-1]
    pieces[-1] = Piece(last.start, match.end(), last.words)
    return pieces


@rule(
    r"(?P<v>[vV]\.?\s?)?(?P<numbers>\d+(?:\.\d+){2,})(?!\d)|(?P<v1>[vV])(?P<one>\d+(?:\.\d+)?)(?!\w)"
)
def _version(match: re.Match[str], context: Context) -> list[str]:
    groups = (match["numbers"] or match["one"]).split(".")
    said = ["version"] if match["v"] or match["v1"] else []
    dot = "point"
    address = len(groups) == 4 and not said and all(int(g) < 256 for g in groups if len(g) < 4)
    if address:
        dot = "dot"
    for position, group in enumerate(groups):
        said += ([dot] if position else []) + (
            digits(group) if address and len(group) > 2 else number(group)
        )
    return said


@rule(r"(?P<base>\d(?:\.\d+)?)[eE](?P<sign>[-+−]?)(?P<power>\d+)(?!\w)")
def _scientific(match: re.Match[str], context: Context) -> list[str]:
    sign = ["minus"] if match["sign"] in ("-", "−") and match["sign"] else []
    return [*number(match["base"]), "times", "ten", "to", "the", *sign, *cardinal(match["power"])]


@rule(r"(?P<number>\d{2,4})s(?!\w)")
def _several(match: re.Match[str], context: Context) -> list[str] | None:
    """Several of a kind that has a number: two 747s. Of few digits, they are seconds."""
    if len(match["number"]) == 2:
        return None
    *words, last = pairs(match["number"])
    return [*words, plural(last)]


@rule(r"(?P<number>\d{5})(?:-(?P<more>\d{4}))?(?![\w-])")
def _postcode(match: re.Match[str], context: Context) -> list[str] | None:
    if not re.search(r"(?:\b[A-Z]{2}|D\.C\.)\s$", context.left(match.start())):
        return None
    return digits(match["number"] + (match["more"] or ""))


@rule(r"(?P<number>\d{3,4})(?P<letter>[pi])(?!\w)")
def _lines(match: re.Match[str], context: Context) -> list[str]:
    return [*pairs(match["number"]), match["letter"].upper()]


@rule(r"(?P<number>\d{3})(?![\d.,:/-]*\d|\w)")
def _spelled(match: re.Match[str], context: Context) -> list[str] | None:
    before = context.before(match.start()).lower()
    if match["number"] == "911" or before in ("call", "dial", "text"):
        return digits(match["number"])
    if before in (
        "room",
        "flight",
        "highway",
        "route",
        "apartment",
        "suite",
        "channel",
        "area",
        "us",
        "interstate",
        "hwy",
        "unit",
    ):
        return pairs(match["number"])
    if match["number"] == "007":
        return ["double", "O", "seven"]
    return None


_CHORDS = {
    "maj": "major", "min": "minor", "m": "minor", "dim": "diminished", "aug": "augmented",
    "sus": "sus", "add": "add", "": "",
}  # fmt: skip


@rule(
    r"(?P<root>[A-G])(?P<sign>[#♯♭b]?)(?P<kind>maj|min|m|dim|aug|sus|add|)(?P<number>\d{1,2})?"
    r"(?:/(?P<bass>[A-G])(?P<low>[#♯♭b]?))?(?![\w#♯♭+])"
)
def _chord(match: re.Match[str], context: Context) -> list[str] | None:
    """A chord with a sign or a number; `Am` and `Dim` may be words."""
    if not (match["kind"] and (match["number"] or match["sign"])):
        return None
    said = [match["root"], *_sign(match["sign"]), *_CHORDS[match["kind"]].split()]
    said += cardinal(match["number"]) if match["number"] else []
    return said + (["over", match["bass"], *_sign(match["low"])] if match["bass"] else [])


def _sign(sign: str) -> list[str]:
    return {"#": ["sharp"], "♯": ["sharp"], "♭": ["flat"], "b": ["flat"]}.get(sign, [])


BEFORE_DATES: tuple[Rule, ...] = (_phone, _version, _scientific)
RULES: tuple[Rule, ...] = (_chord, _several, _postcode, _lines, _spelled)
