"""Texts as the input of a pipeline: `audiopipe run`, files and folders."""

import json

import pytest
import speaking
from speaking import hum

import audiopipe
from audiopipe.disclosure import read_disclosure
from audiopipe.errors import AudioError
from audiopipe.run.batch import run_batch
from audiopipe.run.check import run_tests
from audiopipe.text import TextError


@pytest.fixture
def pipeline(tmp_path, monkeypatch):
    voice = hum(tmp_path / "hum", monkeypatch)
    yield audiopipe.load("narrate", {"speech.voice": voice})
    speaking.VOICES.clear()


def test_a_folder_of_texts(pipeline, tmp_path):
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "a.md").write_text("# Head\n\nHello *there*.")
    (texts / "b.txt").write_text("Hello.")
    (texts / "c.ssml").write_text('<speak>One <break time="1s"/> two.</speak>')
    (texts / "d.wav").write_bytes(b"")
    report = run_batch(pipeline, [texts], tmp_path / "out")
    assert [(file.input.name, file.status) for file in report.files] == [
        ("a.md", "done"), ("b.txt", "done"), ("c.ssml", "done"),
    ]  # fmt: skip
    assert (tmp_path / "out" / "a.srt").read_text().split("\n")[2] == "Head"
    assert (tmp_path / "out" / "c.mp3").stat().st_size > 5000
    again = run_batch(pipeline, [texts], tmp_path / "out")
    assert again.count("skipped") == 3


def test_a_text_is_said_again_when_its_lexicon_or_its_voice_has_changed(tmp_path, monkeypatch):
    voice = hum(tmp_path / "hum", monkeypatch)
    words, text = tmp_path / "words.yaml", tmp_path / "a.txt"
    text.write_text("Hello.")
    pipeline = audiopipe.load("narrate", {"speech.voice": voice, "speech.lexicon": str(words)})

    def status():
        return run_batch(pipeline, [text], tmp_path / "out").files[0].status

    words.write_text("hello: hullo\n")
    assert [status(), status()] == ["done", "skipped"]
    words.write_text("hello: hallo\n")
    assert [status(), status()] == ["done", "skipped"]
    card = tmp_path / "hum" / "card.toml"
    card.write_text(card.read_text().replace("about = ", "about = 'now' # "))
    assert [status(), status()] == ["done", "skipped"]
    speaking.VOICES.clear()


def test_what_is_wrong_with_a_text_is_told_and_the_rest_is_done(pipeline, tmp_path):
    wrong = {
        "empty.txt": b"",
        "latin.txt": "Grüße".encode("latin-1"),
        "code.md": b"```\nx\n```\n",
        "broken.ssml": b"<speak>",
        "good.txt": b"\x00Go\x07od\x1b[2J.",
    }
    for name, data in wrong.items():
        (tmp_path / name).write_bytes(data)
    files = [tmp_path / name for name in (*wrong, "gone.txt")]
    report = run_batch(pipeline, files, tmp_path / "out")
    told = {file.input.name: file.error for file in report.files}
    assert told["empty.txt"].endswith("empty.txt: there is nothing to say: it has no words")
    assert "latin.txt:1:3: byte 0xfc is not UTF-8" in told["latin.txt"]
    assert "code.md: there is nothing to say" in told["code.md"]
    assert "broken.ssml" in told["broken.ssml"]
    assert told["good.txt"] == ""
    assert "there is no such file" in told["gone.txt"]
    assert {file.exit_code for file in report.files} == {0, 3}
    assert sorted(p.name for p in (tmp_path / "out").glob("[!.]*")) == ["good.mp3", "good.srt"]


def test_a_folder_without_texts(pipeline, tmp_path):
    (tmp_path / "none").mkdir()
    with pytest.raises(AudioError, match="there is no text in this folder"):
        run_batch(pipeline, [tmp_path / "none"], tmp_path / "out")


def test_a_file_or_a_text_from_python(pipeline, tmp_path):
    (tmp_path / "a.txt").write_text("Hello there.")
    from_file = pipeline.run(tmp_path / "a.txt")
    from_text = pipeline.run(audiopipe.Text((audiopipe.Segment("Hello there."),)))
    assert from_file["subtitles"] == from_text["subtitles"]
    with pytest.raises(TextError, match="there is no such file"):
        pipeline.run(tmp_path / "b.txt")
    with pytest.raises(TextError, match=r"c.wav: is audio, and texts are read here"):
        pipeline.run(tmp_path / "c.wav")


def test_what_is_saved_from_python_says_that_it_is_synthetic(pipeline, tmp_path):
    made = pipeline.run(audiopipe.Text((audiopipe.Segment("Hello."),)))
    paths = made.save(tmp_path / "saved")
    assert "Synthetic speech" in read_disclosure(paths[0])


def test_emoji_alone_are_read(pipeline):
    said = pipeline.run(audiopipe.Text((audiopipe.Segment("🎉🙂"),)))
    assert said["loud"].duration > 0.5


def test_tests_of_a_definition_are_texts(tmp_path, monkeypatch):
    voice = hum(tmp_path / "hum", monkeypatch)
    made = audiopipe.parse(
        f"audiopipe: 1\nstages: {{speech: {{use: speak, voice: {voice}}}}}\n"
        "tests: [{input: Good morning., expect: {speech: length 1.4 s ± 0.3}}]\n"
    )
    (outcome,) = run_tests(made)
    assert outcome.passed, outcome.found


def test_words_as_json(tmp_path, monkeypatch):
    voice = hum(tmp_path / "hum", monkeypatch)
    made = audiopipe.parse(
        f"audiopipe: 1\nstages: {{speech: {{use: speak, voice: {voice}}}}}\n"
        "outputs: {words.json: speech.words}\n"
    )
    (tmp_path / "a.txt").write_text("Hello there.")
    run_batch(made, [tmp_path / "a.txt"], tmp_path / "out")
    rows = json.loads((tmp_path / "out/a/words.json").read_text())["items"]
    assert [row["text"] for row in rows] == ["Hello", "there."]
    assert rows[0]["stop_s"] <= rows[1]["start_s"]
