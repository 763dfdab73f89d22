"""Which sounds words have in their sentence: American English."""

from __future__ import annotations

import re
from collections.abc import Sequence

from audiopipe.text.letters import bare, romanised, vocabulary
from audiopipe.text.pronounce import Entry, Pronouncer
from audiopipe.text.tokens import Token

_OWN: dict[str, str] = {
    "n": "ə n",
    "luffs": "l ˈʌ f s",
    "mikes": "m ˈaɪ k s",
    "jpeg": "d͡ʒ ˈeɪ p ˌɛ ɡ",
    "emoji": "ɪ m ˈoʊ d͡ʒ i",
    "hashtag": "h ˈæ ʃ t ˌæ ɡ",
    "wizzywig": "w ˈɪ z i w ˌɪ ɡ",
    "lidar": "l ˈaɪ d ˌɑ ɹ",
    "hmm": "h ə m",
    "miz": "m ˈɪ z",
    "hertz": "h ˈɚ t s",
    "covid": "k ˈoʊ v ˌɪ d",
    "et": "ˈɛ t",
    "cetera": "s ˈɛ t ɚ ə",
}
"""What the lexicon has not, or has for something else."""

_NEAREST = {
    "VB": ("VB", "NN"),
    "VBN": ("VBN", "VBD", "VB"),
    "VBD": ("VBD", "VB"),
    "VBZ": ("VB",),
    "VBP": ("VB",),
    "VBG": ("VB", "NN"),
    "MD": ("VB",),
    "NNS": ("NN",),
    "NNP": ("NN",),
    "NNPS": ("NN",),
    "JJR": ("JJ",),
    "JJS": ("JJ",),
    "RB": ("RB", "JJ"),
    "RBR": ("RB", "JJ"),
}
"""Roles of the lexicon for a tag of the Penn Treebank, the best first."""

_PAST = vocabulary("yesterday ago already once last then earlier before when had")
_TO_COME = vocabulary(
    "to will would can could should must shall may might do does did don't didn't doesn't "
    "can't won't let's please wouldn't couldn't cannot never always often usually sometimes"
)
_BY_COMPANY: dict[str, tuple[str, frozenset[str]]] = {
    word: (sounds, vocabulary(company))
    for word, sounds, company in (
        ("bass", "b ˈæ s", "fish fishing lake river caught catch boat striped sea angler"),
        ("lead", "l ˈɛ d", "pipe pipes paint metal poisoning poison pencil heavy copper zinc iron"),
        ("tear", "t ˈɪ ɹ", "cry cried eye eyes cheek sob wept weep shed face drop ran"),
        (
            "tears",
            "t ˈɪ ɹ z",
            "cry cried eye eyes cheek cheeks wept shed face in burst joy ran her",
        ),
        ("bow", "b ˈaʊ", "ship ships stern ladies gentlemen knee head deep took take stage"),
        ("row", "ɹ ˈaʊ", "argument quarrel"),
        ("wound", "w ˈaʊ n d", "clock around up tight watch"),
        ("resume", "ɹ ˈɛ z ə m ˌeɪ", "job cv application interview my your her his"),
        ("dove", "d ˈoʊ v", "he she they into we i"),
    )
}
"""Homographs of one part of speech: words near by that ask for the rarer sound."""

_VOICELESS = frozenset(["p", "t", "k", "f", "θ"])
_SIBILANT = frozenset(["s", "z", "ʃ", "ʒ", "t͡ʃ", "d͡ʒ"])


def sounds(tokens: Sequence[Token], lexicon: Pronouncer) -> list[tuple[str, ...]]:
    """The sounds of each word of a sentence."""
    tags: list[str] | None = None
    found: list[tuple[str, ...]] = []
    for i, token in enumerate(tokens):
        entry = () if token.letter or token.said in _OWN else lexicon.entry(token.said)
        several = len({role for role, _ in entry}) > 1
        if several or token.said in _BY_COMPANY or token.said == "used":
            tags = tags or _tags(tokens, lexicon)
            found.append(_chosen(tokens, i, tags[i], entry))
        else:
            found.append(word(token.said, lexicon))
    for i, token in enumerate(tokens[:-1]):
        if token.said == "the" and found[i + 1] and _begins_with_vowel(found[i + 1]):
            found[i] = ("ð", "i")
    return found


def word(text: str, lexicon: Pronouncer) -> tuple[str, ...]:
    """The sounds of a word by itself; a capital letter is its name.

    A word that the lexicon has not is looked for without its ending `'s`, as two words in one
    (`soundcheck`), without accents, and at last guessed.
    """
    if len(text) == 1 and text.isupper():
        named = lexicon.entry(text.lower())
        return next((s for role, s in named if role == "letter"), named[0][1] if named else ())
    if text in _OWN:
        return tuple(_OWN[text].split())
    if entry := lexicon.entry(text):
        return entry[0][1]
    stem, apostrophe, ending = text.rpartition("'")
    if apostrophe and stem and ending in ("s", ""):
        base = word(stem, lexicon)
        return base + _plural(base) if ending and base else base
    plain = bare(text)
    if plain != text and (entry := lexicon.entry(plain)):
        return entry[0][1]
    if "-" in text:
        return tuple(s for part in text.split("-") if part for s in word(part, lexicon))
    return _compound(text, lexicon) or lexicon.guess(text)


def _plural(base: tuple[str, ...]) -> tuple[str, ...]:
    if base[-1] in _SIBILANT:
        return ("ɪ", "z")
    return ("s",) if base[-1] in _VOICELESS else ("z",)


def _compound(text: str, lexicon: Pronouncer) -> tuple[str, ...]:
    for cut in range(len(text) - 4, 3, -1):
        head, tail = lexicon.entry(text[:cut]), lexicon.entry(text[cut:])
        if head and tail:
            return head[0][1] + tuple(s.replace("ˈ", "ˌ") for s in tail[0][1])
    return ()


def _tags(tokens: Sequence[Token], lexicon: Pronouncer) -> list[str]:
    """Parts of speech; the model was trained on texts in which punctuation has its own."""
    words: list[str] = []
    places: list[int] = []
    for token in tokens:
        places.append(len(words))
        words.append(romanised(token.written) if not token.written.isascii() else token.written)
        if token.mark:
            words.append({"—": "--", "…": "..."}.get(token.mark, token.mark))
    tags = lexicon.parts_of_speech(words)
    return [tags[place] for place in places]


def _chosen(tokens: Sequence[Token], i: int, tag: str, entry: Entry) -> tuple[str, ...]:
    token = tokens[i]
    near = {t.said for t in tokens[max(0, i - 6) : i + 7] if t is not token}
    if token.said in _BY_COMPANY and near & _BY_COMPANY[token.said][1] and not tag.startswith("VB"):
        return tuple(_BY_COMPANY[token.said][0].split())
    if not entry:
        return ()
    if token.said == "read":
        tag = _tense(tokens, i, tag)
    if token.said == "lead":
        # The metal is known by its company, and the past is written "led".
        tag = "VB"
    if token.said == "used":
        accustomed = i + 1 < len(tokens) and tokens[i + 1].said == "to"
        return tuple(("j ˈu s t" if accustomed else "j ˈu z d").split())
    if token.said == "polish" and (token.written.islower() or i == 0):
        tag = "NN"
    if tag == "NN" and i and tokens[i - 1].said in ("to", "please", "must", "can", "will"):
        tag = "VB"
    if (
        tag in ("NN", "JJ")
        and i
        and tokens[i - 1].said in ("we", "they", "i", "you")
        and len(tokens) > i + 1
    ):
        tag = "VB"
    if i == 0 and tag == "NN" and len(tokens) > 1 and tokens[1].said in _DETERMINERS:
        tag = "VB"
    roles = dict(reversed(entry))
    for role in _NEAREST.get(tag, (tag,)):
        if role in roles:
            return roles[role]
    return entry[0][1]


_DETERMINERS = vocabulary("the a an your my this that his her our their it them")


def _tense(tokens: Sequence[Token], i: int, tag: str) -> str:
    """Present and past of "read" are written alike: what stands around tells."""
    before = [t.said for t in tokens[max(0, i - 3) : i]]
    if any(w in ("have", "has", "had", "been", "was", "were", "is", "are", "be", "i've", "we've",
                 "you've", "they've", "being", "having") for w in before):  # fmt: skip
        return "VBD"
    if any(w in _TO_COME for w in before) or i == 0:
        return "VB"
    said = {t.said for t in tokens}
    subject = before[-1] if before else ""
    if said & _PAST or subject in ("he", "she", "it") or tag in ("VBD", "VBN"):
        return "VBD"
    return "VB"


def _begins_with_vowel(phonemes: tuple[str, ...]) -> bool:
    return bool(re.match(r"[ˈˌ]?[ɑæɛiɪɔʊʌuəɚeao]", phonemes[0]))
