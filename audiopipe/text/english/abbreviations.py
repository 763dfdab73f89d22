"""Abbreviations, initials and Roman numerals: American English."""

from __future__ import annotations

import re

from audiopipe.text.english.numbers import cardinal, ordinal
from audiopipe.text.letters import vocabulary
from audiopipe.text.reading import Context, Piece, Rule, rule, whole
from audiopipe.text.roman import value

_ALWAYS = {
    "Mr.": "mister", "Mrs.": "missus", "Ms.": "miz", "Mr": "mister", "Mrs": "missus", "Ms": "miz",
    "Messrs.": "messrs", "Prof.": "professor", "Profs.": "professors", "Drs.": "doctors",
    "Sr.": "senior", "Jr.": "junior", "Rev.": "reverend", "Hon.": "honorable", "Fr.": "father",
    "Gen.": "general", "Col.": "colonel", "Maj.": "major", "Capt.": "captain", "Cpt.": "captain",
    "Lt.": "lieutenant", "Sgt.": "sergeant", "Cpl.": "corporal", "Cmdr.": "commander",
    "Adm.": "admiral", "Gov.": "governor", "Sen.": "senator", "Rep.": "representative",
    "Pres.": "president", "Supt.": "superintendent", "Mt.": "mount", "Mts.": "mountains",
    "Ft.": "fort", "Ave.": "avenue", "Blvd.": "boulevard", "Rd.": "road", "Ln.": "lane",
    "Hwy.": "highway", "Pkwy.": "parkway", "Apt.": "apartment", "e.g.": "for example",
    "i.e.": "that is", "e. g.": "for example", "i. e.": "that is", "eg.": "for example",
    "ie.": "that is", "cf.": "compare", "etc.": "et cetera", "etc": "et cetera", "vs.": "versus",
    "vs": "versus", "et al.": "et al", "viz.": "namely", "approx.": "approximately",
    "Approx.": "approximately", "ca.": "circa", "dept.": "department", "Dept.": "department",
    "est.": "established", "Est.": "established", "incl.": "including", "excl.": "excluding",
    "esp.": "especially",
    "ea.": "each", "resp.": "respectively", "max.": "maximum", "min.": "minimum",
    "misc.": "miscellaneous", "temp.": "temperature", "govt.": "government",
    "intl.": "international", "Intl.": "international", "assn.": "association",
    "Assn.": "association", "Inc.": "incorporated", "Inc": "incorporated", "Ltd.": "limited",
    "Ltd": "limited", "Corp.": "corporation", "Co.": "company", "Bros.": "brothers",
    "Univ.": "university", "w/o": "without", "w/": "with", "b/c": "because", "a.k.a.": "A K A",
    "aka": "A K A", "Ph.D.": "P H D", "PhD": "P H D", "PhDs": "P H D's", "Ph.D": "P H D",
    "M.Sc.": "M S C", "B.Sc.": "B S C", "feat.": "featuring", "ft.": "featuring",
    "Feat.": "featuring", "tel.": "telephone", "Tel.": "telephone", "ext.": "extension",
    "Ext.": "extension", "Assoc.": "associate", "assoc.": "associate", "Esq.": "esquire",
    "OK": "okay", "ok": "okay", "Ok": "okay", "o.k.": "okay", "P.S.": "P S", "PS:": "P S",
    "R.S.V.P.": "R S V P", "'n'": "n", "’n’": "n", "‘n’": "n", "c/o": "care of", "mics": "mikes",
    "Ctrl": "control", "Cmd": "command", "Esc": "escape", "mic": "mike", "Mic": "mike",
}  # fmt: skip
_BEFORE_NUMBERS = {
    "No.": "number", "Nos.": "numbers", "no.": "number", "nos.": "numbers", "Nr.": "number",
    "№": "number", "Fig.": "figure", "fig.": "figure", "Figs.": "figures", "figs.": "figures",
    "p.": "page", "P.": "page", "pp.": "pages", "Pp.": "pages", "Vol.": "volume", "vol.": "volume",
    "Ch.": "chapter", "ch.": "chapter", "Sec.": "section", "sec.": "section", "Eq.": "equation",
    "eq.": "equation", "Ep.": "episode", "ep.": "episode", "Art.": "article", "Op.": "opus",
    "op.": "opus", "c.": "circa", "ca": "circa", "Pt.": "part", "pt.": "part", "Tab.": "table",
    "Eps.": "episodes", "l.": "line", "ll.": "lines", "App.": "appendix", "v.": "version",
}  # fmt: skip


def _any(table: dict[str, str]) -> str:
    longest = sorted(table, key=len, reverse=True)
    return "|".join(re.escape(key) + (r"(?!\w)" if key[-1].isalnum() else "") for key in longest)


@rule(f"(?:{_any(_BEFORE_NUMBERS)})" + r"(?=\s?[#\d]|\s(?:[IVX]{2,}|[VX])\b)")
def _counted(match: re.Match[str], context: Context) -> list[str]:
    return [_BEFORE_NUMBERS[match[0]]]


@rule(f"(?:{_any(_ALWAYS)})")
def _always(match: re.Match[str], context: Context) -> list[Piece] | None:
    if match[0] in ("min.", "max.", "ft.", "temp.", "est.") and not re.match(
        r"\s+\w", context.right(match.end())
    ):
        return None
    return whole(match, _ALWAYS[match[0]].split())


@rule(r"Dr\b\.?")
def _doctor(match: re.Match[str], context: Context) -> list[Piece]:
    named = re.match(r"\s+[A-Z]", context.right(match.end()))
    street = context.before(match.start())[:1].isupper() and not named
    return whole(match, ["drive" if street else "doctor"])


@rule(r"St\.")
def _saint(match: re.Match[str], context: Context) -> list[Piece]:
    before = context.before(match.start())
    ordinal_ = re.fullmatch(r"\d+(st|nd|rd|th)", before)
    street = ordinal_ or (before[:1].isupper() and before.lower() not in _SENTENCE_HEADS)
    return whole(match, ["street" if street else "saint"])


_SENTENCE_HEADS = vocabulary("the at in on to from of by near visit see and with for")


@rule(r"(?:[A-Z]\.\s?){2,}(?<=\.)(?:[A-Z](?!\w))?|(?:[A-Z]\.){1,}[A-Z](?!\w)|(?:[a-z]\.){2,}(?!\w)")
def _initials(match: re.Match[str], context: Context) -> list[Piece]:
    return whole(match, [char.upper() for char in match[0] if char.isalpha()])


@rule(r"[NSEW]\.(?=\s+\d+(?:st|nd|rd|th)\b)")
def _direction(match: re.Match[str], context: Context) -> list[str]:
    return [{"N": "north", "S": "south", "E": "east", "W": "west"}[match[0][0]]]


@rule(r"[A-HJ-Z]\.(?=\s+[A-Z][a-z])")
def _initial(match: re.Match[str], context: Context) -> list[Piece]:
    return whole(match, [match[0][0]])


_COUNTED = vocabulary(
    "ch vol pt sec fig "
    "chapter part act scene volume book section war bowl type phase title article level stage "
    "appendix class grade mark group figure table episode season round step unit page lesson "
    "rocky rambo apollo gemini saturn fantasy halley's psalm canto movement division"
)
_ROYAL = vocabulary(
    "henry louis elizabeth charles george edward william richard james john paul pope king "
    "queen philip peter ivan catherine alexander nicholas napoleon leopold francis frederick "
    "wilhelm otto ludwig benedict pius gregory leo innocent clement urban boniface felipe "
    "carlos juan albert harald gustav christian margrethe ramses ramesses ptolemy cleopatra "
    "mary victor umberto constantine justinian robert david malcolm alfonso ferdinand rudolf "
    "joseph maximilian haakon olaf baldwin selim murad mehmed tutankhamun thutmose darius "
    "xerxes artaxerxes hugo sixtus julius linus celestine"
)


@rule(r"(?P<roman>[IVXLCDM]+|[ivx]+)(?P<own>['’]s)?(?![\w'’])")
def _roman(match: re.Match[str], context: Context) -> list[str] | None:
    roman, own = match["roman"], "'s" if match["own"] else ""
    number = value(roman)
    if number is None:
        return None
    before = context.before(match.start()).rstrip(".")
    if before.lower() in _COUNTED:
        return cardinal(str(number))
    if roman.islower():
        return None
    if before.lower() in _ROYAL and before[:1].isupper():
        *words, last = ordinal(str(number))
        return ["the", *words, last + own]
    if (
        len(roman) >= 2
        and set(roman) <= set("IVX")
        and not context.shouting
        and (before[:1].isupper())
    ):
        return cardinal(str(number))
    return None


RULES: tuple[Rule, ...] = (
    _counted,
    _always,
    _doctor,
    _saint,
    _direction,
    _initials,
    _initial,
    _roman,
)
