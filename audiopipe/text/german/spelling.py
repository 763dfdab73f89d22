"""How German letters sound: the spelling of one stem, with its endings, to sounds.

German is written by rule: how long a vowel is follows from what stands behind it, where the stress
is from the ending. What breaks the rules is in `irregular.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from audiopipe.text.german.stress import falls_apart, stressed, stressed_plural
from audiopipe.text.letters import vocabulary

_GRAPHEME = re.compile(
    "tsch|dsch|sch|chs|ch|ck|tz|pf|ph|th|rh|qu|ng|nk|dt|ß"
    r"|(?P<double>([bcdfgklmnprstvwz])\2)"
    "|ieh(?=ung|[^aouäöü]|$)|i(?=ell)|(?<=[tzrlp])i(?=en[tz])|ie|aa|ee|oo|ow$|(?P<long>[aeiouäöü]h(?=ung|ig|isch|[^aoiuäöü]|$))"
    "|au|äu|eu|ei|ai|ey|ay|oy|ou|ae|oe(?!t(?!h)|sie|m)|."
)
_SHORT = {"a": "a", "e": "ɛ", "i": "ɪ", "o": "ɔ", "u": "ʊ", "ä": "ɛ", "ö": "œ", "ü": "ʏ", "y": "ʏ"}
_LONG = {
    "a": "aː", "e": "eː", "i": "iː", "o": "oː", "u": "uː", "ä": "ɛː", "ö": "øː", "ü": "yː",
    "y": "yː",
}  # fmt: skip
_FIXED = {
    "ieh": "iː", "ie": "iː", "aa": "aː", "ee": "eː", "oo": "oː", "au": "aʊ̯", "äu": "ɔʏ̯", "eu": "ɔʏ̯",
    "ei": "aɪ̯", "ai": "aɪ̯", "ey": "aɪ̯", "ay": "aɪ̯", "oy": "ɔʏ̯", "ou": "uː", "ae": "ɛː", "oe": "øː",
    "ow": "oː",
}  # fmt: skip
_CONSONANTS = {
    "tsch": "t͡ʃ", "dsch": "d͡ʒ", "sch": "ʃ", "ck": "k", "tz": "t͡s", "pf": "p͡f", "ph": "f", "th": "t",
    "rh": "ʁ", "qu": "k v", "nk": "ŋ k", "dt": "t", "ß": "s", "c": "k", "f": "f", "h": "h",
    "j": "j", "k": "k", "l": "l", "m": "m", "n": "n", "p": "p", "q": "k", "r": "ʁ", "t": "t",
    "w": "v", "x": "k s", "z": "t͡s", "b": "b", "d": "d", "g": "g",
}  # fmt: skip
_TIGHT = {"tsch", "sch", "chs", "ch", "ck", "tz", "pf", "ng", "nk", "dt", "x"}
"""Single sounds behind which a vowel is short, as before two."""
_HARD = {"b": "p", "d": "t", "g": "k"}
_VOWELS = "aeiouyäöü"

_LONG_BEFORE_CH = re.compile(
    "(?:^|[^aeiouyäöü])(?:(?:b|fl|t|s|bes|vers|ges|k|wucher|pr)uch|[bt]üch|spr[aä]ch|hoch|nach|"
    "[sk]uch|brach|stach|nächst|höchst|wuch)(?:[^s]|$|s(?!t?$))"
)
_LONG_R = re.compile("^(?:erd|pferd|werd|wert|herd|schwert|erst|art|bart|zart|quarz|fahrt|gart)")
_LONG_ST = re.compile("(?:ost(?:er|ern)$|klost|^trost|tröst|^hust|wüst|düst|schust|^pust|^rüst)")
_LONG_CLOSED = re.compile("^(?:mond|obst|papst|vogt|magd|jagd|krebs|städt|nebst|dusch|wuchs|tsche)")
_SHORT_WORDS = vocabulary(
    "ab am an bin bis das des es hat im in man mit ob um vom von was wes zum zur hin ins ans "
    "aufs bus fit job top flop hit klub club gag bob pop rock tram wrack jet set pin tip hip "
    "hop plus rap sex cup red ham mob lok chip clip film trip web blog block"
)
_NATIVE_V = re.compile("v(?:or|er|iel|ier(?!u)|[oö]g|[oö]l[kl]|at|ät|et[tz]|on$|ieh|eil|liest)")


@dataclass
class _Letters:
    """A grapheme of a stem, and where it stands."""

    text: str
    start: int
    vowel: bool
    double: bool = False
    long: bool = False


def stem(
    text: str, stress: str, known: Callable[[str], bool], bare: bool = True
) -> tuple[str, ...]:
    """The sounds of a stem in lower case; its stressed vowel gets `stress` (`ˈ`, `ˌ` or nothing).

    What is not `bare` is an ending, without a stressed vowel of its own.

    >>> " ".join(stem("straße", "ˈ", lambda word: False))
    'ʃ t ʁ ˈaː s ə'
    """
    if stressed_plural(text):
        return (*stem(text[:-1], stress, known), "ə", "n")
    letters = _graphemes(text)
    nuclei = [k for k, one in enumerate(letters) if one.vowel]
    if not nuclei:
        return tuple(sound for k in range(len(letters)) for sound in _consonant(letters, k, ""))
    main = -1
    if bare:
        main = nuclei[stressed(text, [letters[k].start for k in nuclei])]
    lengthened = _inflected(text, known)
    sounds: list[str] = []
    for k, one in enumerate(letters):
        if not one.vowel:
            if one.text == "r" and sounds and sounds[-1] == "ɐ" and _closes(letters, k):
                continue
            sounds += _consonant(letters, k, sounds[-1] if sounds else "")
        elif _glides(letters, k, main):
            if letters[k - 1].text == "t" and k > 1 and letters[k - 2].text not in ("s", "ch"):
                sounds[-1] = "t͡s"
            sounds.append("j")
        else:
            sound = _vowel(text, letters, k, main, lengthened)
            sounds.append(stress + sound if k == main and sound not in "əɐ" else sound)
    return tuple(sounds)


def _graphemes(text: str) -> list[_Letters]:
    found = []
    for match in _GRAPHEME.finditer(text):
        part = match[0]
        vowel = part[0] in _VOWELS
        if part == "y" and match.end() < len(text) and text[match.end()] in _VOWELS and (
            match.start() == 0 or text[match.start() - 1] in _VOWELS
        ):  # fmt: skip
            part, vowel = "j", False
        found.append(
            _Letters(part, match.start(), vowel, bool(match["double"]), bool(match["long"]))
        )
    if falls_apart(text) and any(one.text == "ie" for one in found):
        place = max(k for k, one in enumerate(found) if one.text == "ie")
        at = found[place].start
        found[place : place + 1] = [_Letters("i", at, True), _Letters("e", at + 1, True)]
    return found


def _inflected(text: str, known: Callable[[str], bool]) -> int:
    """Where the last consonant of a stem stands that `-t`, `-te`, `-st` follow: `lebt`, `sagte`;
    the vowel before is as long as in `leben`."""
    match = re.search(f"[{_VOWELS}]([bdgklmnp])(?:t|te|ten|tet|test|st|s)$", text)
    if match is None:
        match = re.search("[äöü](r)(?:t|te|ten|tet|test|st)$", text)
    if match is None or text.startswith(("samt", "amt", "gesamt")):
        return -1
    base = text[: match.end(1)]
    if text == base + "s":
        return match.start(1) if known(base) and len(base) > 2 else -1
    return match.start(1) if known(base + "en") or known(base + "e") else -1


def _closes(letters: list[_Letters], k: int) -> bool:
    """Whether no vowel follows a consonant."""
    return k + 1 == len(letters) or not letters[k + 1].vowel


def _glides(letters: list[_Letters], k: int, main: int) -> bool:
    """Whether an `i` is one with the vowel behind it: `Nation`, `speziell`, `Spanien`."""
    if letters[k].text == "ie":
        # Before its own vowel: `Spanien`, `Familie`, which `_vowel` gives the `ə`.
        return False
    before_vowel = k + 1 < len(letters) and letters[k + 1].vowel
    later = any(one.vowel for one in letters[:k])
    return letters[k].text == "i" and before_vowel and later and k != main


def _vowel(text: str, letters: list[_Letters], k: int, main: int, lengthened: int) -> str:
    one = letters[k]
    behind = []
    for other in letters[k + 1 :]:
        if other.vowel:
            break
        behind.append(other)
    last = k + 1 + len(behind) == len(letters)
    if one.text == "eu" and last and [b.text for b in behind[:1]] == ["r"] and k == main and k > 1:
        return "øː"
    if one.text in _FIXED:
        return _FIXED[one.text]
    if one.long:
        return _LONG[one.text[0]]
    letter, stressed = one.text, k == main
    weight = sum(2 if b.double or b.text in _TIGHT else 1 for b in behind)
    if letter == "e" and not stressed:
        if k > main:
            return "ɐ" if behind and behind[0].text == "r" and (
                len(behind) > 1 or last
            ) else "ə"  # fmt: skip
        return "eː" if weight < 2 and not last else "ɛ"
    if not behind and last:
        return _LONG[letter] if stressed or letter != "a" else "a"
    liquid = (
        len(behind) == 2
        and not last
        and behind[0].text in "bdgkptf"
        and behind[1].text in "lr"
        and not behind[0].double
    )
    open_ = weight == 0 or (weight == 1 and not last) or liquid
    if not stressed:
        if open_ and letter == "a":
            return "a"
        tense = open_ and not (letter == "i" and k > main)
        return _LONG[letter] if tense else _SHORT[letter]
    if open_ or (behind and behind[0].start == lengthened):
        return _LONG[letter]
    rest = text[one.start :]
    if weight == 1 and last:
        return _SHORT[letter] if text in _SHORT_WORDS else _LONG[letter]
    if behind[0].text in ("ch", "chs") and _LONG_BEFORE_CH.search(text):
        return _LONG[letter]
    if letter == "e" and rest.startswith(("egn", "ebn")) and not last:
        return _LONG[letter]
    for pattern in (_LONG_R, _LONG_ST, _LONG_CLOSED):
        if pattern.search(text):
            return _LONG[letter]
    return _SHORT[letter]


def _consonant(letters: list[_Letters], k: int, before: str) -> list[str]:
    """The sounds of a consonant; `before` is the sound before it."""
    one = letters[k]
    following = letters[k + 1].text if k + 1 < len(letters) else ""
    voiced = bool(following) and (
        letters[k + 1].vowel
        or (following[0] in "lrnm" and k + 2 < len(letters) and letters[k + 2].vowel)
    )
    text = one.text[0] if one.double else one.text
    if text == "s" and not one.double:
        return [_s(letters, k, before, following)]
    if text == "s":
        return ["s"]
    if text in ("ch", "chs"):
        return _ch(text, letters, k, before, following)
    if text == "v":
        native = k == 0 and _NATIVE_V.match("".join(one.text for one in letters))
        return ["f" if native or not voiced else "v"]
    if text == "ng":
        return ["ŋ", "g"] if following[:1] in tuple("aour") and following else ["ŋ"]
    if text == "g" and before == "ɪ" and not voiced and k > 1:
        return ["ç"]
    if text in _HARD:
        return [text if voiced else _HARD[text]]
    if text == "r":
        coda = not (following and letters[k + 1].vowel)
        long = before.endswith("ː") or before.endswith("̯")
        return ["ɐ" if coda and long else "ʁ"]
    if text == "c":
        soft = following[:1] in tuple("eiäöy") and following
        return ["t͡s" if soft else "k"]
    if text == "h" and k and _silent(letters[k - 1], following):
        return []
    if text == "w" and not following:
        return ["f"]
    return _CONSONANTS.get(text, "").split()


def _silent(before: _Letters, following: str) -> bool:
    """Whether an `h` is not said: `Reihe`, `Matthäus`."""
    diphthong = before.vowel and len(before.text) > 1 and following.startswith("e")
    return diphthong or (before.vowel and not following) or (before.double and before.text == "tt")


def _s(letters: list[_Letters], k: int, before: str, following: str) -> str:
    """`s`: as in `See`, `Stein` or `Haus`."""
    if k == 0 and following[:1] in ("p", "t") and following not in ("tsch", "th", "tz"):
        return "ʃ"
    vowel = bool(following) and letters[k + 1].vowel
    free = k == 0 or letters[k - 1].vowel or letters[k - 1].text in ("l", "m", "n", "r", "ng")
    return "z" if vowel and free else "s"


def _ch(text: str, letters: list[_Letters], k: int, before: str, following: str) -> list[str]:
    """`ch`: as in `Bach`, `ich`, `Chor` or `sechs`."""
    plain = before.lstrip("ˈˌ")
    if not before:
        return ["k" if following[:1] in tuple("aolru") else "ç"]
    back = plain in ("a", "aː", "ɔ", "oː", "ʊ", "uː", "aʊ̯")
    if text == "chs":
        short = plain in ("a", "ɛ", "ɔ", "ʊ", "ɪ", "uː", "ɛː")
        if (following and (letters[k + 1].vowel or following == "l") and short) or (
            not following and short
        ) or (
            following == "t" and plain in ("a", "ɛ") and letters[k - 1].text in ("a", "e")
        ):  # fmt: skip
            return ["k", "s"]
        return ["x" if back else "ç", "s"]
    return ["x" if back else "ç"]
