"""The sounds of German words: lengths of vowels, stress, what is said hard, parts of compounds."""

import time

import pytest

from audiopipe.text.german.morphemes import morphs
from audiopipe.text.german.sounds import word
from audiopipe.text.phonemes import inventory
from audiopipe.text.pronounce import pronouncer

SAID = """
straße ʃ t ʁ ˈaː s ə | verließ f ɛ ɐ l ˈiː s | große g ʁ ˈoː s ə | lösen l ˈøː z ə n
hafen h ˈaː f ə n | sagte z ˈaː k t ə | lebt l ˈeː p t | wasser v ˈa s ɐ | essen ʔ ˈɛ s ə n
landkreis l ˈa n t k ʁ ˌaɪ̯ s | bahnhof b ˈaː n h ˌoː f | haustür h ˈaʊ̯ s t ˌyː ɐ
baustelle b ˈaʊ̯ ʃ t ˌɛ l ə | hauptstadt h ˈaʊ̯ p t ʃ t ˌa t | mädchen m ˈɛː t ç ə n
nation n a t͡s j ˈoː n | theorien t eː oː ʁ ˈiː ə n | spanien ʃ p ˈaː n j ə n
doktoren d ɔ k t ˈoː ʁ ə n | musik m uː z ˈiː k | technik t ˈɛ ç n ɪ k | könig k ˈøː n ɪ ç
könige k ˈøː n ɪ g ə | herausgegeben h ɛ ʁ ˈaʊ̯ s g ə g ˌeː b ə n | beenden b ə ʔ ˈɛ n d ə n
überqueren ʔ yː b ɐ k v ˈeː ʁ ə n | unterschied ʔ ˈʊ n t ɐ ʃ ˌiː t | regen ʁ ˈeː g ə n
erfolglos ʔ ɛ ɐ f ˈɔ l k l oː s | chefin ʃ ˈɛ f ɪ n | sechs z ˈɛ k s | höchste h ˈøː ç s t ə
reihe ʁ ˈaɪ̯ ə | buch b ˈuː x | bücher b ˈyː ç ɐ | dach d ˈa x | männer m ˈɛ n ɐ | uhr ʔ ˈuː ɐ
vogel f ˈoː g ə l | video v ˈiː d eː oː | quelle k v ˈɛ l ə | zeitung t͡s ˈaɪ̯ t ʊ ŋ
"""


@pytest.fixture(scope="module")
def lexicon():
    return pronouncer("de")


@pytest.mark.parametrize("entry", SAID.strip().replace("\n", "|").split("|"))
def test_words_are_said_as_they_are_spelt(entry, lexicon):
    written, *sounds = entry.split()
    assert word(written, lexicon) == tuple(sounds)


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("gerichtsbezirk", "ge richts be zirk"),
        ("wasserarmut", "wasser armut"),
        ("persönlichkeit", "persön lichkeit"),
        ("generation", "generation"),
        ("anschließend", "an schließend"),
        ("gegend", "gegend"),
        ("erste", "erste"),
    ],
)
def test_words_come_apart_where_they_were_put_together(written, parts, lexicon):
    assert " ".join(part.text for part in morphs(written, lexicon.known)) == parts


def test_every_word_has_sounds_of_the_language(lexicon):
    known = inventory("de")
    for written in ("xi'an", "háček", "москва", "gmbh", "ſtraße", "yyy", "bejtexhinj", "ß"):
        sounds = word(written, lexicon)
        assert sounds, written
        assert {sound.lstrip("ˈˌ") for sound in sounds} <= known, written


def test_a_word_without_end_is_read_at_once(lexicon):
    begun = time.process_time()
    for letters in ("an", "ver", "schaft", "aeiou", "x", "gesellschaftlichkeits"):
        assert word(letters * 1000, lexicon)
    assert time.process_time() - begun < 20
