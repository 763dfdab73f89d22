"""The ready pipelines `clone` and `clone-live`, with a small untrained network."""

from pathlib import Path

import pytest
import torch
from cloning import given, voice

import audiopipe
from audiopipe.consent import read_consent
from audiopipe.disclosure import read_disclosure
from audiopipe.errors import ConsentError
from audiopipe.io.read import open_audio
from audiopipe.io.save import save
from audiopipe.run.batch import run_batch
from audiopipe.run.live import run_live
from audiopipe.run.source import Feed
from audiopipe.watermark import detect


@pytest.fixture
def settings(tmp_path):
    return {f"voice.{name}": value for name, value in vars(given(tmp_path)).items()}


def test_a_folder_of_recordings(settings, tmp_path):
    folder, out = tmp_path / "talks", tmp_path / "out"
    folder.mkdir()
    for name, hz in (("a", 200.0), ("b", 160.0)):
        save(voice(3.0, hz=hz, rate=44100), folder / f"{name}.flac")
    report = run_batch(audiopipe.load("clone", settings), [str(folder)], out)
    assert [each.status for each in report.files] == ["done", "done"]
    for name in ("a", "b"):
        path = out / f"{name}.cloned.flac"
        assert "Consent of Ada Lovelace" in read_disclosure(path)
        assert read_consent(out / f"{name}.cloned.consent.json").speaker == "Ada Lovelace"


def test_silence_and_length(settings):
    pipeline = audiopipe.load("clone", settings)
    made = pipeline.run(audiopipe.Audio(torch.zeros(1, 44_100), 44_100))["loud"]
    assert len(made) == 24_000
    assert made.samples.abs().max() < 1e-3


def test_live(settings, tmp_path):
    talk = save(voice(4.0, hz=200.0, rate=16_000), tmp_path / "talk.wav")
    pipeline = audiopipe.load("clone-live", settings)
    pipeline.plan(audiopipe.Audio.empty(16_000, 1)).check_streamable()
    out = tmp_path / "out"
    with open_audio(talk) as reader:
        blocks = list(reader.blocks(1600))
    run_live(pipeline, Feed(blocks[0].format, blocks, policy="block"), folder=out)
    assert "in a cloned voice" in read_disclosure(out / "voice.flac")
    assert read_consent(out / "voice.consent.json").speaker == "Ada Lovelace"
    with open_audio(out / "voice.flac") as reader:
        (block,) = reader.blocks(1 << 20)
    assert detect(block).kind == "cloned"
    whole = pipeline.run(talk)["voice"]
    assert (block.samples - whole.samples).abs().max() < 2e-3


def test_without_a_voice_it_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConsentError, match=r"voice\.consent\.json"):
        audiopipe.load("clone").run(voice(1.0))
    assert list(Path().iterdir()) == []
