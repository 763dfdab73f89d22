"""Words to sounds: gruut's lexicons and models, read without gruut's own code.

The language packs of gruut (Michael Hansen, MIT; https://github.com/rhasspy/gruut) hold a lexicon
in SQLite, and conditional random fields for parts of speech and for words that the lexicon has not.
Importing gruut itself takes seconds and a hundred megabytes of packages, for a normaliser that is
not used here; what is left of it are the features of its models, below.
"""

from __future__ import annotations

import re
import sqlite3
import string
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib import util
from pathlib import Path
from threading import Lock
from typing import Any

from audiopipe.errors import MissingDependencyError
from audiopipe.text.letters import bare, romanised

_PACKS = {"en": "gruut_lang_en", "de": "gruut_lang_de"}
_CURES = {"en": "pip install gruut_lang_en", "de": 'pip install "audiopipe[german]"'}

Entry = tuple[tuple[str, tuple[str, ...]], ...]
"""The roles of a word (`VB`, `NN`, or nothing) and its sounds in each, the usual one first."""


@cache
def pronouncer(language: str) -> Pronouncer:
    """The words of a language, loaded once; raises MissingDependencyError."""
    if language not in _PACKS:
        from audiopipe.text.unread import Unpronounced

        return Unpronounced(language)
    return Pronouncer(language)


class Pronouncer:
    """The lexicon of a language, and models for what it does not have. Threads may share it."""

    def __init__(self, language: str) -> None:
        pack = _PACKS[language]
        spec = util.find_spec(pack)
        if spec is None or spec.origin is None or util.find_spec("pycrfsuite") is None:
            raise MissingDependencyError(
                f"reading {language!r} aloud needs {pack} and python-crfsuite; {_CURES[language]}"
            )
        self.language = language
        self._folder = Path(spec.origin).parent
        self._lock = Lock()
        self._database = _indexed(self._folder / "lexicon.db", pack)
        speech = self._folder / "pos" / "model.crf"
        self._tagger = _model(speech) if speech.is_file() else None
        self._letters = _model(self._folder / "g2p" / "model.crf")
        self._entry = lru_cache(100_000)(self._look_up)
        self._guess = lru_cache(20_000)(self._tag_letters)

    def entry(self, word: str) -> Entry:
        """What the lexicon has for a word in lower case; empty if nothing."""
        return self._entry(word)

    def known(self, word: str) -> bool:
        """Whether the lexicon has a word in lower case."""
        return bool(self._entry(word))

    def guess(self, word: str) -> tuple[str, ...]:
        """The sounds of a word that is in no lexicon; none for a script without sounds here.

        >>> " ".join(pronouncer("en").guess("blorptastic"))
        'b l ˈɔ ɹ p t ˈæ s t ɪ k'
        """
        letters = word if all(c.isascii() or c in "äöüß" for c in word) else romanised(word)
        letters = "".join(c for c in letters if c.isalpha() or c == "'")
        if not re.search(r"[a-zäöüß]", letters):
            return ()
        return self._guess(letters)

    def parts_of_speech(self, words: Sequence[str]) -> list[str]:
        """Penn Treebank tags of a sentence, or "" for each word where there is no model."""
        if self._tagger is None or not words:
            return [""] * len(words)
        features = [_word_features(words, i) for i in range(len(words))]
        with self._lock:
            return list(self._tagger.tag(features))

    def _look_up(self, word: str) -> Entry:
        query = "SELECT role, phonemes FROM words WHERE word = ? ORDER BY place"
        with self._lock:
            rows = self._database.execute(query, (word,)).fetchall()
        return tuple((role.removeprefix("gruut:"), tuple(sounds.split())) for role, sounds in rows)

    def _tag_letters(self, word: str) -> tuple[str, ...]:
        spelt = word if self.language == "de" else bare(word)
        features = [_letter_features(spelt, i) for i in range(len(spelt))]
        with self._lock:
            labels = self._letters.tag(features)
        sounds = (s for label in labels for s in b64decode(label).decode().split("|"))
        return tuple(sound for sound in sounds if sound != "_")


def _model(path: Path) -> Any:
    import pycrfsuite

    tagger = pycrfsuite.Tagger()
    tagger.open(str(path))
    return tagger


def _indexed(lexicon: Path, pack: str) -> sqlite3.Connection:
    """The lexicon with an index, which gruut's has not: made once, kept in the cache directory.

    Where that cannot be written, it is made in memory.
    """
    from platformdirs import user_cache_path

    stamp = lexicon.stat()
    folder = user_cache_path("audiopipe") / "lexicons"
    target = folder / f"{pack}-{stamp.st_size}-{int(stamp.st_mtime)}-1.sqlite"
    try:
        if not target.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as file:
                part = Path(file.name)
            try:
                _fill(sqlite3.connect(part), lexicon).close()
                part.replace(target)
            finally:
                part.unlink(missing_ok=True)
        uri = f"{target.as_uri()}?mode=ro&immutable=1"
        found = sqlite3.connect(uri, uri=True, check_same_thread=False)
        found.execute("SELECT 1 FROM words LIMIT 1").fetchone()
        return found
    except (OSError, sqlite3.Error):
        return _fill(sqlite3.connect(":memory:", check_same_thread=False), lexicon)


def _fill(target: sqlite3.Connection, lexicon: Path) -> sqlite3.Connection:
    target.execute("ATTACH ? AS pack", (str(lexicon),))
    target.execute(
        "CREATE TABLE words (word TEXT, place INTEGER, role TEXT, phonemes TEXT, "
        "PRIMARY KEY (word, place)) WITHOUT ROWID"
    )
    entries = "SELECT word, id, role, phonemes FROM pack.word_phonemes ORDER BY word, id"
    target.execute(f"INSERT INTO words {entries}")
    target.commit()
    target.execute("DETACH pack")
    return target


def _code(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")


def _letter_features(word: str, i: int) -> dict[str, Any]:
    """Three letters on either side, as gruut's models were trained."""
    features: dict[str, Any] = {"bias": 1.0, "grapheme": _code(word[i])}
    if i == 0:
        features["begin"] = True
    for j in range(1, 4):
        if i >= j:
            features[f"grapheme-{j}"] = _code(word[i - j])
        if i < len(word) - j:
            features[f"grapheme+{j}"] = _code(word[i + j])
    if i == len(word) - 1:
        features["end"] = True
    return features


def _word_features(words: Sequence[str], i: int) -> dict[str, Any]:
    """Two words on either side, as gruut's model was trained."""
    features: dict[str, Any] = {}
    for j in range(-2, 3):
        if 0 <= i + j < len(words):
            features |= _shape(words[i + j], f"{j:+d}:" if j else "")
    if i == 0:
        features["BOS"] = True
    if i == len(words) - 1:
        features["EOS"] = True
    return features


def _shape(word: str, prefix: str) -> dict[str, Any]:
    return {
        f"{prefix}bias": 1.0,
        f"{prefix}word": _code(word),
        f"{prefix}len(word)": len(word),
        f"{prefix}word.ispunctuation": word in string.punctuation,
        f"{prefix}word.isdigit()": word.isdigit(),
        f"{prefix}word[:2]": word[:2],
        f"{prefix}word[:3]": word[:3],
        f"{prefix}word[-2:]": word[-2:],
        f"{prefix}word[-3:]": word[-3:],
    }
