"""`audiopipe watermark detect` and `audiopipe consent`: what they print, and how they end."""

import json

import pytest
import typer

from audiopipe import Audio, Pipeline
from audiopipe.consent import read_consent
from audiopipe.disclosure import disclosure
from audiopipe.io.read import open_audio
from audiopipe.io.write import AudioWriter
from audiopipe.stages.watermark import Watermark


@pytest.fixture(scope="module")
def words(pytestconfig):
    with open_audio(pytestconfig.rootpath / "samples" / "words.flac") as reader:
        return Audio.join(list(reader.blocks(16000)))


@pytest.fixture(scope="module")
def marked(words):
    return Pipeline([Watermark(kind="cloned")]).run(words)["watermark"]


def test_a_marked_file_is_found(cli, marked, tmp_path):
    with AudioWriter(tmp_path / "a.mp3", marked.format, comment=disclosure("ada", "Yes")) as writer:
        writer.write(marked)
    ran = cli("watermark", "detect", "a.mp3")
    assert (ran.code, ran.err) == (0, "")
    first, second = ran.out.splitlines()
    assert first.startswith("a.mp3: marked as cloned (p = ")
    assert first.endswith("clearest 0 to 9 s)")
    assert second == f"  its tags: {disclosure('ada', 'Yes')}"


def test_one_without_is_told_and_ends_with_1(cli, words, marked, tmp_path):
    words.save(tmp_path / "a.wav")
    marked.save(tmp_path / "b.flac")
    ran = cli("watermark", "detect", "a.wav", "b.flac", "--json")
    assert (ran.code, ran.err) == (1, "")
    first, second = map(json.loads, ran.out.splitlines())
    assert first["p_value"] > 1e-3
    assert {**first, "p_value": None} == {
        "input": "a.wav",
        "found": False,
        "p_value": None,
        "kind": None,
        "start": None,
        "stop": None,
        "tags": "",
    }
    assert (second["found"], second["kind"], second["start"]) == (True, "cloned", 0.0)
    assert second["p_value"] < 1e-20
    assert second["stop"] == pytest.approx(len(words) / words.rate)


def test_a_folder_above_is_searched_whole(cli, marked, tmp_path, monkeypatch):
    marked.save(tmp_path / "a.flac")
    (tmp_path / "here").mkdir()
    marked.save(tmp_path / "here" / "b.flac")
    monkeypatch.chdir(tmp_path / "here")
    assert len(cli("watermark", "detect", "..", "--json").out.splitlines()) == 2


@pytest.mark.parametrize(("names", "code"), [(["no.wav"], 3), (["no.wav", "a.wav"], 9)])
def test_what_cannot_be_read_does_not_stop_the_rest(cli, tmp_path, names, code):
    Audio([0.0] * 8000, 8000).save(tmp_path / "a.wav")
    ran = cli("watermark", "detect", *names)
    assert ran.code == code
    assert "no.wav: there is no such file" in ran.err
    assert ran.out.splitlines() == ["a.wav: no mark found (p = 1)"][: len(names) - 1]


def test_a_record_is_made_and_checked(cli, marked, tmp_path, monkeypatch):
    marked.save(tmp_path / "ada.wav")
    answers = ["Ada Lovelace", "a podcast", "", "Ada Lovelace"]
    monkeypatch.setattr(typer, "prompt", lambda question, **_: answers.pop(0))
    ran = cli("consent", "new", "ada.wav")
    assert (ran.code, ran.out.split(",")[0]) == (0, "ada.consent.json: Consent of Ada Lovelace")
    assert read_consent(tmp_path / "ada.consent.json").purpose == "a podcast"
    ran = cli("consent", "check", "ada.consent.json", "ada.wav")
    assert (ran.code, ran.out.split(".")[2]) == (0, "json: holds")
    marked.save(tmp_path / "bob.flac")
    ran = cli("consent", "check", "ada.consent.json", "bob.flac")
    assert (ran.code, ran.out) == (3, "")
    assert "bob.flac: is not the recording that Ada Lovelace has consented to" in ran.err


def test_without_confirmation_nothing_is_written(cli, marked, tmp_path, monkeypatch):
    marked.save(tmp_path / "ada.wav")
    answers = ["Ada Lovelace", "a podcast", "", "no"]
    monkeypatch.setattr(typer, "prompt", lambda question, **_: answers.pop(0))
    ran = cli("consent", "new", "ada.wav", "-o", "mine.json")
    assert ran.code == 3
    assert "Ada Lovelace has not confirmed" in ran.err
    assert not (tmp_path / "mine.json").exists()
