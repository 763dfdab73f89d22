"""Languages without rules of ours: sentences and words by spaces and punctuation alone."""

import pytest

from audiopipe.text import plain, segments


def read(text, language):
    return list(segments(plain(text, language)))


@pytest.mark.parametrize(
    ("language", "text", "sentences"),
    [
        ("fr", "Il a 3,5 ans. « Où ça ? » dit-elle.", ["Il a 3,5 ans.", "Où ça?", "dit-elle."]),
        ("es-ES", "¿Qué? ¡Hola, Ana!", ["Qué?", "Hola, Ana!"]),
        ("zh", "你好，世界。再见！", ["你好, 世界.", "再见!"]),
        ("ja", "今日は。元気ですか？", ["今日は.", "元気ですか?"]),
        ("hi", "यह अच्छा है। हाँ।", ["यह अच्छा है.", "हाँ."]),
        ("ar", "ما اسمك؟ أنا علي.", ["ما اسمك?", "أنا علي."]),
        ("it", "Vedi www.sito.it. Poi...", ["Vedi www.sito.it.", "Poi…"]),
    ],
)
def test_sentences(language, text, sentences):
    assert [sentence.written for sentence in read(text, language)] == sentences


def test_a_sound_for_each_letter():
    (sentence,) = read("Ça, 24 ★ !", "fr")
    assert [word.phonemes for word in sentence if word.phonemes] == [("ç", "a"), ("2", "4")]


def test_nothing_is_lost_of_a_long_text():
    text = "mot " * 1000 + "fin."
    words = [word.written for sentence in read(text, "fr") for word in sentence]
    assert words == ["mot"] * 1000 + ["fin"]
