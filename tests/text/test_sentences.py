"""Where sentences end, how long pauses are, and what each word knows of itself."""

import pytest

from audiopipe.text import Strength, plain, segments


def said(text, language="en"):
    return [sentence.said for sentence in segments(plain(text, language))]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("One. Two. Three.", 3),
        ("Dr. Lee met Mr. Fox at 5 p.m. on Main St. today.", 1),
        ("We met at 5 p.m. The door was open.", 2),
        ("Cats, dogs, etc. They are pets.", 2),
        ("Cats, dogs, etc. are pets.", 1),
        ('"Stop!" he said. "Why?" she asked.', 2),
        ("Wait... what? No!", 2),
        ("Wait... Then go.", 2),
        ("J. R. Smith came. So did I. Then we left.", 3),
        ("It is 3.5 km. It is v1.2.3.", 2),
        ("See example.com. Then write.", 2),
        ("The end.Then more.", 2),
        ("He lives in Washington, D.C., now.", 1),
        ("(He left.) She stayed.", 2),
        ("No end at all", 1),
        ("What?! Really?!", 2),
        ("", 0),
        (" \n\t ", 0),
        ("... -- !", 0),
    ],
)
def test_english_sentences_end_where_they_end(text, count):
    assert len(said(text)) == count, said(text)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Der 1. Mai ist frei. Am 2. Tag nicht.", 2),
        ("Das sind z. B. Äpfel usw. und mehr.", 1),
        ("Es endete 1945. Um acht kam er.", 2),
        ("Unser Gast hat ca. 1.500 Platten.", 1),
    ],
)
def test_german_sentences_end_where_they_end(text, count):
    assert len(said(text, "de")) == count, said(text, "de")


def test_a_word_knows_how_it_is_written_where_it_stands_and_what_is_said():
    text = "In 1999, “Dr. Lee” paid $5."
    (sentence,) = segments(plain(text))
    shown = [(w.written, text[w.start : w.stop], w.said) for w in sentence]
    assert shown == [
        ("In", "In", "in"),
        ("1999", "1999", "nineteen ninety nine"),
        ("Dr.", "Dr.", "doctor"),
        ("Lee", "Lee", "lee"),
        ("paid", "paid", "paid"),
        ("$5", "$5", "five dollars"),
    ]
    assert [len(w.spoken) for w in sentence] == [1, 3, 1, 1, 1, 2]
    assert all(part.phonemes for w in sentence for part in w.spoken)
    assert (sentence.start, sentence.stop) == (0, len(text) - 1)


def test_marks_are_kept_and_pauses_follow_them():
    (sentence,) = segments(plain("Well, (so) he: said; it — was… fine?"))
    marks = {w.written: (w.mark, w.pause.strength) for w in sentence}
    assert marks["Well"] == (",", Strength.WEAK)
    assert marks["so"] == (",", Strength.WEAK)
    assert marks["he"] == (":", Strength.MEDIUM)
    assert marks["said"] == (";", Strength.MEDIUM)
    assert marks["it"] == ("—", Strength.MEDIUM)
    assert marks["was"] == ("…", Strength.MEDIUM)
    assert marks["fine"] == ("?", Strength.PARAGRAPH)


def test_the_deeper_a_joint_the_longer_the_pause():
    text = "One, two; three. Four.\n\nFive."
    pauses = {w.written: w.pause for s in segments(plain(text)) for w in s}
    lengths = [pauses[name].milliseconds for name in ("One", "two", "three", "Four")]
    assert lengths == sorted(set(lengths))
    assert not any(pause.exact for pause in pauses.values())


def test_long_sentences_are_divided_at_clauses_and_go_on():
    text = (
        "The old man who lived by the sea walked to the harbour every single morning, "
        "and when the boats came in he counted the fish that the young men had caught."
    )
    pieces = list(segments(plain(text), limit=90))
    assert [piece.continues for piece in pieces] == [True, False]
    assert pieces[0].words[-1].written == "morning"
    unmarked = text.replace(",", "")
    first = next(segments(plain(unmarked), limit=90))
    assert first.words[-1].written in ("morning", "in")
    assert first.pause.strength == Strength.WEAK


def test_sentences_come_one_by_one_and_the_first_does_not_wait(swift):
    document = plain("First one. " * 20_000)
    with swift(seconds=2):
        assert next(segments(document)).said == "first one"


@pytest.mark.parametrize(
    ("text", "spoken"), [("漢字", ""), ("Москва", "москва"), ("Αθήνα", "αθήνα")]
)
def test_other_scripts_are_romanised_or_left_unspoken_but_not_lost(text, spoken):
    (sentence,) = segments(plain(text))
    assert sentence.words[0].written == text
    assert sentence.said == spoken
    assert bool(sentence.phonemes) == bool(spoken)


def test_emoji_alone_are_named_and_control_characters_are_spaces():
    assert said("👍🎉") == ["thumbs up party popper"]
    assert said("one\x07two\x1bthree") == ["one two three"]
    assert said("soft\u00adhyphen zero\u200bwidth") == ["softhyphen zerowidth"]


def test_an_unknown_language_is_refused():
    from audiopipe.text import TextError

    with pytest.raises(TextError, match="'xx' is not known; there is de, en"):
        list(segments(plain("Hello.", "xx")))
    assert said("Hello.", "en-US") == ["hello"]
