"""What German words are made of: compounds, prefixes, stems and endings.

Where one stem ends and the next begins cannot be heard from the letters alone: `Haustür` has an `s`
and a `t`, `Baustelle` has not. Words are found by the lexicon, which serves as a list of words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from audiopipe.text.german.irregular import IRREGULAR
from audiopipe.text.letters import vocabulary

Known = Callable[[str], bool]


@dataclass(frozen=True)
class Morph:
    """A part of a word in lower case; `stress` is `ˈ`, `ˌ` or nothing."""

    text: str
    stress: str
    stem: bool


_STEMS = vocabulary(
    "amt bad bahn ball band bank bau baum berg bild blatt blut boden boot brand brief brot "
    "brücke buch bund burg bus dach dampf denkmal ding dorf druck eis eisen ende erbe erde fach "
    "fahrt fall farbe feld fest feuer film finanz fläche fleisch flug fluss folge form frau "
    "frei freund frist frucht fuß gang garten gas gast gebiet geist geld gericht gesamt gewerk "
    "glas gold grab graben grad grenze groß grund gruppe gut hafen halb hand handels handel "
    "haupt haus häuser heim heimat herr herz hilfe himmel hoch hof höhe höhen holz hund hütte "
    "hütten industrie insel instanz jahr jahre jahres jung kamm kammer kampf karte kasse kern "
    "kessel kind kinder kirche kirchen klasse kloster kohle kohlen kopf kraft kreis kreuz krieg "
    "kriegs kultur kunst küste lager land landes lang länder leben lehre lehrer leiste licht "
    "lied linie linien liste loch luft macht mal mann männer marine markt maschine maschinen "
    "maß mauer meer mehr meister menge mensch messe mess mittel mitte monat mühle mund musik "
    "mutter nachbar nacht name namen natur netz neu nord not nutz ober ofen öl ordnung ort ost "
    "papier park partei pferd pflanze pflanzen pflicht platz post preis prozess punkt rad rand "
    "rang rat raum recht rechts regierung reich reichs reihe reise ring rohr rolle rück rund "
    "saal sache salz sand satz schiff schau schloss schluss schmuck schnee schrift schritt "
    "schul schule schutz schwer see seite seiten sitz sohn sommer sonder sonnen spiel spieler "
    "spiele sprache sprach staat staats stadt stadion stamm stand stark stein stelle stellung "
    "steuer stil stimme stimmen stock stoff strand strecke strecken strom stück stunden sturm "
    "süd system tabelle tag tage tages tal teil text tief tier tiere tisch tod ton tor traum "
    "treppe tür turm uhr ufer verkehr fried glied front vater vertrag verband verwaltung vieh "
    "vogel volk volks wachs wagen wahl wald wand wappen war waren wärme wasser weg wege wehr "
    "weihnacht wein weiß weise weit welt werk werks west wert wetter wind winter wirtschaft "
    "wissen woche wochen wohn wort wunder zahl zahn zeit zeiten zeitung zell zentral zentrum "
    "ziel zimmer zirkel zone zucht zug sprüng zustand zweck zwei drei vier fünf sechs sieben "
    "acht neun zehn zwölf hundert tausend zig mäßig jährig voll leer schwarz rot grün blau "
    "braun gelb alt kunft künfte künftig einander sachen orte böden bäume züge straße straßen "
    "spitze spitzen schlag schläge träger richter gasse platte platten ehe kuppel achse achsen "
    "literatur geschichte struktur fähre anleger lieferant"
)
"""Frequent parts of compounds."""
_NO_PART = vocabulary(
    "ende enden endes ern ten ter ers ung ungen heit keit lich schaft ische ischen erin innen "
    "chen lein isten ist end ens ion ionen tion arier arten ahnen alb aura eng amme ach erst "
    "iere ieren ert erte eile eine einer eines rung ring ringe lage ligen nisse nis rat "
    "rate raten tät ant ante anten enz anz erei eren erer ale alen alle allen iert ierte ster "
    "sten stens ander oder aber rende renden rechnung ehe ehen asen iren kal "
    "isch ischer lende lenden los lose nische nischen nischer gene ration teuer verb betr verk "
    "vert abkam gen ger gern ges gel gels ver vers zer des der den dem die das und ein eins ich "
    "ihr ihn"
)
"""Known words that are rather the endings of others."""
_APART = (
    "zurück", "zusammen", "wieder", "weiter", "hinter", "gegen", "nieder", "entgegen", "ab", "an",
    "auf", "aus", "bei", "durch", "ein", "fest", "fort", "her", "hin", "los", "mit", "nach", "um",
    "vor", "weg", "zu", "un", "ur", "hervor", "herum", "hinzu", "herab", "heran", "heraus",
    "herauf", "hinein", "hinaus", "hinauf", "vorbei", "voran", "voraus", "über", "unter", "dar",
)  # fmt: skip
_BOUND = ("emp", "ent", "er", "ver", "zer", "miss", "be", "ge")
_NOT_APART = re.compile(
    "^(?:abend|aber|ander|angst|august|einig|einz|herr|herz|mitt|nachbar|unter$|union|unikat|uni|"
    "auster|anis|beiß|losung|vorder|vorig|wegen|zuck|zunft|umbr|hinder|hinter$|festen|festung|"
    "urin|urban|inner|darm|darle|antik|anton|anna|anden|ankara|abel|hering|herold|zuletzt)"
)
_NOT_BOUND = re.compile(
    "^(?:gestern|gegner|gegen|geo|germ|gener|genie|gehen|gebend|gesten?$|gestik|genre|bett|beton|beere|beeren|beat|besser|"
    "zerem|mission|missi|empir|emph|enter|ernst|ernte|erika|versen?$|verso|vert[ie]k|veran[dl]a|"
    "gent|genf|gera$|benj|berni|bern|bero|beda$|besen|gelee|gerd|gerhard|gecko|verdi|verona|genua)"
)
_ONSET = re.compile(
    "^(?:sch[lmnrw]?|spr|str|spl|s[ptk]|[bpfgk][lr]|pf[lr]?|[dtw]r|kn|gn|zw|qu|ch|ph|rh|th|schr|"
    "[bcdfghjklmnprstvwz])?[aeiouyäöü]"
)
_INFLECTION = re.compile("(?:e[nrsml]?|e?t|e?st|te[nt]?|end|eln|ern)$")
_SUFFIX = re.compile(
    "^(?P<stem>.*?[aeiouyäöü].*?)(?P<suffix>(?:(?:heit|keit)(?:en|s)?|"
    "schaft(?:en|s|er|ers|ler|lern|lers|lich\\w*)?|lich(?:keit|keiten|e[nrsm]?|ere[nrsm]?|ste[nrsm]?|st)?|"
    "bar(?:e[nrsm]?|keit)?|sam(?:e[nrsm]?|keit)?|(?:los|haft)(?:e[nrsm]?|igkeit)?|"
    "(?<=[dbgtpfkzmß])chens?|(?<=[^n])nis(?:se[ns]?)?|wärts))$"
)
_NO_SUFFIX = re.compile("^(?:balsam|alibar|bitumen|barbar|kolos)")
_SHARP = re.compile(
    "(?:(?:ver|be|ge|er|ent|zu|zer)*)(?:schließ|ließ|groß|größ|straß|heiß|weiß|fließ|gieß|schieß|stoß|"
    "stöß|fuß|füß|maß|mäß|süß|grüß|gruß|reiß|beiß|schweiß|fleiß|saß|stieß|genieß|büß|drieß)"
)
_VERB = re.compile("(?:e?n|e?t|te[nt]?|ung(?:en|s)?|end(?:e[nrsm]?)?)$")


def morphs(word: str, known: Known) -> list[Morph]:
    """The parts of a word in lower case.

    >>> [part.text for part in morphs("landkreis", lambda word: word in ("land", "kreis"))]
    ['land', 'kreis']
    """
    found: list[Morph] = []
    for element in compound(word, known):
        found += _affixes(element, known, "ˌ" if found else "ˈ")
    return found


def compound(word: str, known: Known) -> tuple[str, ...]:
    """The words that a compound is made of; itself if it is none."""
    if len(word) < 6:
        return (word,)
    whole = 1.0 + (0.25 if known(word) else 0.35) * max(0, len(word) - 4)
    best: list[tuple[float, tuple[str, ...]]] = [(0.0, ())]
    for stop in range(1, len(word) + 1):
        options: list[tuple[float, tuple[str, ...]]] = [(99.0, ())]
        for start in range(max(0, stop - 24), stop - 2):
            if stop - start == len(word) or best[start][0] > 50:
                continue
            price = _price(word[start:stop], known, stop == len(word))
            if price is not None and (start == 0 or _ONSET.match(word[start:])):
                options.append((best[start][0] + price, (*best[start][1], word[start:stop])))
        best.append(min(options, key=lambda one: one[0]))
    cost, parts = best[-1]
    return parts if cost + 0.4 * (len(parts) - 1) < whole else (word,)


@lru_cache(50_000)
def _price(part: str, known: Known, last: bool) -> float | None:
    """What it costs to take a part for a word; None if it is none."""
    if part in _STEMS:
        return 0.5
    if part in _NO_PART or part in _APART or not re.search("[aeiouyäöü]", part):
        return None
    if last and part.endswith(("e", "en", "es", "s", "n", "er", "ern")):
        base = re.sub("(?:e[nrs]?|s|n|ern)$", "", part)
        if (base in _STEMS and len(base) > 2) or part[:-1] in _STEMS:
            return 0.55
    if part in IRREGULAR and len(part) > 3:
        return 0.6
    linked = part[:-1] if part.endswith("s") and not last else ""
    if linked in _STEMS or re.search("(?:ung|heit|keit|schaft|ion|tät)$", linked):
        return 0.7 if linked in _STEMS or known(linked) else 0.9
    if part.endswith("ologie"):
        return 0.9
    size = len(part)
    if known(part):
        return {3: 2.2, 4: 1.3}.get(size, 1.0)
    if linked and size > 5 and known(linked):
        return 1.1
    if last and size > 5 and any(known(part.removesuffix(end)) for end in ("s", "en", "n", "es")):
        return 1.1
    if last and any(part.startswith(b) and known(part[len(b) :]) for b in _BOUND) and size > 6:
        return 1.1
    return None


def _affixes(word: str, known: Known, stress: str) -> list[Morph]:
    """A word that is no compound: its prefixes, its stem, its endings."""
    if (match := _SUFFIX.match(word)) and not _NO_SUFFIX.match(word):
        rest = match["stem"]
        if len(rest) > 1 and rest not in _BOUND and rest not in ("un", "ur", "unge", "ge", "auf"):
            return [*_affixes(rest, known, stress), Morph(match["suffix"], "", False)]
    if not _NOT_APART.match(word):
        for prefix in sorted(_APART, key=len, reverse=True):
            rest = word[len(prefix) :]
            if (
                word.startswith(prefix)
                and (len(rest) > 3 or rest in _STEMS)
                and (len(prefix) > 3 or _whole(rest, known))
            ):
                if prefix in ("über", "unter", "durch", "hinter") and _VERB.search(rest):
                    return [Morph(prefix, "", True), *_affixes(rest, known, stress)]
                return [Morph(prefix, stress, True), *_affixes(rest, known, "ˌ")]
    if not _NOT_BOUND.match(word):
        for prefix in _BOUND:
            rest = word[len(prefix) :]
            if word.startswith(prefix) and _stem(prefix, rest):
                return [Morph(prefix, "", False), *_affixes(rest, known, stress)]
    return [Morph(word, stress, True)]


def _whole(rest: str, known: Known) -> bool:
    """Whether what stands behind a prefix is a word; the lexicon has none with `ß`."""
    if not _ONSET.match(rest):
        return False
    if _SHARP.match(rest):
        return True
    inner = rest[2:] if rest.startswith(("ge", "zu")) else rest
    if rest in _STEMS or known(rest) or (len(inner) > 3 and known(inner)):
        return True
    base = re.sub(
        "(?:er(?:in|innen|n|s)?|ung(?:en|s)?|e?n|te[nt]?|t|end(?:e[nrsm]?)?|e)$", "", rest
    )
    return len(base) > 2 and any(known(base + end) for end in ("en", "e", "t", ""))


def _stem(prefix: str, rest: str) -> bool:
    """Whether what stands behind a bound prefix has a vowel besides those of its endings."""
    if len(rest) < 3 or not _ONSET.match(rest) or (rest[0] in "iu" and prefix in ("be", "ge")):
        return False
    if prefix == "emp" and rest[0] != "f":
        return False
    if rest[0] == "e" and prefix in ("be", "ge"):
        return True
    bare = _INFLECTION.sub("", rest)
    return bool(re.search("[aeiouyäöü]", bare)) and len(bare) > 1
