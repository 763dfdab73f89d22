"""Recordings of a wanted voice: which will do, which are refused, and what is told of them."""

from typing import NamedTuple

import numpy as np
import pytest
import soundfile
import torch
from cloning import voice

from audiopipe.cloning.reference import Sound, frames, pitches, read, take
from audiopipe.cloning.tracking import tracked
from audiopipe.errors import AudioError, InvalidSamplesError, LikenessError
from audiopipe.nets.frames import LogMel, MelConfig
from audiopipe.signals import Audio

CPU = torch.device("cpu")
RATE = 24_000


class Likeness(NamedTuple):
    identity: torch.Tensor
    f0: torch.Tensor
    spread: torch.Tensor


class Ear:
    """Tells voices apart by the shape of their mean spectrum."""

    def likeness(self, mel, hz):
        shape = mel[4:60].mean(1)
        identity = torch.nn.functional.normalize(shape - shape.mean(), dim=0)[None]
        voiced = hz[hz > 0]
        return Likeness(identity, 12 * voiced.median().log2()[None], torch.tensor([1.0]))


def taken(path):
    return take(path, Ear(), CPU)


def wave(path, samples, rate=RATE, **how):
    soundfile.write(path, np.asarray(samples, np.float32), rate, **how)
    return path


def noise(seconds, level, seed=0):
    return level * np.random.default_rng(seed).standard_normal(round(seconds * RATE))


@pytest.fixture(scope="module")
def ada():
    return voice(8.0, hz=120.0).samples[0].numpy()


def test_a_clean_one_has_nothing_to_be_told(tmp_path, ada):
    found = taken(wave(tmp_path / "a.wav", ada))
    assert found.told == ()
    assert float(torch.exp2(found.likeness.f0 / 12)) == pytest.approx(120, rel=0.03)


@pytest.mark.parametrize(
    ("name", "rate", "channels"),
    [("a.flac", 44100, 2), ("a.mp3", 48000, 1), ("a.ogg", 16000, 2), ("a.wav", 8000, 6)],
)
def test_any_form_rate_and_channels(tmp_path, name, rate, channels):
    samples = voice(6.0, hz=120.0, rate=rate).samples[0].numpy()
    path = wave(tmp_path / name, np.tile(samples[:, None], channels), rate)
    sound = read(path)
    assert len(sound.samples) == pytest.approx(6 * RATE, abs=0.1 * RATE)
    found = taken(path)
    assert float(torch.exp2(found.likeness.f0 / 12)) == pytest.approx(120, rel=0.03)


def test_frames_and_their_pitch_are_those_of_the_networks(ada):
    samples = torch.from_numpy(ada)
    mel = frames(samples, CPU)
    assert torch.allclose(mel, LogMel(MelConfig())(samples[None])[0], atol=1e-3)
    lower = voice(8.0, hz=120.0, rate=16_000).samples[0]
    track = tracked(lower, CPU)
    assert len(track) == 800
    hz = pitches(track, mel.shape[1])
    assert len(hz) == mel.shape[1]
    assert float(hz[hz > 0].median()) == pytest.approx(120, rel=0.02)
    assert 0.2 < float((hz > 0).float().mean()) < 0.95


def test_more_than_five_minutes_are_not_read(tmp_path, monkeypatch, ada):
    monkeypatch.setattr("audiopipe.cloning.reference.LONGEST", 7)
    path = wave(tmp_path / "a.wav", ada)
    assert len(read(path).samples) == 7 * RATE
    assert any("only its first" in told for told in taken(path).told)


def _refused():
    quiet, talk = noise(5, 1e-4), voice(8.0).samples[0].numpy()
    hum = 0.3 * np.sin(2 * np.pi * 120 * np.arange(5 * RATE) / RATE)
    return [
        ("nothing", np.zeros(0), LikenessError, "is silent"),
        ("zeros", np.zeros(5 * RATE), LikenessError, "is silent; record the voice"),
        ("quiet", quiet, LikenessError, "is silent"),
        ("noise", noise(5, 0.1), LikenessError, "has no voice in it that could be cloned"),
        ("hum", hum, LikenessError, "has no voice in it that could be cloned"),
        ("short", talk[: round(1.2 * RATE)], LikenessError, "s of speech; 2 s are the least"),
        ("click", np.eye(1, 5 * RATE, 9000)[0], LikenessError, "is silent"),
        ("nan", np.where(np.arange(RATE * 5) == 7, np.nan, hum), InvalidSamplesError, "a.wav"),
        ("infinite", np.where(np.arange(RATE * 5) == 7, np.inf, hum), InvalidSamplesError, "a.wav"),
    ]


@pytest.mark.parametrize(
    ("samples", "kind", "told"), [r[1:] for r in _refused()], ids=[r[0] for r in _refused()]
)
def test_what_is_refused(tmp_path, samples, kind, told):
    with pytest.raises(kind, match=told.replace(".", r"\.")):
        taken(wave(tmp_path / "a.wav", samples, subtype="FLOAT"))


def test_what_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(AudioError, match="there is no such file"):
        taken(tmp_path / "gone.wav")
    (tmp_path / "text.wav").write_text("this is a text")
    with pytest.raises(AudioError, match=r"text\.wav"):
        taken(tmp_path / "text.wav")
    (tmp_path / "empty.wav").touch()
    with pytest.raises(AudioError, match="is empty"):
        taken(tmp_path / "empty.wav")


def _told():
    talk = voice(8.0, hz=120.0).samples[0].numpy()
    chord = sum(np.sin(2 * np.pi * hz * np.arange(8 * RATE) / RATE) for hz in (220, 277, 330))
    other = voice(8.0, hz=125.0, formants=(350, 2200, 3600), seed=3).samples[0].numpy()
    woman = voice(8.0, hz=240.0, seed=3).samples[0].numpy()
    return [
        ("short", talk[: 4 * RATE], "s of speech; from 5 s on it is met better"),
        ("clipped", (12 * talk).clip(-1, 1), "is clipped"),
        ("noise", talk + noise(8, 0.02), "has noise, a room or music behind the voice"),
        ("music", talk + 0.02 * chord, "has noise, a room or music behind the voice"),
        ("two", np.concatenate([talk, other]), "may have more than one person in it"),
        ("a woman, too", np.concatenate([talk, woman]), "may have more than one person in it"),
    ]


@pytest.mark.parametrize(("samples", "told"), [r[1:] for r in _told()], ids=[r[0] for r in _told()])
def test_what_is_told(tmp_path, samples, told):
    found = taken(wave(tmp_path / "a.wav", samples)).told
    assert len(found) == 1
    assert found[0].startswith(f"the reference {tmp_path / 'a.wav'}: ")
    assert told in found[0]


def test_a_voice_that_sings_is_one_person(tmp_path):
    """Its pitch moves by an octave, but not from one 3 s to the next."""
    rate = RATE
    high, low = (voice(1.5, hz=hz).samples[0].numpy() for hz in (110.0, 200.0))
    path = wave(tmp_path / "a.wav", np.tile(np.concatenate([high, low]), 4), rate)
    assert not any("person" in told for told in taken(path).told)


def test_the_sound_says_how_much_is_clipped(tmp_path, ada):
    sound = read(wave(tmp_path / "a.wav", (12 * ada).clip(-1, 1)))
    assert isinstance(sound, Sound)
    assert 0.01 < sound.clipped < 0.9
    assert Audio(sound.samples[None], RATE).channels == 1
