"""Scripts: turns, chapters, cues, voices; and what is wrong, with its place."""

import pytest

from audiopipe.errors import AudiopipeError
from audiopipe.text import script, segments
from audiopipe.text.dialogue import Cue

EPISODE = """---
title: Episode 3
voices:
  HOST: kathleen
  Anna Lee: {voice: bob, gain: -2 dB, pan: 0.3, rate: 1.1, pitch: -2}
music: {bed: bed.mp3, intro: in.wav, gain: -20 dB, fade: 1 s}
lexicon: words.yaml
---
Read by a narrator.

# The *start*
[jingle: intro.wav]
HOST: Welcome to **the** show.
It goes on: like this.

With a second paragraph.
Anna Lee: Thanks! 10:30 is fine.
## Part two
[pause: 2 s]
**HOST:** Bye.
"""


def test_a_script_becomes_turns_cues_and_chapters():
    made = script(EPISODE)
    assert (made.title, made.language, made.lexicon) == ("Episode 3", "en", "words.yaml")
    shown = [
        (part.kind, part.argument, part.chapter)
        if isinstance(part, Cue)
        else (part.speaker, [b.text for b in part.document.blocks], part.chapter)
        for part in made.parts
    ]
    assert shown == [
        (None, ["Read by a narrator."], None),
        ("jingle", "intro.wav", 0),
        (
            "HOST",
            ["Welcome to the show. It goes on: like this.", "With a second paragraph."],
            0,
        ),
        ("Anna Lee", ["Thanks! 10:30 is fine."], 0),
        ("pause", "2 s", 1),
        ("HOST", ["Bye."], 1),
    ]
    assert [(c.title, c.level, c.first) for c in made.chapters] == [
        ("The start", 1, 1),
        ("Part two", 2, 4),
    ]
    assert EPISODE[made.chapters[0].start :].startswith("# The")


def test_front_matter_is_checked_data():
    made = script(EPISODE)
    anna = made.speakers["Anna Lee"]
    assert (anna.voice, anna.gain, anna.pan, anna.rate) == ("bob", -2.0, 0.3, 1.1)
    assert made.speakers["HOST"].voice == "kathleen"
    assert made.music is not None
    assert (made.music.bed, made.music.intro, made.music.gain) == ("bed.mp3", "in.wav", -20.0)


def test_words_have_their_speakers_voice_and_their_place_in_the_script():
    made = script(EPISODE)
    for turn in made.turns:
        for sentence in segments(turn.document):
            for word in sentence:
                assert EPISODE[word.start : word.stop] == word.written
    thanks = next(segments(made.turns[2].document)).words[0]
    assert (thanks.delivery.voice, thanks.delivery.rate, thanks.delivery.pitch) == ("bob", 1.1, -2)


def test_each_letter_is_in_a_word_or_named():
    made = script(EPISODE)
    counts = [0] * len(EPISODE)
    spans = [(s.start, s.stop) for s in made.skipped]
    for turn in made.turns:
        spans += [(w.start, w.stop) for s in segments(turn.document) for w in s]
        spans += [(s.start, s.stop) for s in turn.document.skipped]
    for start, stop in spans:
        for at in range(start, stop):
            counts[at] += 1
    assert all(n == 1 for n, char in zip(counts, EPISODE, strict=True) if char.isalnum())


def test_without_front_matter_names_are_those_in_capitals():
    made = script("HOST: Hi.\nNote: not a name.\nGUEST 2: Yes: it's 10:30.\n\\NO: name")
    assert [turn.speaker for turn in made.turns] == ["HOST", "GUEST 2"]
    assert "Note: not a name." in made.turns[0].document.blocks[0].text
    assert "NO: name" in made.turns[1].document.blocks[0].text


def test_code_is_neither_a_name_nor_a_chapter():
    made = script("HOST: See:\n```\n# no chapter\nGUEST: no turn\n```\nEnd.")
    assert len(made.parts) == 1
    assert not made.chapters


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", ["nobody says anything; write lines as HOST: Hello"]),
        ("---\nvoices: {HOST: a}\n---\nHOTS: hi", [
            ":4:1: 'HOTS' has no voice in the front matter; did you mean 'HOST'?"]),
        ("HOST:\nGUEST: hi", [":1:1: 'HOST' says nothing; write it behind the colon"]),
        ("HOST: hi\n[jingel: a.wav]", [
            ":2:1: the cue '[jingel: a.wav]' is not known; did you mean 'jingle'?"]),
        ("HOST: hi\n[pause]", [":2:1: '[pause]' needs what is meant"]),
        ("---\nvoices: {A: {voice: x, pan: 3}, B: {gain: 1 dB}}\nmusik: x\n---\nA: hi", [
            ":2:24: voices.A.pan: ", ":2:33: voices.B.voice is missing",
            ":3:1: unknown key 'musik'; did you mean 'music'?"]),
        ("---\nlanguage: xx\n---\nA: b", [":2:1: language: the language 'xx' is not known"]),
        ("---\nvoices: [a\n---\nA: b", [":3:1: this is not YAML"]),
        ("---\nvoices: {'a:b': x}\n---\nA: b", ["'a:b' is no name"]),
    ],
    ids=range(9),
)  # fmt: skip
def test_what_is_wrong_is_told_with_places(text, problems):
    with pytest.raises(AudiopipeError) as caught:
        script(text, "a.md")
    told = str(caught.value).splitlines()
    assert len(told) == len(problems), told
    for line, problem in zip(told, problems, strict=True):
        assert line.startswith("a.md")
        assert problem in line


def test_a_long_script_is_read_in_time(swift):
    with swift(seconds=20):
        made = script("HOST: Hello there.\n\nGUEST: How are you?\n\n" * 1000)
    assert len(made.turns) == 2000
