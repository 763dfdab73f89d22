"""The vocoder: frames lie where they are said to, and pieces are the whole."""

import math

import pytest
import torch
import torchaudio
from torch.nn import functional

from audiopipe.nets.envelopes import minimum_phase
from audiopipe.nets.frames import LogMel, MelConfig
from audiopipe.nets.source import Source
from audiopipe.nets.vocoder import InverseSTFT, Vocoder

MEL = MelConfig()


def small() -> Vocoder:
    torch.manual_seed(0)
    vocoder = Vocoder.of(width=16, expansion=2, kernel=7, ahead=[3, 2, 0]).eval()
    torch.nn.init.normal_(vocoder.head.weight, std=0.5)
    return vocoder


def test_the_bands_are_those_of_torchaudio():
    bank = torchaudio.functional.melscale_fbanks(
        513, 0.0, 12_000.0, 100, 24_000, norm=None, mel_scale="htk"
    )
    assert torch.allclose(LogMel(MEL).filters, bank.T, atol=1e-4)


def test_a_frame_is_centred_on_its_own_hop():
    click = torch.zeros(1, 40 * MEL.hop)
    click[0, 20 * MEL.hop + MEL.hop // 2] = 1.0
    loudest = LogMel(MEL)(click).exp().sum(1)[0]
    assert loudest.argmax() == 20
    assert torch.allclose(loudest[19], loudest[21], rtol=1e-3)


@pytest.mark.parametrize(("samples", "frames"), [(1, 1), (256, 1), (257, 2), (2560, 10)])
def test_frames_cover_all_samples(samples, frames):
    assert LogMel(MEL)(torch.zeros(1, samples)).shape == (1, 100, frames)


def test_silence_has_the_floor():
    assert LogMel(MEL)(torch.zeros(1, 2560)).unique().tolist() == pytest.approx([math.log(1e-5)])


def test_inverse_stft_undoes_the_analysis():
    torch.manual_seed(1)
    wave = torch.randn(2, 40 * MEL.hop)
    spectrum = torch.stft(
        functional.pad(wave, (MEL.margin, MEL.margin)), MEL.n_fft, MEL.hop,
        window=torch.hann_window(MEL.n_fft), center=False, return_complex=True,
    )  # fmt: skip
    inverse = InverseSTFT(MEL)
    made = inverse(spectrum)
    kept = wave[:, inverse.context * MEL.hop : -inverse.context * MEL.hop]
    assert made.shape == kept.shape
    assert torch.allclose(made, kept, atol=1e-5)


def frames(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Mels and a pitch that moves."""
    torch.manual_seed(2)
    return torch.randn(100, count), 120 + 60 * torch.rand(count)


def test_pieces_with_context_are_the_whole():
    vocoder = small()
    mel, hz = frames(50)
    whole = vocoder.speak(mel, hz)
    past, ahead = vocoder.reach
    padded = functional.pad(mel[None], (past, ahead), value=math.log(MEL.floor))
    pitch = functional.pad(hz[None], (past, ahead), mode="replicate")
    source = Source(MEL.hop, MEL.rate)(pitch[0])[None]
    pieces = []
    for at, size in ((0, 1), (1, 20), (21, 29)):
        near = slice(at, at + past + size + ahead)
        blocks = slice(near.start * MEL.hop, near.stop * MEL.hop)
        with torch.inference_mode():
            pieces.append(vocoder(padded[..., near], pitch[:, near], source[..., blocks]))
    assert whole.shape == (50 * MEL.hop,)
    assert torch.allclose(torch.cat(pieces, 1)[0], whole, atol=1e-5)


def test_reach_is_what_is_heard():
    vocoder = small()
    mel, hz = frames(60)
    past, ahead = vocoder.reach
    changed = mel.clone()
    changed[:, 30] += 1.0
    difference = (vocoder.speak(changed, hz) - vocoder.speak(mel, hz)).abs()
    heard = difference.view(-1, MEL.hop).amax(1).nonzero()[:, 0]
    assert heard.min() >= 30 - ahead
    assert heard.max() <= 30 + past
    assert heard.max() - heard.min() >= past + ahead - 1


def test_without_training_it_follows_the_frames_and_the_pitch():
    vocoder = small()
    torch.nn.init.zeros_(vocoder.head.weight)
    hz = torch.full((80,), 220.0)
    blocks = Source(MEL.hop, MEL.rate, seed=5)(hz)
    real = 0.05 * blocks[0]
    mel = LogMel(MEL)(real[None])[0]
    made = vocoder.speak(mel, hz)
    again = LogMel(MEL)(made[None])[0]
    # Twice as much as asked for: pulses and noise are both as loud as the frames.
    assert (again - mel)[:, 10:70].abs().mean() < 0.8
    spectrum = torch.fft.rfft(made[20 * 256 : 60 * 256] * torch.hann_window(40 * 256)).abs()
    peak = spectrum[: round(300 / 24_000 * 40 * 256)].argmax() * 24_000 / (40 * 256)
    assert peak == pytest.approx(220.0, abs=3)


def test_silence_is_silent():
    vocoder = small()
    torch.nn.init.zeros_(vocoder.head.weight)
    made = vocoder.speak(torch.full((100, 30), math.log(MEL.floor)), torch.full((30,), 100.0))
    assert made.abs().max() < 1e-3


def test_minimum_phase_is_causal():
    torch.manual_seed(3)
    poles = torch.tensor([1.0, -1.2, 0.6])
    magnitude = -torch.fft.rfft(poles, n=1024).abs().log()
    response = torch.fft.irfft(minimum_phase(magnitude[:, None])[:, 0].exp())
    expected = torch.fft.irfft(1 / torch.fft.rfft(poles, n=1024))
    assert torch.allclose(response, expected, atol=1e-4)


def test_one_pulse_a_period_and_all_its_multiples():
    hz = torch.full((100,), 200.0)
    pulse, noise = Source(MEL.hop, MEL.rate)(hz)
    spectrum = torch.fft.rfft(pulse[:24_000] * torch.hann_window(24_000)).abs()
    harmonics = spectrum[200:12_000:200]
    assert harmonics.std() / harmonics.mean() < 0.02
    assert spectrum[100:12_000:200].max() < 1e-3 * harmonics.mean()
    assert pulse.std().item() == pytest.approx(noise.std().item(), rel=0.02)


def test_a_source_does_not_depend_on_how_frames_come():
    hz = 80 + 400 * torch.rand(200, generator=torch.Generator().manual_seed(4))
    whole = Source(MEL.hop, MEL.rate)(hz)
    parts = Source(MEL.hop, MEL.rate)
    assert torch.equal(torch.cat([parts(part) for part in hz.split(7)], 1), whole)
    assert not torch.equal(Source(MEL.hop, MEL.rate, seed=1)(hz)[1], whole[1])


def test_sizes_that_make_no_network_are_refused():
    with pytest.raises(ValueError, match="0 to 6"):
        Vocoder.of(width=8, expansion=2, kernel=7, ahead=[3, 9])
    with pytest.raises(ValueError, match="2 frames more"):
        Vocoder.of(width=8, expansion=2, kernel=7, ahead=[1, 0])
