"""The recipe of the vocoder: crops lie right, chance is not punished, runs go on."""

import math

import pytest
import torch

pytest.importorskip("soundfile")

from audiopipe.nets.frames import LogMel, MelConfig, Reach
from audiopipe.nets.source import Source
from audiopipe.nets.vocoder import VocoderConfig
from training.vocoder.data import Crops, Speech, sources
from training.vocoder.discriminators import CriticConfig
from training.vocoder.losses import Spectra, distance, energy
from training.vocoder.prepare import NOWHERE, join, pitch
from training.vocoder.presets import Preset
from training.vocoder.train import Training

MEL = MelConfig()
HOP, RATE = MEL.hop, MEL.rate
PRESET = Preset(
    network=VocoderConfig(width=16, expansion=2, kernel=3, ahead=(1, 1, 0)),
    critics=CriticConfig((2,), 2, (256,), 2, (2, 2)),
    batch=2,
    frames=16,
    rate=2e-3,
)


def tone(hz: float, seconds: float = 1.0) -> torch.Tensor:
    time = torch.arange(round(seconds * RATE) // HOP * HOP) / RATE
    wave = sum(torch.sin(2 * math.pi * k * hz * time) / k for k in range(1, 6))
    return (4000 * wave).to(torch.int16)


def speech() -> Speech:
    waves = [tone(150), tone(300, 0.8)]
    gap = torch.zeros(64 * HOP, dtype=torch.int16)
    first, second = map(len, waves)
    spans = torch.tensor([[0, first], [first + 64 * HOP, first + 64 * HOP + second]])
    samples = torch.cat([waves[0], gap, waves[1], gap])
    hz = torch.full((len(samples) // HOP,), 150.0)
    hz[first // HOP + 32 :] = 300.0
    return Speech(samples, spans, hz, ("a/one", "a/two"), RATE)


def test_pitch_is_that_of_the_frames():
    assert pitch(tone(200), RATE)[10:-10].tolist() == pytest.approx([200.0] * 73, rel=5e-3)
    assert pitch(torch.zeros(40 * HOP, dtype=torch.int16), RATE).unique().tolist() == [NOWHERE]


def test_utterances_begin_with_a_frame(tmp_path):
    import soundfile

    paths = []
    for number, length in enumerate((30_000, 24_123)):
        paths.append(tmp_path / f"{number}.wav")
        soundfile.write(paths[-1], tone(180, 2.0)[:length].numpy(), RATE)
    made = join([(f"a/{path.stem}", path) for path in paths], RATE)
    assert (made.spans[:, 0] % HOP == 0).all()
    assert len(made.hz) * HOP == len(made.samples)
    assert torch.equal(made[1], tone(180, 2.0)[:24_123].float() / 32768)
    assert len(made.pitch(1)) == math.ceil(24_123 / HOP)
    made.save(tmp_path / "made.safetensors")
    assert torch.equal(Speech.load(tmp_path / "made.safetensors").hz, made.hz)


def test_crops_have_the_pitch_of_what_is_in_them():
    torch.manual_seed(0)
    audio, hz = Crops(speech(), torch.device("cpu"), Reach(4, 2), 20).draw(12)
    assert hz.shape == (12, 26)
    assert audio.shape == (12, 26 * HOP + 2 * MEL.margin)
    found = LogMel(MEL)(audio, pad=False)[:, :40, 4:24].mean(2).argmax(1)
    lowest = {150.0: found[hz[:, 10] == 150.0], 300.0: found[hz[:, 10] == 300.0]}
    assert len(lowest[150.0])
    assert len(lowest[300.0])
    assert lowest[150.0].max() < lowest[300.0].min()


def test_sources_are_as_in_use(monkeypatch):
    hz = 100 + 50 * torch.rand(2, 20, generator=torch.Generator().manual_seed(1))
    assert not torch.equal(sources(hz, HOP, RATE)[:, 0], sources(hz, HOP, RATE)[:, 0])
    monkeypatch.setattr(torch, "rand", torch.zeros)  # they begin with a phase of 0
    for row, both in zip(hz, sources(hz, HOP, RATE), strict=True):
        assert torch.allclose(both[0], Source(HOP, RATE)(row)[0], atol=1e-3)
        assert both[1].std().item() == pytest.approx(1.0, rel=0.05)


def test_noise_is_not_punished_for_being_another_noise():
    torch.manual_seed(3)
    spectra = Spectra()
    noises = [spectra(0.1 * torch.randn(2, 24_000)) for _ in range(3)]
    pulse = 0.1 * sources(torch.full((2, 94), 120.0), HOP, RATE)[:, 0, :24_000]
    hum = spectra(pulse)
    right = distance(noises[0], noises[2])
    assert energy(*noises).item() == pytest.approx(right.item(), rel=0.02)
    # By the plain distance a hum comes as close as noise does; not by this one.
    assert energy(hum, hum, noises[2]) > 1.5 * energy(*noises)


def test_training_learns_and_goes_on_where_it_stopped(tmp_path):
    torch.manual_seed(4)
    training = Training(PRESET, speech(), torch.device("cpu"), False)
    early = [training.step(0.1) for _ in range(30)]
    assert sum(step["mel"] for step in early[-5:]) < sum(step["mel"] for step in early[:5])
    late = training.step(0.9)
    assert {"critic", "adversarial", "matching"} == late.keys() - early[0].keys()
    training.save(tmp_path, 9.0)
    again = Training(PRESET, speech(), torch.device("cpu"), False)
    assert again.resume(tmp_path) == 9.0
    assert again.steps == 31
    for a, b in zip(training.vocoder.parameters(), again.vocoder.parameters(), strict=True):
        assert torch.equal(a, b)
