"""The stage `subtitles`: words with times become what is read at once."""

import audiopipe
from audiopipe import Segment, Text
from audiopipe.stages.subtitles import Subtitles

RATE = 1000


def words(text, speaker=None, each=300, start=0):
    found = []
    for word in text.split():
        found.append(Segment(word, start, start + each - 50, speaker))
        start += each + 300 * word.rstrip('"').endswith((".", "!", "?"))
    return found


def made(segments, **options):
    result = audiopipe.Pipeline([Subtitles(**options)]).run(Text(tuple(segments), RATE))
    return result["subtitles"].segments


def texts(segments, **options):
    return [segment.text for segment in made(segments, **options)]


def test_a_sentence_is_a_subtitle_with_its_times():
    found = made(words('It rains. "It pours!" Again'))
    assert [segment.text for segment in found] == ["It rains.", '"It pours!"', "Again"]
    assert [(segment.start, segment.stop) for segment in found] == [
        (0, 550),
        (900, 1450),
        (1800, 2050),
    ]


def test_the_stop_of_an_abbreviation_ends_nothing():
    found = [Segment("Dr.", 0, 200), Segment("Lee", 250, 500), Segment("came.", 550, 800)]
    assert texts(found) == ["Dr. Lee came."]


def test_lines_are_no_wider_than_asked_and_no_word_is_lost():
    text = " ".join(f"word{n}" for n in range(40)) + "."
    found = texts(words(text, each=100), width=30, lines=2)
    assert " ".join(" ".join(found).split()) == text
    for subtitle in found:
        assert len(subtitle.split("\n")) <= 2
        assert all(len(line) <= 30 for line in subtitle.split("\n"))


def test_a_long_sentence_is_divided_behind_a_clause():
    found = texts(words("When it rains as it does here, we stay in and read books."), width=20)
    assert found[0] == "When it rains as it\ndoes here,"


def test_a_word_that_fits_in_no_line_has_one():
    assert texts(words("a pneumonoultramicroscopic b."), width=10, lines=3) == [
        "a\npneumonoultramicroscopic\nb."
    ]


def test_nothing_stays_for_longer_than_asked():
    found = made(words("a b c d e f g h i j k l.", each=1000), longest="4 s")
    assert len(found) == 3
    assert all(segment.stop - segment.start <= 4000 for segment in found)


def test_another_speaker_or_a_long_pause_begins_another():
    found = made([*words("Hello", "A"), *words("and you", "B", start=400)])
    assert [(s.speaker, s.text) for s in found] == [("A", "Hello"), ("B", "and you")]
    assert texts([*words("Well"), *words("then", start=5000)]) == ["Well", "then"]


def test_a_name_takes_room_in_the_first_line():
    assert texts(words("one two three", "GUEST"), width=15) == ["one two\nthree"]


def test_streamed_word_by_word_it_is_the_same():
    segments = words("When it rains as it does here, we stay in. And read. Books", each=400)
    whole = made(segments, width=20)
    pipeline = audiopipe.Pipeline([Subtitles(width=20)])
    blocks = [Text((segment,), RATE) for segment in segments]
    parts = [part["subtitles"] for part in pipeline.stream(blocks) if "subtitles" in part]
    assert Text.join(parts).segments == whole


def test_as_files(tmp_path):
    text = Text((Segment("one & two\nthree", 61_500, 62_000, "A"),), RATE)
    assert text.save(tmp_path / "a.srt").read_text() == (
        "1\n00:01:01,500 --> 00:01:02,000\nA: one & two\nthree\n\n"
    )
    assert text.save(tmp_path / "a.vtt").read_text() == (
        "WEBVTT\n\n00:01:01.500 --> 00:01:02.000\n<v A>one &amp; two\nthree\n\n"
    )
