"""The stage `speak`, with a voice that hums: all is said, in order, whatever the blocks are."""

from itertools import pairwise

import pytest
import speaking
import torch
from speaking import PHONEME, hum

import audiopipe
from audiopipe import Audio, Segment, Text
from audiopipe.errors import ModelError, SpeechError
from audiopipe.stages.speak import Speak
from audiopipe.text import TextError
from audiopipe.text.pronounce import pronouncer
from audiopipe.voices.base import RATE
from audiopipe.voices.manuscript import Manuscript

OUTPUTS = {"sound.wav": "speak", "words.json": "speak.words"}


@pytest.fixture
def voice(tmp_path, monkeypatch):
    yield hum(tmp_path / "hum", monkeypatch)
    speaking.VOICES.clear()


def pipeline(voice, **options):
    return audiopipe.Pipeline({"speak": Speak(voice=voice, **options)}, outputs=OUTPUTS)


def say(voice, text, form="plain", file="a.txt", **options):
    result = pipeline(voice, **options).run(Text((Manuscript(text, form=form, file=file),)))
    return result["sound.wav"], result["words.json"].segments, result.warnings


def seconds(voice, text, **options):
    return float(say(voice, text, **options)[0].duration)


def phonemes(text):
    from audiopipe.text import plain, segments

    return sum(len(sentence.phonemes) for sentence in segments(plain(text)))


def test_sound_is_as_long_as_its_phonemes_and_pauses(voice):
    sound, words, warnings = say(voice, "Good morning, Ann. It rains.")
    assert (sound.rate, sound.channels, warnings) == (24_000, 1, ())
    count = phonemes("Good morning, Ann. It rains.")
    assert sound.duration == pytest.approx(PHONEME * count + 0.15 + 0.45 + 0.8, abs=1e-3)
    assert [word.text for word in words] == ["Good", "morning,", "Ann.", "It", "rains."]


def test_words_stand_where_they_sound(voice):
    sound, words, _ = say(voice, "One, two. Three!\n\nFour?")
    for word in words:
        assert sound.samples[0, word.start : word.stop].square().mean() > 0.01
    for one, other in pairwise(words):
        quiet = sound.samples[0, one.stop : other.start]
        assert not quiet.any()
        assert len(quiet) > 0.1 * RATE


def test_however_it_comes_the_same_is_said(voice):
    texts = ["One, two.", "Three! Four?", "Five."]
    whole = pipeline(voice).run(Text(tuple(map(Segment, texts))))
    blocks = [Text((Segment(text),)) for text in texts]
    parts = list(pipeline(voice).stream([blocks[0], Text(()), *blocks[1:]]))
    sound = Audio.join([part["sound.wav"] for part in parts if "sound.wav" in part])
    assert torch.equal(sound.samples, whole["sound.wav"].samples)
    words = Text.join([part["words.json"] for part in parts if "words.json" in part])
    assert words == whole["words.json"]


def test_the_first_word_is_out_before_the_second_sentence_is_begun(voice):
    stream = pipeline(voice).engine(Text(())).stream()
    first = next(stream.feed(Text((Segment("Hello world. And more."),))))
    assert [word.text for word in first["words.json"].segments] == ["Hello"]
    assert speaking.VOICES[voice].said == ["hello world"]


def test_what_reads_a_language_is_loaded_before_there_is_a_text(voice):
    pronouncer.cache_clear()
    pipeline(voice).engine(Text(()))
    assert pronouncer.cache_info().currsize == 1


def test_a_stream_is_saved_and_goes_on(voice):
    engine = pipeline(voice).engine(Text(()))
    stream = engine.stream()
    stream.push(Text((Segment("One."),)))
    saved = stream.save()
    rest = [stream.push(Text((Segment("Two."),)))["words.json"]]
    other = engine.stream()
    other.restore(saved)
    assert [other.push(Text((Segment("Two."),)))["words.json"]] == rest
    assert rest[0].segments[0].start > 0


def test_rate_and_pauses(voice):
    text = "Hello, world. Again."
    spoken = PHONEME * phonemes(text)
    assert seconds(voice, text, rate=2.0) == pytest.approx(spoken / 2 + 0.15 + 0.45 + 0.8, abs=1e-3)
    assert seconds(voice, text, pause=0.0) == pytest.approx(spoken, abs=1e-3)
    exact = '<speak>Hello.<break time="1500ms"/>World.</speak>'
    _, words, _ = say(voice, exact, form="ssml", pause=0.0)
    assert words[1].start - words[0].stop == 36_000


def test_pitch(voice):
    sound, words, _ = say(voice, "Hello.", pitch=12.0)
    part = sound.samples[0, words[0].start : words[0].stop]
    crossings = int((part[:-1] * part[1:] < 0).sum())
    assert crossings / 2 / (len(part) / RATE) == pytest.approx(400, rel=0.03)


def test_words_of_the_users(voice, tmp_path):
    lexicon = tmp_path / "words.yaml"
    lexicon.write_text("ACME: a company that makes everything\n")
    long, short = (seconds(voice, "ACME.", lexicon=x) for x in (str(lexicon), None))
    assert long > short + 1


def test_a_long_text_is_said_in_bounded_pieces(voice):
    text = "word " * 400 + "."
    stream = pipeline(voice).engine(Text(())).stream()
    largest = total = 0
    for out in stream.feed(Text((Segment(text),))):
        size = len(out["sound.wav"]) if out else 0
        largest, total = max(largest, size), total + size
    assert total / RATE > PHONEME * phonemes(text)
    assert largest < RATE


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("silent", "the voice was silent"),
        ("lost", "the voice did not say 'World'"),
        ("endless", "and no end"),
        ("nan", "the voice made what is no number"),
        ("short", "0.00 s of speech"),
    ],
)
def test_a_sentence_that_fails_is_named(tmp_path, monkeypatch, fault, told):
    voice = hum(tmp_path / "bad", monkeypatch, world=fault)
    with pytest.raises(SpeechError) as error:
        say(voice, "Fine.\n\nWorld!")
    assert str(error.value).startswith("a.txt:3:1: ")
    assert told in str(error.value)
    assert "World!" in str(error.value)
    assert error.value.exit_code == 8


def test_silence_that_is_asked_for_is_none(voice):
    text = '<speak><prosody volume="silent">Hello.</prosody></speak>'
    sound, _, _ = say(voice, text, form="ssml")
    assert len(sound) > RATE / 2
    assert sound.samples.abs().max() < 1e-4


def test_what_has_no_sounds_is_told(voice):
    _, words, warnings = say(voice, "Say 你好 now.")
    assert [word.text for word in words] == ["Say", "now."]
    assert warnings == ("'speak': not said, as the language has no sounds for it: '你好'",)
    with pytest.raises(TextError, match=r"a.txt: nothing of it has sounds .*: '你好'; "):
        say(voice, "你好")


def test_another_language_needs_another_voice(voice):
    text = '<speak>Hello. <lang xml:lang="de">Guten Tag.</lang></speak>'
    with pytest.raises(TextError, match=r"a.xml:1:\d+: '.*hum' speaks en, and this is de; name a"):
        say(voice, text, form="ssml", file="a.xml")


def test_a_voice_reads_in_its_own_language(voice, tmp_path, monkeypatch):
    german = hum(tmp_path / "german", monkeypatch, language="de")
    said = speaking.VOICES[german].said
    say(german, "Um 10:30 Uhr.")
    assert said == ["um zehn uhr dreißig"]
    made = f"---\nvoices: {{ANN: {voice}, BEA: {german}}}\n---\nANN: 3 dogs.\n\nBEA: 3 Hunde."
    say(voice, made, form="markdown")
    assert (speaking.VOICES[voice].said[-1], said[-1]) == ("three dogs", "drei hunde")
    say(voice, f'<speak>One. <voice name="{german}">4</voice></speak>', form="ssml")
    assert said[-1] == "vier"
    with pytest.raises(TextError, match=r"a.txt:7:6: '.*german' speaks de, and this is en; name"):
        say(voice, made.replace("---\nv", "---\nlanguage: en\nv"), form="markdown")


def test_voices_of_ssml(voice, tmp_path, monkeypatch):
    other = hum(tmp_path / "other", monkeypatch)
    say(voice, f'<speak>One. <voice name="{other}">Two.</voice></speak>', form="ssml")
    assert [speaking.VOICES[v].said for v in (voice, other)] == [["one"], ["two"]]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("kathlen", "there is no voice 'kathlen'; "),
        ("stems", "model 'stems' is no voice: its card says task separate"),
        ("./nowhere", "not a model, as there is no card.toml in it"),
    ],
)
def test_names_that_are_no_voice(name, told):
    with pytest.raises(ModelError, match=told):
        say(name, "Hello.")


def test_planning_loads_nothing():
    made = audiopipe.Pipeline([Speak(voice="./nowhere")]).plan()
    assert made.source == Text(())


def test_two_streams_do_not_touch_each_other(voice):
    engine = pipeline(voice).engine(Text(()))
    one, other = engine.stream(), engine.stream()
    both = [s.feed(Text((Segment(t),))) for s, t in ((one, "One two."), (other, "Three four."))]
    words = [[], []]
    for outs in zip(*both, strict=False):
        for found, out in zip(words, outs, strict=True):
            found += [w.text for w in out["words.json"].segments] if out else []
    assert words == [["One", "two."], ["Three", "four."]]
