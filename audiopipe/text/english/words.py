"""Words, acronyms, and mixtures of letters and digits: American English."""

from __future__ import annotations

import re

from audiopipe.text.english.numbers import cardinal, digits, pairs
from audiopipe.text.letters import LETTER, WORD, listed, vocabulary
from audiopipe.text.reading import Context, Piece, Rule, rule

_SAID_AS_WORDS = {
    word.upper(): word
    for word in listed(
        "nasa unesco unicef nato opec fifa nafta nasdaq covid aids radar laser scuba swat ascii "
        "gif ram rom pin sim lan wan captcha potus scotus fomo yolo midi daw bios dos gimp yaml "
        "interpol europol uefa"
    )
} | {
    "JPEG": "jpeg", "JPEGS": "jpegs", "JSON": "jason", "SCSI": "scuzzy", "GUI": "gooey",
    "LUFS": "luffs", "FLAC": "flack", "WAV": "wave", "SAAS": "sass", "VST": "V S T", "PNG": "P N G",
    "WYSIWYG": "wizzywig", "WWII": "world war two", "WWI": "world war one",
    "ASMR": "A S M R", "NSYNC": "in sync", "LIDAR": "lidar",
}  # fmt: skip
_EMPHASISED = vocabulary(
    "a and are as at be been but by can did do does for from get go had has have he her him "
    "his how if in into is its just let like me more most must my never new no not now of off "
    "on one only or our out over own please real really said same she should so some stop "
    "such than that the their them then there these they this those to too two up very want "
    "was way we well were what when where which who why will with would yes you your all any "
    "ever every free big bad good sale love live hot top day man old see say use why wow hey "
    "oh ah ha yeah nope yep end war"
)
"""Short words that are written in capitals to stress them; others that short are acronyms."""

_LETTERED = vocabulary(
    "vitamin type plan grade section class hepatitis appendix exhibit option letter side part "
    "team group row gate key note in the letters"
)


def spell(letters: str) -> list[str]:
    """The names of letters."""
    return [letter.upper() for letter in letters if letter.isalpha()]


@rule(r"(?P<caps>[A-Z]{2,})(?P<tail>['’]?s)?(?![\w&])")
def _acronym(match: re.Match[str], context: Context) -> list[str] | None:
    caps, tail = match["caps"], match["tail"]
    lower = caps.lower()
    if context.shouting and context.known(lower) and not tail:
        return [lower]
    if caps in _SAID_AS_WORDS:
        *head, last = _SAID_AS_WORDS[caps].split()
        ending = "" if not tail else "'s" if "'" in tail or "’" in tail else "s"
        return [*head, last + ending]
    if not tail and (lower in _EMPHASISED or (len(caps) > 3 and context.known(lower))):
        if caps == "IN" and re.match(r"\s+\d{5}", context.right(match.end())):
            return spell(caps)
        return [lower]
    if len(caps) > 6 and re.search(r"[AEIOUY]", caps) and not tail:
        return [lower]
    *head, last = spell(caps)
    return [*head, last + ("'s" if tail else "")]


@rule(r"[A-Z]+(?:&[A-Z]+)+(?!\w)")
def _ampersand(match: re.Match[str], context: Context) -> list[str]:
    said: list[str] = []
    for letters in match[0].split("&"):
        said += [*(["and"] if said else []), *letters]
    return said


@rule(
    r"(?P<letter>[A-Za-z])(?P<sign>\+\+|#|♯|♭|b(?=\s(?:major|minor|flat|sharp))"
    r"|(?<=[A-F])-(?=[\s.,;)]|$))(?![\w])"
    r"|(?P<dotted>\.NET)\b"
)
def _signed(match: re.Match[str], context: Context) -> list[str]:
    if match["dotted"]:
        return ["dot", "net"]
    names = {
        "++": ["plus", "plus"],
        "#": ["sharp"],
        "♯": ["sharp"],
        "♭": ["flat"],
        "b": ["flat"],
        "-": ["minus"],
    }
    return [match["letter"].upper(), *names[match["sign"]]]


@rule(rf"[A-Za-z](?!{LETTER}|[\d_'’\u0300-\u036f])")
def _letter(match: re.Match[str], context: Context) -> list[str] | None:
    letter = match[0]
    before = context.before(match.start())
    if letter in "Ii":
        return [letter.upper()] if before.lower() in _LETTERED - {"the", "in", "team"} else ["i"]
    if letter == "a":
        return ["a"]
    if letter == "A":
        named = before and not before.endswith(".") and before.lower() in _LETTERED
        begins = not before or before.endswith(".")
        noun = r"\s+[a-z]" if not begins else r"\s+(?:\d|[^\W\d_]{2})"
        article = re.match(noun, context.right(match.end())) and not named
        return ["a"] if article or (context.shouting and not named) else ["A"]
    if letter == "O" and re.match(r"\s+[A-Z]", context.right(match.end())):
        return ["oh"]
    return [letter.upper()]


@rule(r"(?=\w*\d)(?=\w*[^\W\d_])[A-Za-z0-9]+(?![\w])")
def _mixed(match: re.Match[str], context: Context) -> list[str]:
    return mixture(match[0], context)


def mixture(text: str, context: Context) -> list[str]:
    """What is neither a word nor a number: `MP3`, `x86`, `B2B`."""
    said: list[str] = []
    for part in re.findall(r"\d+|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]", text):
        if part.isdigit():
            code = len(part) > 4 or (part[0] == "0" and len(part) > 1)
            year = len(part) == 4 and part[:2] in ("19", "20")
            paired = year or len(part) == 3
            said += digits(part) if code else pairs(part) if paired else cardinal(part)
        else:
            said += name(part, context)
    return said


def name(text: str, context: Context) -> list[str]:
    """A part of a name in letters: a word where it is one, else its letters."""
    lower = text.lower()
    if text.upper() in _SAID_AS_WORDS and len(text) > 2:
        return _SAID_AS_WORDS[text.upper()].split()
    if len(text) == 1 or (text.isupper() and len(text) < 4):
        return spell(text)
    if context.known(lower) and (
        len(text) > 2
        or lower in ("to", "my", "me", "go", "us", "we", "in", "on", "up", "it", "is", "of")
    ):
        return [lower]
    if len(text) < 4 or not re.search("[aeiouy]", lower) or not text.isascii():
        return spell(text) if text.isascii() else [lower]
    return [lower]


@rule(rf"{WORD}(?:['’ʼ\-‐]{WORD})*['’]?")
def _word(match: re.Match[str], context: Context) -> list[Piece]:
    text, stop = match[0], match.end()
    if text[-1] in "'’":
        # "the Joneses'" has its apostrophe, 'quoted' has none: it sounds the same.
        text, stop = text[:-1], stop - 1
    lower = re.sub("[’ʼ]", "'", text.lower()).replace("‐", "-")
    if context.known(lower):
        return [Piece(match.start(), stop, (lower,))]
    said = [word for part in re.split("[-‐]", text) for word in _simple(part, context)]
    return [Piece(match.start(), stop, tuple(said))]


def _simple(text: str, context: Context) -> list[str]:
    lower = re.sub("[’ʼ]", "'", text.lower())
    if len(text) == 1 and lower not in ("a", "i"):
        return [text.upper()]
    if context.known(lower) and not (text.isupper() and len(text) < 4):
        return [lower]
    parts = _camel(text)
    if len(parts) > 1 or text.isupper():
        return [word for part in parts for word in name(part, context)]
    speakable = not text.isascii() or re.search("[aeiouy]", lower) or "'" in lower
    return [lower] if speakable or lower in _SOUNDS else spell(text)


_SOUNDS = vocabulary("hmm hm mm mmm shh sh pst psst tsk brr grr pfft")


def _camel(text: str) -> list[str]:
    if re.match(r"(?:Mc|Mac|De|Di|Du|La|Le|Van|Von|O['’])[A-Z][a-z]+$", text):
        return [text]
    return (
        re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z'’]+|[^\W\d_]+", text)
        if (text.isascii() and re.search(r"[a-z][A-Z]|[A-Z]{2}[a-z]", text))
        else [text]
    )


@rule(r"\d")
def _digit(match: re.Match[str], context: Context) -> list[str]:
    return digits(match[0]) if match[0].isascii() else [match[0]]


ACRONYMS: tuple[Rule, ...] = (_signed, _ampersand, _acronym, _letter)
RULES: tuple[Rule, ...] = (_mixed, _word, _digit)
