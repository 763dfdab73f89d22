"""A voice made of another one's recordings: moved by rule, timed and begun as the other was."""

import math

import pytest
import soundfile
import torch

from audiopipe.nets.frames import LogMel, MelConfig
from audiopipe.voices.tokens import END, START, labels

pytest.importorskip("pyworld")

from training.speak import corpus, data, prepare, train, transpose

RATE = MelConfig.rate
NAMES = labels("en")


def vowel(f0=160.0, formant=1000.0, seconds=1.0):
    """Harmonics of `f0`, loudest round `formant`: [time]."""
    time = torch.arange(int(RATE * seconds)) / RATE
    hertz = f0 * torch.arange(1, 40)
    strength = torch.exp(-0.5 * ((hertz - formant) / 250) ** 2) + 0.01
    return 0.1 * (strength[:, None] * torch.sin(2 * math.pi * hertz[:, None] * time)).sum(0)


def loudest(audio):
    """Hz of the loudest place of the long-term spectrum."""
    power = torch.stft(audio, 480, 240, window=torch.hann_window(480), return_complex=True)
    return power.abs().square().mean(1).argmax().item() * RATE / 480


def test_pitch_and_formants_are_moved_and_nothing_else():
    audio = vowel()
    made = transpose.transposed(audio, (90.0, 400.0), f0=0.7, formants=0.8)
    assert len(made) == len(audio)
    hz = prepare.f0_of(made, MelConfig(), (60.0, 300.0))
    assert hz[20:80].median().item() == pytest.approx(112, rel=0.02)
    assert loudest(audio) == pytest.approx(1000, abs=110)
    assert loudest(made) == pytest.approx(800, abs=90)
    level = 20 * made.square().mean().sqrt().log10()
    assert level.item() == pytest.approx(corpus.LEVEL, abs=1.0)


def test_above_the_highest_frequency_its_value_goes_on():
    rows = torch.arange(10.0)[None].double().numpy()
    assert transpose.warped_frequencies(rows, 0.5)[0].tolist() == [0, 2, 4, 6, 8, 9, 9, 9, 9, 9]
    assert transpose.warped_frequencies(rows, 1.0)[0].tolist() == rows[0].tolist()


def test_all_that_is_held_out_is_moved_and_few_of_the_others(tmp_path):
    corpus_of = [
        corpus.Recording(tmp_path / f"{k}.flac", "", torch.empty(0), held_out=k > 6)
        for k in range(9)
    ]
    assert [one.name for one in transpose.drawn(corpus_of, 3)] == list("03678")


def test_times_are_those_of_the_other_voice(tmp_path):
    ids = torch.tensor([NAMES.index(name) for name in (START, "n", "ˈoʊ", END)])
    path = tmp_path / "no.flac"
    soundfile.write(path, vowel(seconds=0.8).numpy(), RATE)
    recording = corpus.Recording(path, "No", ids, held_out=False)
    starts = torch.tensor([0, 20, 40, 120, 150])  # fine frames of 128 samples
    names = [NAMES[k] for k in ids.tolist()]
    listen = LogMel(MelConfig())
    made = prepare.describe(recording, starts, names, listen, (90.0, 400.0))
    voice = data.Voice.measured([made])
    for split in ("train", "test"):
        data.save([made], voice, "en", tmp_path / f"{split}.safetensors")
    again = prepare.timing(tmp_path)["no"]
    assert again[1:4].tolist() == starts[1:4].tolist()
    twice = prepare.describe(recording, again, names, listen, (90.0, 400.0))
    assert torch.equal(twice.frames, made.frames)
    assert twice.first == made.first
    assert torch.equal(twice.mel, made.mel)


def test_a_voice_begins_where_another_has_ended(tmp_path):
    generator = torch.Generator().manual_seed(0)

    def training(mean):
        ids = torch.tensor([NAMES.index(name) for name in (START, "n", "ˈoʊ", END)])
        frames = torch.full((4,), 12)
        mel = mean + torch.randn(48, 100, generator=generator)
        flat = torch.full((4,), 90.0)
        one = data.Spoken("no", 0, ids, frames, flat, flat, mel, torch.full((48,), 180.0))
        settings = {"width": 16, "expansion": 2, "kernel": 3, "encoder": 1, "decoder": 1}
        return train.Training([one] * 4, data.Voice.measured([one]), "en", settings)

    first, second = training(-5.0), training(-3.0)
    for _ in range(3):
        first.step(0.2)
    first.save(tmp_path, 1.0)
    second.begin(tmp_path / "weights.safetensors")
    for net in (second.net, second.average.module):
        assert torch.allclose(net.head.weight, first.average.module.head.weight, atol=1e-3)
        assert torch.allclose(net.mean, second.voice.mean)
    assert not torch.allclose(second.net.mean, first.net.mean, atol=1.0)
