"""The ready pipelines that separate, with a small model of random weights."""

import pytest
import torch
from separators import music, stems_model

from audiopipe import Audio, load
from audiopipe.run.check import run_tests

READY = ["stems", "karaoke", "live-karaoke", "practice", "melody"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return stems_model(tmp_path_factory.mktemp("models") / "small")


def ready(name, model, **settings):
    return load(name, {"stems.model": model, **settings})


@pytest.mark.parametrize("name", READY)
def test_their_own_tests_pass(name, model):
    outcomes = run_tests(ready(name, model), device="cpu")
    assert outcomes
    assert [outcome for outcome in outcomes if not outcome.passed] == []


def test_karaoke_is_the_song_without_its_voice(model):
    song = music(1.0)
    karaoke = ready("karaoke", model).run(song)["{name}.karaoke.flac"]
    voice = ready("stems", model).run(song)["{name}/{stem}.flac"]["vocals"]
    torch.testing.assert_close(karaoke.samples + voice.samples, song.samples, atol=2e-6, rtol=0)
    assert voice.samples.norm() > 0.01 * song.samples.norm()


def test_live_karaoke_streams_the_same(model):
    song = music(1.0, rate=48000)
    pipeline = ready("live-karaoke", model)
    blocks = [song.cut(at, min(at + 960, len(song))) for at in range(0, len(song), 960)]
    parts = [out["karaoke.flac"] for out in pipeline.stream(blocks) if "karaoke.flac" in out]
    streamed, whole = Audio.join(parts), pipeline.run(song)["karaoke.flac"]
    torch.testing.assert_close(streamed.samples, whole.samples, atol=1e-5, rtol=0)
    assert pipeline.plan(song).output_latency("karaoke.flac") < 0.5


def test_practice_silences_a_part_and_slows_down(model):
    song = music(1.0)
    stems = ready("stems", model).run(song)["{name}/{stem}.flac"]
    settings = {"practice.speed": "1", "band.gains": "[0 dB, -200 dB, 0 dB, 0 dB]"}
    made = ready("practice", model, **settings).run(song)["practice"]
    want = song.samples - stems["drums"].samples
    torch.testing.assert_close(made.samples, want, atol=2e-6, rtol=0)
    slow = ready("practice", model, **{"practice.speed": "0.5"}).run(song)["practice"]
    assert len(slow) == 2 * len(song)


def test_melody_follows_the_voice_alone(model):
    song = music(1.0)
    pipeline = ready("melody", model)
    voice = ready("stems", model).run(song)["{name}/{stem}.flac"]["vocals"]
    track = pipeline.run(song)["melody"]
    want = load(
        {"audiopipe": 1, "stages": {"pitch": {"use": "pitch", "range": ["65 Hz", "1 kHz"]}}}
    )
    torch.testing.assert_close(track.hz, want.run(voice)["pitch"].hz, atol=1e-2, rtol=1e-3)
