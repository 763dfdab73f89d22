"""Abbreviations and Roman numerals: German."""

from __future__ import annotations

import re

from audiopipe.text.german.numbers import cardinal, ordinal
from audiopipe.text.letters import vocabulary
from audiopipe.text.reading import Context, Piece, Rule, rule, whole
from audiopipe.text.roman import value

_ALWAYS = {
    "Dr.": "doktor", "Prof.": "professor", "Hr.": "herr", "Fr.": "frau", "Dipl.": "diplom",
    "Ing.": "ingenieur", "z.B.": "zum beispiel", "d.h.": "das heißt", "u.a.": "unter anderem",
    "o.ä.": "oder ähnliches", "u.ä.": "und ähnliches", "i.d.R.": "in der regel",
    "z.T.": "zum teil", "u.U.": "unter umständen", "v.a.": "vor allem", "z.Z.": "zur zeit",
    "s.o.": "siehe oben", "s.u.": "siehe unten", "v.Chr.": "vor christus",
    "n.Chr.": "nach christus", "i.e.": "das heißt", "usw.": "und so weiter", "usf.": "und so fort",
    "etc.": "et cetera", "bzw.": "beziehungsweise", "ca.": "circa", "Ca.": "circa",
    "evtl.": "eventuell", "ggf.": "gegebenenfalls", "inkl.": "inklusive", "exkl.": "exklusive",
    "max.": "maximal", "min.": "mindestens", "vgl.": "vergleiche", "Vgl.": "vergleiche",
    "sog.": "sogenannte", "bspw.": "beispielsweise", "insb.": "insbesondere", "allg.": "allgemein",
    "geb.": "geboren", "gest.": "gestorben", "Tel.": "telefon", "Str.": "straße", "St.": "sankt",
    "Mio.": "millionen", "Mrd.": "milliarden", "Std.": "stunden", "Min.": "minuten",
    "Sek.": "sekunden", "Jh.": "jahrhundert", "Jhd.": "jahrhundert", "Hbf.": "hauptbahnhof",
    "Hbf": "hauptbahnhof", "Abb.": "abbildung", "Kap.": "kapitel", "Bd.": "band",
    "Aufl.": "auflage", "Hrsg.": "herausgeber", "Nr.": "nummer", "Art.": "artikel",
    "Abs.": "absatz", "Anm.": "anmerkung", "jr.": "junior", "sen.": "senior", "vs.": "gegen",
    "zzgl.": "zuzüglich", "abzgl.": "abzüglich", "o.k.": "okay", "OK": "okay",
    "a.D.": "außer dienst",
}  # fmt: skip
_BEFORE_NUMBERS = {
    "S.": "seite", "Nr.": "nummer", "Z.": "zeile", "Bd.": "band", "Kap.": "kapitel",
    "Abs.": "absatz", "Art.": "artikel", "Abb.": "abbildung", "No.": "nummer",
}  # fmt: skip


def _spaced(key: str) -> str:
    """`z.B.` is written `z. B.` too."""
    return re.escape(key).replace(r"\.", r"\.\s?", max(0, key.count(".") - 1)) + (
        "" if key.endswith(".") else r"(?!\w)"
    )


_PATTERN = "|".join(_spaced(key) for key in sorted(_ALWAYS, key=len, reverse=True))


@rule("(?:" + "|".join(map(re.escape, _BEFORE_NUMBERS)) + r")(?=\s?\d)")
def _counted(match: re.Match[str], context: Context) -> list[str]:
    return [_BEFORE_NUMBERS[match[0]]]


@rule(f"(?:{_PATTERN})")
def _always(match: re.Match[str], context: Context) -> list[Piece]:
    return whole(match, _ALWAYS[re.sub(r"\s", "", match[0])].split())


@rule(r"(?P<street>[^\W\d_]+?)(?P<s>str)\.(?=\s|$|,)")
def _street(match: re.Match[str], context: Context) -> list[Piece]:
    return whole(match, [match["street"].lower() + "straße"])


@rule(r"(?:[A-ZÄÖÜ]\.\s?){2,}|(?:[a-zäöü]\.){2,}")
def _initials(match: re.Match[str], context: Context) -> list[Piece]:
    stop = match.start() + len(match[0].rstrip())
    letters = tuple(char.upper() for char in match[0] if char.isalpha())
    return [Piece(match.start(), stop, letters, may_end=True)]


@rule(r"[A-HJ-ZÄÖÜ]\.(?=\s+[A-ZÄÖÜ][a-zäöü])")
def _initial(match: re.Match[str], context: Context) -> list[str]:
    return [match[0][0]]


_ROYAL = vocabulary(
    "heinrich ludwig friedrich wilhelm karl otto elisabeth georg johannes paul pius benedikt "
    "leo gregor franz joseph maximilian rudolf leopold katharina peter alexander nikolaus "
    "napoleon philipp christian gustav richard eduard jakob konrad lothar albert ferdinand "
    "clemens urban"
)
_COUNTED = vocabulary(
    "kap bd abs art "
    "kapitel teil akt szene band buch abschnitt typ phase artikel klasse stufe gruppe "
    "weltkrieg satz"
)  # fmt: skip


@rule(r"(?P<roman>[IVXLCDM]+)(?P<dot>\.)?(?![\w'’])")
def _roman(match: re.Match[str], context: Context) -> list[Piece] | None:
    number = value(match["roman"])
    before = context.before(match.start()).rstrip(".")
    if number is None or not before:
        return None
    stop = match.end() - len(match["dot"] or "")
    if before.lower() in _COUNTED:
        return [Piece(match.start(), stop, tuple(cardinal(str(number))))]
    if before.lower() in _ROYAL:
        said = ("der", *ordinal(str(number)))
        return [Piece(match.start(), match.end(), said, may_end=bool(match["dot"]))]
    return None


RULES: tuple[Rule, ...] = (_counted, _always, _street, _initials, _initial, _roman)
