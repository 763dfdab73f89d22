"""The vocoder: frames lie where they are said to, and pieces are the whole."""

import math

import pytest
import torch
import torchaudio
from torch.nn import functional

from audiopipe.nets.vocoder import InverseSTFT, LogMel, MelConfig, Vocoder

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


def test_pieces_with_context_are_the_whole():
    vocoder, mel = small(), torch.randn(1, 100, 50)
    whole = vocoder.speak(mel)
    past, ahead = vocoder.reach
    padded = functional.pad(mel, (past, ahead), value=math.log(MEL.floor))
    with torch.inference_mode():
        pieces = [
            vocoder(padded[..., at : at + past + size + ahead])
            for at, size in ((0, 1), (1, 20), (21, 29))
        ]
    assert whole.shape == (1, 50 * MEL.hop)
    assert torch.allclose(torch.cat(pieces, 1), whole, atol=1e-5)


def test_reach_is_what_is_heard():
    vocoder, mel = small(), torch.randn(1, 100, 60)
    past, ahead = vocoder.reach
    changed = mel.clone()
    changed[..., 30] += 1.0
    difference = (vocoder.speak(changed) - vocoder.speak(mel)).abs()[0]
    heard = difference.view(-1, MEL.hop).amax(1).nonzero()[:, 0]
    assert heard.min() >= 30 - ahead
    assert heard.max() <= 30 + past
    assert heard.max() - heard.min() >= past + ahead - 1


def test_sizes_that_make_no_network_are_refused():
    with pytest.raises(ValueError, match="0 to 6"):
        Vocoder.of(width=8, expansion=2, kernel=7, ahead=[3, 9])
