"""The stage `speak` with a script: its speakers, pauses, chapters and music."""

import numpy as np
import pytest
import soundfile
import speaking
import torch
from speaking import hum

import audiopipe
from audiopipe import Text
from audiopipe.errors import DefinitionError, ModelError
from audiopipe.io.texts import read_manuscript
from audiopipe.stages.speak import LIFT, Speak
from audiopipe.text import TextError

OUTPUTS = {"speech.wav": "speak", "words.json": "speak.words", "music.wav": "speak.music"}


@pytest.fixture
def voices(tmp_path, monkeypatch):
    yield [hum(tmp_path / name, monkeypatch) for name in ("one", "two")]
    speaking.VOICES.clear()


@pytest.fixture
def music(tmp_path):
    """A jingle of 0.5 s at 44.1 kHz in mono, and a bed of 1 s at 48 kHz in stereo."""
    soundfile.write(tmp_path / "jingle.wav", np.full(22050, 0.5), 44100)
    bed = np.stack([np.full(48000, 0.25), np.full(48000, -0.25)], 1)
    soundfile.write(tmp_path / "bed.wav", bed, 48000)


def said(tmp_path, text, voice, **options):
    path = tmp_path / "script.md"
    path.write_text(text)
    stage = Speak(voice=voice, channels=2, **options)
    pipeline = audiopipe.Pipeline({"speak": stage}, outputs=OUTPUTS)
    stream = pipeline.engine(Text(())).stream()
    rounds = [*stream.feed(Text((read_manuscript(path),))), *stream.finish()]
    made = {
        name: type(blocks[0]).join(blocks)
        for name in OUTPUTS
        for blocks in [[out[name] for out in rounds if name in out]]
    }
    return *made.values(), stream.about()


def rms(samples):
    return float(samples.square().mean().sqrt())


def test_every_speaker_has_a_voice_a_level_and_a_place(tmp_path, voices):
    one, two = voices
    text = (
        f"---\ntitle: Talk\nvoices:\n  ANN: {{voice: {one}, pan: -1}}\n"
        f"  Bob: {{voice: {two}, gain: -6 dB, pan: 1}}\n---\nANN: Hello.\nBob: Good day."
    )
    speech, words, music, about = said(tmp_path, text, one)
    assert [speaking.VOICES[voice].said for voice in voices] == [["hello"], ["good day"]]
    assert [(w.speaker, w.text) for w in words.segments] == [
        ("ANN", "Hello."), ("Bob", "Good"), ("Bob", "day."),
    ]  # fmt: skip
    ann, bob = words.segments[:2]
    left, right = speech.samples[:, ann.start : ann.stop]
    assert rms(right) < 1e-6 * rms(left)
    other_left, other_right = speech.samples[:, bob.start : bob.stop]
    assert rms(other_left) < 1e-6 * rms(other_right)
    assert rms(other_right) / rms(left) == pytest.approx(10 ** (-6 / 20), rel=0.02)
    assert not music.samples.any()
    assert (len(music), about.title) == (2 * len(speech), "Talk")


def test_in_the_middle_both_channels_are_3_db_down(tmp_path, voices):
    speech, words, _, _ = said(tmp_path, "Hello.", voices[0])
    left, right = speech.samples[:, words.segments[0].start : words.segments[0].stop]
    assert torch.equal(left, right)
    assert rms(left) == pytest.approx(0.2 / 2**0.5 * 0.5**0.5, rel=0.01)


def test_voices_of_the_pipeline_are_for_names_without_one(tmp_path, voices):
    one, two = voices
    said(tmp_path, "ANN: Hello.\nBOB: Bye.", one, voices={"ANN": one, "BOB": two})
    assert [speaking.VOICES[voice].said for voice in voices] == [["hello"], ["bye"]]


def test_without_voices_a_name_is_a_word(tmp_path, voices):
    said(tmp_path, "NOTE: Hello.", voices[0])
    assert speaking.VOICES[voices[0]].said == ["note hello"]


def test_pauses_and_chapters(tmp_path, voices):
    text = (
        f"---\nvoices: {{ANN: {voices[0]}}}\n---\n# First *part*\nANN: Hello.\n\n"
        "[pause: 2 s]\n\n# Second\nANN: Bye."
    )
    speech, words, _, about = said(tmp_path, text, voices[0])
    assert words.segments[1].start - words.segments[0].stop == (0.8 + 2) * 24_000
    chapters = [(c.text, c.start, c.stop) for c in about.chapters]
    assert chapters == [
        ("First part", 0, words.segments[1].start),
        ("Second", words.segments[1].start, len(speech)),
    ]
    assert about.rate == 24_000


def test_speech_waits_for_a_jingle(tmp_path, voices, music):
    text = (
        f"---\nvoices: {{ANN: {voices[0]}}}\nmusic: {{intro: jingle.wav, outro: jingle.wav}}\n---\n"
        "ANN: Hello.\n\n[jingle: jingle.wav]\n\nANN: Bye."
    )
    speech, words, heard, _ = said(tmp_path, text, voices[0])
    first, second = words.segments
    assert first.start == 12_000
    assert second.start - first.stop == (0.8 + 0.5) * 24_000
    places = [0.25, first.stop / 24_000 + 0.8 + 0.25, len(speech) / 24_000 - 0.25]
    for seconds in places:
        at = round(48_000 * seconds)
        assert heard.samples[:, at].tolist() == pytest.approx([0.5, 0.5], abs=0.01)
        assert not speech.samples[:, at // 2 - 4000 : at // 2 + 4000].any()
    during = heard.samples[:, 2 * first.start + 500 : 2 * first.stop]
    assert during.abs().max() < 1e-3


def test_a_bed_fades_loops_and_ends(tmp_path, voices, music):
    text = (
        f"---\nvoices: {{ANN: {voices[0]}}}\nmusic: {{bed: bed.wav, gain: -18 dB, fade: 500 ms}}\n"
        "---\nANN: Hello.\n\n[pause: 3 s]\n\nANN: Bye."
    )
    speech, words, heard, _ = said(tmp_path, text, voices[0])
    level = 0.25 * 10 ** ((-18 + LIFT) / 20)
    left, right = heard.samples
    assert torch.allclose(left, -right)
    assert float(left[0]) < 0.01 * level
    assert float(left[12_000]) == pytest.approx(level / 2, rel=0.01)
    end = len(left) - 24_000
    assert torch.allclose(left[24_000:end], torch.tensor(level), rtol=1e-3)
    assert float(left[end + 12_000]) == pytest.approx(level / 2, rel=0.01)
    assert float(left[-1]) < 0.01 * level
    assert len(speech) - words.segments[-1].stop == (0.8 + 0.5) * 24_000


def test_music_begins_changes_and_stops_where_the_script_says(tmp_path, voices, music):
    text = (
        f"---\nvoices: {{ANN: {voices[0]}}}\nmusic: {{fade: 50 ms}}\n---\nANN: One.\n\n"
        "[music: bed.wav]\n\nANN: Two.\n\n[music: stop]\n\nANN: Three."
    )
    _, words, heard, _ = said(tmp_path, text, voices[0])
    one, two, three = (heard.samples[0, w.start + w.stop].abs() for w in words.segments)
    assert (float(one), float(three)) == (0.0, 0.0)
    assert float(two) > 0.1


def test_all_that_is_wrong_is_told_before_anything_is_said(tmp_path, voices, music):
    text = (
        f"---\nvoices: {{ANN: {voices[0]}}}\nmusic: {{intro: none.wav}}\n---\nANN: One.\n\n"
        "[jingle: jingel.wav]\n\n[pause: long]\n\nANN: Two."
    )
    with pytest.raises(TextError) as error:
        said(tmp_path, text, voices[0])
    told = str(error.value).splitlines()
    assert len(told) == 3
    assert "script.md:1:1: " in told[0]
    assert "none.wav: there is no such file" in told[0]
    assert "script.md:7:1: " in told[1]
    assert "did you mean 'jingle.wav'?" in told[1]
    assert "script.md:9:1: 'long' is no pause" in told[2]
    assert speaking.VOICES[voices[0]].said == []


def test_a_speaker_without_a_voice(tmp_path, voices):
    text = f"---\nvoices: {{ANN: {voices[0]}}}\n---\nANN: One.\nBOB: Two."
    with pytest.raises(TextError, match=r"script.md:5:1: 'BOB' has no voice in the front matter"):
        said(tmp_path, text, voices[0])
    unknown = f"---\nvoices: {{ANN: {voices[0]}, BOB: ./none}}\n---\nANN: One.\nBOB: Two."
    with pytest.raises(ModelError, match="none: not a model"):
        said(tmp_path, unknown, voices[0])
    assert speaking.VOICES[voices[0]].said == []
    with pytest.raises(DefinitionError, match=r"script.md:2:\d+: .*pan"):
        said(tmp_path, f"---\nvoices: {{A: {{voice: {voices[0]}, pan: 2}}}}\n---\nA: x", voices[0])
