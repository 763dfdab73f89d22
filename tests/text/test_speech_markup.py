"""SSML: what it asks for, and what is refused, with place and cure."""

import pytest

from audiopipe.text import Strength, TextError, segments, ssml


def words(inner, language="en"):
    made = segments(ssml(f"<speak>{inner}</speak>", language))
    return [word for sentence in made for word in sentence]


def test_breaks_stand_behind_the_word_before():
    one, two, three, four = words(
        'One <break time="1.5s"/> two <break strength="strong"/> '
        'three <break strength="none"/> four'
    )
    assert (one.pause.milliseconds, one.pause.exact) == (1500, True)
    assert (two.pause.strength, two.pause.exact) == (Strength.STRONG, False)
    assert three.pause.strength == Strength.NONE
    assert four.pause.strength == Strength.PARAGRAPH


def test_breaks_before_and_behind_all_words_and_several_at_one_place():
    inner = '<break time="1s"/>One.<break time="2s"/><break time="500ms"/> Two.<break time="3s"/>'
    first, second = segments(ssml(f"<speak>{inner}</speak>"))
    assert first.before.milliseconds == 1000
    assert first.pause.milliseconds == 2500
    assert first.pause.strength == Strength.STRONG
    assert second.pause.milliseconds == 3000
    assert not second.before.milliseconds


def test_paragraphs_and_sentences_end_where_they_say():
    made = list(segments(ssml("<speak><p><s>one</s><s>two</s></p>three<p>four</p></speak>")))
    assert [sentence.said for sentence in made] == ["one", "two", "three", "four"]
    depths = [sentence.pause.strength for sentence in made]
    assert depths == [Strength.STRONG] + [Strength.PARAGRAPH] * 3


def test_prosody_adds_up_and_ends():
    slow, both, usual = words(
        '<prosody rate="50%" pitch="+2st">slow <prosody rate="fast" pitch="low" volume="-6dB">both'
        "</prosody></prosody> usual"
    )
    assert (slow.delivery.rate, slow.delivery.pitch, slow.delivery.volume) == (0.5, 2, 0)
    assert (both.delivery.rate, both.delivery.pitch, both.delivery.volume) == (0.625, -1, -6)
    assert (usual.delivery.rate, usual.delivery.pitch) == (1, 0)


def test_a_voice_or_a_language_makes_a_sentence_of_its_own():
    inner = 'I said <voice name="bob">hello there</voice> and <lang xml:lang="de">Guten Tag</lang>.'
    made = list(segments(ssml(f"<speak>{inner}</speak>")))
    assert [(s.delivery.voice, s.delivery.language, s.said) for s in made] == [
        (None, None, "i said"),
        ("bob", None, "hello there"),
        (None, None, "and"),
        (None, "de", "guten tag"),
    ]
    assert made[-1].phonemes == ("g", "ˈuː", "t", "ə", "n", "t", "ˈaː", "k")


def test_phonemes_aliases_and_emphasis():
    tomato, web, now = words(
        '<phoneme alphabet="ipa" ph="təˈmɑːtoʊ">tomato</phoneme> '
        '<sub alias="World Wide Web">WWW</sub>'
        ' <emphasis level="strong">now</emphasis>'
    )
    assert " ".join(tomato.phonemes) == "t ə m ˈɑ t oʊ"
    assert (web.written, web.said) == ("WWW", "world wide web")
    assert now.delivery.emphasis == "strong"


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("characters", "aB1-", "A B one"),
        ("digits", "2024", "two zero two four"),
        ("cardinal", "2024", "two thousand twenty four"),
        ("ordinal", "3", "third"),
        ("telephone", "911", "nine one one"),
        ("date", "5/6/2024", "may sixth twenty twenty four"),
        ("time", "9:05", "nine oh five"),
    ],
)
def test_say_as(kind, text, said):
    (word,) = words(f'<say-as interpret-as="{kind}">{text}</say-as>')
    assert word.said == said


def test_say_as_reads_a_date_in_the_order_that_is_told():
    (word,) = words('<say-as interpret-as="date" format="dmy">5/6/2024</say-as>')
    assert word.said == "june fifth twenty twenty four"


def test_places_are_those_of_the_source():
    source = "<speak>\n <p>Caf&#233; &lt; <emphasis>b</emphasis>&#x61;r — ü&amp;b</p></speak>"
    found = {w.written: source[w.start : w.stop] for s in segments(ssml(source)) for w in s}
    assert found["Café"] == "Caf&#233;"
    assert found["bar"] == "b</emphasis>&#x61;r"
    assert found["&"] == "&amp;"


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("Hello", ["1:1: this is not XML: syntax error; SSML is text within <speak>…</speak>"]),
        ("<p>Hi</p>", ["1:1: SSML begins with <speak>, not with <p>; put <speak>…</speak> around"]),
        ("<speak>a & b</speak>", ["a bare & is written &amp;"]),
        ("<speak>\n<p>x</s></speak>", ["2:7: this is not XML: mismatched tag"]),
        (
            "<speak><brek/>\n <break tim='1s'/><break time='2'/></speak>",
            [
                "1:8: <brek> is not known; did you mean 'break'?",
                "2:2: <break> has no 'tim'; did you mean 'time'?",
                "2:19: the time '2' is none; write 500ms or 1.5s",
            ],
        ),
        (
            "<speak><prosody rate='0' pitch='9' volume='+999dB'>x</prosody></speak>",
            ["the rate '0' is none", "the pitch '9' is none", "the volume '+999dB' is none"],
        ),
        (
            "<speak><phoneme ph='q'>x</phoneme></speak>",
            ["'q' in 'q' is no sound of 'en'; there is"],
        ),
        ("<speak><phoneme>x</phoneme></speak>", ["<phoneme> needs its sounds"]),
        ("<speak><phoneme alphabet='x-sampa' ph='a'>x</phoneme></speak>", ["write IPA"]),
        ("<speak><sub>x</sub></speak>", ["<sub> needs what is said"]),
        ("<speak><sub alias='y'/></speak>", ["<sub> is empty"]),
        ("<speak><say-as interpret-as='dat'>x</say-as></speak>", ["did you mean 'date'?"]),
        ("<speak><voice>x</voice></speak>", ["<voice> needs a name"]),
        ("<speak><emphasis level='big'>x</emphasis></speak>", ["the level 'big' is not known"]),
        ("<speak xml:lang='xx'>x</speak>", ["the language 'xx' is not known"]),
        ("<speak><break time='90s'/></speak>", ["longer than a minute"]),
        ("<?a b?><speak>x</speak>", ["1:1: processing instructions are not part of SSML"]),
        ("<speak><audio src='http://x/y.wav'/></speak>", ["<audio> is not known"]),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_what_is_wrong_is_told_all_at_once_with_places(text, problems):
    with pytest.raises(TextError) as caught:
        ssml(text, file="a.ssml")
    told = str(caught.value).splitlines()
    assert len(told) == len(problems), told
    for line, problem in zip(told, problems, strict=True):
        assert line.startswith("a.ssml:")
        assert problem in line


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE s [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE s SYSTEM "http://localhost/x.dtd">',
    ],
)
def test_entities_are_neither_defined_nor_fetched(head):
    with pytest.raises(TextError, match="a DOCTYPE is not part of SSML here"):
        ssml(f"{head}<speak>&x;&b;</speak>")


def test_elements_in_elements_without_end_are_read():
    deep = 2_000
    assert [w.said for w in words("<emphasis>" * deep + "x" + "</emphasis>" * deep)] == ["X"]
