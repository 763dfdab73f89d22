"""Own words, the sounds of languages, and what is loaded when."""

import sqlite3
import subprocess
import sys

import pytest

from audiopipe.errors import DefinitionError, MissingDependencyError
from audiopipe.text import Lexicon, TextError, plain, segments
from audiopipe.text.phonemes import inventory, parse
from audiopipe.text.pronounce import Pronouncer

OWN = """
kerstin: /ˈkɛɹ.stɪn/
GIF: jiff
audio pipe: the pipe
3D: three dee
"""


def test_own_words_come_first_and_capitals_count():
    lexicon = Lexicon.parse(OWN)
    text = "KERSTIN'S gif is a GIF in 3D. Audio Pipe kerstins."
    words = [w for s in segments(plain(text), lexicon=lexicon) for w in s]
    said = {w.written: w for w in words}
    assert said["GIF"].said == "jiff"
    assert said["gif"].said == "gif"
    assert said["3D"].said == "three dee"
    assert said["Audio Pipe"].said == "the pipe"
    assert said["kerstins"].said == "kerstins"
    (word,) = next(segments(plain("Kerstin"), lexicon=lexicon)).words
    assert word.phonemes == ("k", "ˈɛ", "ɹ", "s", "t", "ɪ", "n")


def test_sounds_of_another_language_are_not_taken():
    lexicon = Lexicon.parse("gif: /d͡ʒˈɪf/", "en")
    (word,) = next(segments(plain("gif", "de"), lexicon=lexicon)).words
    assert "d͡ʒ" not in word.phonemes


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("a: /q/\nb: 5\nc:\n'-': x\nd: /x", [
            "w.yaml:1:1: 'q' in 'q' is no sound of 'en'; there is",
            "w.yaml:2:1: 'b' needs how it is said", "w.yaml:3:1: 'c' needs how",
            "w.yaml:4:1: '-' has no letter", "w.yaml:5:1: '/x' begins with a slash"]),
        ("a: kˈæt", ["w.yaml:1:1: 'kˈæt' looks like IPA; write it between slashes: /kˈæt/"]),
        ("- a", ["w.yaml:1:1: a lexicon is a list of `word: /IPA/`"]),
        ("a: b\na: c", ["'a' is here twice"]),
    ],
    ids=range(4),
)  # fmt: skip
def test_what_is_wrong_in_own_words_is_told_with_places(text, problems):
    with pytest.raises(DefinitionError) as caught:
        Lexicon.parse(text, file="w.yaml")
    told = str(caught.value).splitlines()
    assert len(told) == len(problems), told
    for line, problem in zip(told, problems, strict=True):
        assert problem in line


def test_own_words_are_read_from_a_file(tmp_path):
    file = tmp_path / "words.yaml"
    file.write_text(OWN, encoding="utf-8")
    assert Lexicon.read(file).words["GIF"] == "jiff"
    assert not Lexicon.parse("").words


@pytest.mark.parametrize(
    ("ipa", "language", "sounds"),
    [
        ("ˈhɛl.oʊ", "en", "h ˈɛ l oʊ"),
        ("h ə l ˈoʊ", "en", "h ə l ˈoʊ"),
        ("/tʃɝtʃ/", "en", "t͡ʃ ɚ t͡ʃ"),
        ("rɑːðər", "en", "ɹ ɑ ð ə ɹ"),
        ("ˌɪntəˈnæʃənəl", "en", "ˌɪ n t ə n ˈæ ʃ ə n ə l"),
        ("ˈbʌtn̩", "en", "b ˈʌ t ə n"),
        ("ˈçeːmiː", "de", "ç ˈeː m iː"),
        ("pfɛrt", "de", "p͡f ɛ ʁ t"),
    ],
)
def test_ipa_is_understood_as_books_write_it(ipa, language, sounds):
    assert " ".join(parse(ipa, language)) == sounds


@pytest.mark.parametrize("ipa", ["", "ˈ", "hy", "ʘ", "  "])
def test_what_is_no_ipa_is_refused(ipa):
    with pytest.raises(TextError):
        parse(ipa, "en")


@pytest.mark.parametrize("language", ["en", "de"])
def test_lexicon_and_guesses_keep_to_the_inventory(language, lexicons):
    lexicon = Pronouncer(language)
    known = inventory(language)
    for word in ("hello", "haus", "blorptastic", "xyzzy", "schnurp", "queue", "quark"):
        entry = lexicon.entry(word)
        sounds = entry[0][1] if entry else lexicon.guess(word)
        assert sounds
        assert {s.lstrip("ˈˌ") for s in sounds} <= known
    (made,) = lexicons.glob(f"gruut_lang_{language}-*.sqlite")
    database = sqlite3.connect(made)
    rows = database.execute("SELECT DISTINCT phonemes FROM words")
    assert {s.lstrip("ˈˌ") for (phonemes,) in rows for s in phonemes.split()} <= known


def test_where_the_cache_cannot_be_written_the_index_is_in_memory(monkeypatch, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert Pronouncer("en").entry("hello")
    assert blocked.read_text() == ""


def test_a_language_whose_pack_is_missing_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("audiopipe.text.pronounce.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r'pip install "audiopipe\[german\]"'):
        Pronouncer("de")


def test_nothing_of_this_is_imported_with_audiopipe():
    code = (
        "import sys, audiopipe, audiopipe.cli, audiopipe.text\n"
        "late = ('audiopipe.text.', 'markdown_it', 'pycrf', 'gruut', 'sqlite3', 'xml.parsers')\n"
        "found = [m for m in sys.modules if m.startswith(late)]\n"
        "assert not found, found\n"
        "import audiopipe.text as text; text.segments; text.plain\n"
        "assert 'torch' not in sys.modules and 'gruut' not in sys.modules, 'slow'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
