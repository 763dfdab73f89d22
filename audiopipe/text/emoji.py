"""The names of emoji, and the few that are drawn with letters."""

from __future__ import annotations

import re
import unicodedata

_FLAG = "[\U0001f1e6-\U0001f1ff]"
_TONES = "\U0001f3fb-\U0001f3ff"
_JOINED = f"[\ufe0e\ufe0f\u20e3{_TONES}]"
_PICTURE = (
    "[\U0001f000-\U0001f1e5\U0001f200-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u2300-\u23ff\u25a0-\u25ff"
    "\u2049\u203c\u3030\u303d\u3297\u3299]"
)
EMOJI = re.compile(
    f"(?P<one>{_FLAG}{{2}}|[0-9#*]\ufe0f?\u20e3|"
    f"{_PICTURE}{_JOINED}*(?:\u200d[\\w\u2600-\u27bf\U0001f000-\U0001faff]{_JOINED}*)*)(?:\\s?(?P=one))*"
)
"""An emoji; one that stands several times in a row is one match."""

_SHORT = {
    "❤": "red heart", "♥": "heart", "💜": "purple heart", "💙": "blue heart", "💚": "green heart",
    "👍": "thumbs up", "👎": "thumbs down", "👏": "clapping hands", "🙏": "folded hands",
    "😂": "tears of joy", "🤣": "rolling on the floor laughing", "😊": "smiling face",
    "😉": "winking face", "😍": "heart eyes", "😭": "crying face", "😢": "crying face",
    "😅": "nervous smile", "😎": "sunglasses", "🤔": "thinking face", "🙄": "eye roll",
    "😡": "angry face", "😱": "screaming face", "🤷": "shrug", "🤦": "face palm",
    "💪": "strong arm",
    "🔥": "fire", "🎉": "party popper", "🚀": "rocket", "✅": "check mark", "✔": "check mark",
    "❌": "cross mark", "✨": "sparkles", "⭐": "star", "🌟": "star", "💯": "one hundred points",
    "👀": "eyes", "👋": "waving hand", "🤖": "robot", "☀": "sun", "☕": "coffee",
    "🎵": "musical note",
    "🎶": "musical notes", "🎧": "headphones", "🎤": "microphone", "🎙": "studio microphone",
    "🎂": "birthday cake", "⚠": "warning", "☎": "telephone", "✉": "envelope", "™": "trademark",
    "♪": "musical note", "♫": "musical notes", "☺": "smiling face", "🙂": "smiling face",
}  # fmt: skip
SHORT_DE = {
    "❤": "rotes herz", "♥": "herz", "👍": "daumen hoch", "👎": "daumen runter", "👏": "applaus",
    "🙏": "gefaltete hände", "😂": "freudentränen", "😊": "lächelndes gesicht", "😉": "zwinkern",
    "😍": "herzaugen", "😭": "weinendes gesicht", "😎": "sonnenbrille",
    "🤔": "nachdenkliches gesicht",
    "🔥": "feuer", "🎉": "konfetti", "🚀": "rakete", "✅": "häkchen", "❌": "kreuz", "⭐": "stern",
    "✨": "funkeln", "☀": "sonne", "☕": "kaffee", "🎧": "kopfhörer", "🎤": "mikrofon",
    "🙂": "lächelndes gesicht", "🎵": "musiknote", "⚠": "warnung", "💪": "starker arm",
    "👋": "winkende hand", "🎂": "geburtstagstorte",
}  # fmt: skip
EMOTICONS = {
    ":-)": "smiley", ":)": "smiley", ":-(": "sad face", ":(": "sad face", ";-)": "wink",
    ";)": "wink", ":-D": "grin", ":D": "grin", ":-P": "tongue out", ":P": "tongue out",
    "<3": "heart", ":'(": "crying face", ":-/": "hmm",
}  # fmt: skip
EMOTICON = re.compile("(?:" + "|".join(map(re.escape, EMOTICONS)) + r")(?!\w)")


def words(emoji: str, names: dict[str, str] | None = None) -> list[str]:
    """What an emoji is called; `names` are those of another language, which has no others.

    >>> words("👍🏽"), words("🦊"), words("🇩🇪")
    (['thumbs', 'up'], ['fox', 'face'], ['flag', 'D', 'E'])
    """
    if names is not None:
        return names.get(emoji[0], "").split()
    if re.match(_FLAG, emoji):
        return ["flag", *(chr(ord(char) - 0x1F1E6 + ord("A")) for char in emoji[:2])]
    if emoji[0] in "0123456789#*":
        return []
    if emoji[0] in _SHORT:
        return _SHORT[emoji[0]].split()
    name = unicodedata.name(emoji[0], "").lower()
    name = re.sub(r"\b(heavy|black|white|with|sign|symbol|emoji|medium|large|small)\b", " ", name)
    return re.findall(r"[a-z]+", name.replace("-", " "))
