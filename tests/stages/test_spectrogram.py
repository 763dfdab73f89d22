"""Spectrograms: equal to librosa's and torchaudio's, right where those are not, streamed."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
import torch
import torchaudio

from audiopipe import signals
from audiopipe.engine import Engine
from audiopipe.mel import from_mel, mel_bank, mel_points, to_mel
from audiopipe.plan import Graph, Node, plan
from audiopipe.signals import Audio
from audiopipe.stages.spectrogram import Spectrogram

RATE = 22050
SHARED = {"n_fft": 1024, "hop_length": 256}
MEL = {**SHARED, "n_mels": 80, "pad_mode": "constant"}


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    """Noise and three tones, 1.5 s and a bit."""
    time = np.arange(33333) / RATE
    tones = sum(np.sin(2 * np.pi * f * time) for f in (110, 440, 3520))
    noise = np.random.default_rng(0).standard_normal(len(time))
    return (0.2 * tones + 0.02 * noise).astype(np.float32)


def analyse(
    sound: np.ndarray, rate: int = RATE, sizes: tuple[int, ...] = (), **config
) -> signals.Spectrogram:
    """Through the engine, cut into blocks of these sizes and a last one."""
    audio = Audio(sound, rate)
    stage = Spectrogram.model_validate(config)
    stream = Engine(plan(Graph((Node("it", stage, ("input",)),)), audio.format)).stream()
    given, at = [], 0
    for size in sizes:
        stop = min(at + size, len(audio))
        given += stream.push(audio.cut(at, stop)).values()
        at = stop
    for out in stream.finish(audio.cut(at, len(audio))):
        given += out.values()
    return signals.Spectrogram.join(given)


def close(ours: signals.Spectrogram, theirs: np.ndarray, limit: float) -> None:
    """Equal but for `limit` of the largest value."""
    values = ours.numpy()[0]
    assert values.shape == theirs.shape
    assert np.abs(values - theirs).max() <= limit * np.abs(theirs).max()


def test_complex_is_librosas(sound):
    theirs = librosa.stft(sound, **SHARED, pad_mode="constant")
    close(analyse(sound, scale="complex"), theirs, 1e-6)
    close(analyse(sound, scale="magnitude"), np.abs(theirs), 1e-6)
    close(analyse(sound, scale="power"), np.abs(theirs) ** 2, 1e-6)


def test_mel_is_librosas(sound):
    theirs = librosa.feature.melspectrogram(y=sound, sr=RATE, **MEL)
    close(analyse(sound, scale="mel"), theirs, 1e-6)
    close(analyse(sound), librosa.power_to_db(theirs, top_db=None), 1e-5)


def test_mel_is_torchaudios(sound):
    theirs = torchaudio.transforms.MelSpectrogram(RATE, f_min=50, f_max=8000, **MEL)
    values = theirs(torch.from_numpy(sound)[None])[0].numpy()
    close(analyse(sound, scale="mel", mel="htk", range=["50 Hz", "8 kHz"]), values, 5e-6)


def test_mfcc_is_librosas(sound):
    mel = librosa.power_to_db(librosa.feature.melspectrogram(y=sound, sr=RATE, **MEL), top_db=None)
    close(analyse(sound, scale="mfcc"), librosa.feature.mfcc(S=mel, n_mfcc=20), 1e-5)


def test_constant_q_is_near_librosas(sound):
    ours = analyse(sound, scale="cqt")
    theirs = np.abs(librosa.cqt(sound, sr=RATE, hop_length=256, fmin=32.703))
    assert ours.frequencies == pytest.approx(librosa.cqt_frequencies(84, fmin=32.703))
    values = ours.numpy()[0]
    assert values.shape == theirs.shape
    assert np.corrcoef(values.ravel(), theirs.ravel())[0, 1] > 0.999
    middle = values.shape[1] // 2
    for octave, frequency in ((0, 110), (2, 440), (5, 3520)):
        near = int(np.argmin(np.abs(np.array(ours.frequencies) - frequency)))
        band = slice(near - 5, near + 6)
        assert values[band, middle].argmax() == 5 == theirs[band, middle].argmax(), octave
        assert values[near, middle] == pytest.approx(theirs[near, middle], rel=0.01)


def test_a_tone_stands_in_its_bin():
    time = np.arange(16000) / 16000
    out = analyse(np.cos(2 * np.pi * 1000 * time), 16000, scale="magnitude", window="32 ms")
    middle = out.numpy()[0, :, 30]
    assert out.frequencies[int(middle.argmax())] == 1000
    assert middle.max() == pytest.approx(512 / 4, rel=1e-4)  # half the amplitude, half the window


def test_silence_is_minus_100_db():
    assert float(analyse(np.zeros(5000)).values.max()) == -100


@pytest.mark.parametrize("scale", ["complex", "power", "log-mel", "mfcc", "cqt"])
@pytest.mark.parametrize("frames", ["centred", "causal"])
def test_a_stream_gives_what_the_whole_gives(sound, scale, frames):
    random = np.random.default_rng(1)
    whole = analyse(sound, scale=scale, frames=frames).numpy()
    for _ in range(2):
        sizes = (1, 0, *(int(n) for n in random.integers(0, 5000, 10)))
        got = analyse(sound, sizes=sizes, scale=scale, frames=frames).numpy()
        assert got.shape == whole.shape
        # Rounding: an atom of the constant-Q transform sums some 20 000 products.
        assert np.abs(got - whole).max() <= 3e-6 * np.abs(whole).max()


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 5120])
def test_how_many_frames_there_are(count):
    silence = np.zeros((1, count))
    assert len(analyse(silence)) == (1 + count // 256 if count else 0)
    assert len(analyse(silence, frames="causal")) == -(-count // 256)


def test_causal_frames_are_centred_ones_seen_later(sound):
    centred = analyse(sound, scale="magnitude").numpy()
    causal = analyse(sound, scale="magnitude", frames="causal").numpy()
    count = causal.shape[-1]  # a causal window begins half a window less a hop earlier
    np.testing.assert_allclose(causal[..., 1:], centred[..., : count - 1], atol=1e-4)


@pytest.mark.parametrize("kind", ["slaney", "htk"])
def test_the_bank_is_torchaudios_for_even_windows(kind):
    norm = "slaney" if kind == "slaney" else None
    theirs = torchaudio.functional.melscale_fbanks(513, 0, 8000, 64, 16000, norm, kind)
    ours = mel_bank(mel_points(64, (0, 8000), kind), 16000, 1024, kind)
    torch.testing.assert_close(ours, theirs, atol=1e-4 * float(theirs.max()), rtol=0)
    hertz = torch.linspace(0, 8000, 50, dtype=torch.float64)
    torch.testing.assert_close(from_mel(to_mel(hertz, kind), kind), hertz)


def test_the_bank_is_librosas_for_odd_windows_too():
    theirs = librosa.filters.mel(sr=RATE, n_fft=551, n_mels=40).T
    ours = mel_bank(mel_points(40, (0, RATE / 2), "slaney"), RATE, 551, "slaney").numpy()
    np.testing.assert_allclose(ours, theirs, atol=1e-6 * theirs.max())


def test_a_nan_stays_in_its_windows(sound):
    broken = sound.copy()
    broken[10000] = np.nan
    bad = np.isnan(analyse(broken, scale="log-mel").numpy()[0]).any(0).nonzero()[0]
    assert bad.min() * 256 >= 10000 - 512
    assert bad.max() * 256 <= 10000 + 512


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"hop": 2048}, "make the window longer or the hop shorter"),
        ({"hop": 0}, "less than one sample"),
        ({"range": ["0 Hz", "12 kHz"]}, "lower the range, or resample to a higher rate"),
        ({"range": [500, 400]}, "low, high"),
        ({"scale": "cqt", "range": [0, 400]}, "from 1 Hz"),
        ({"scale": "mfcc", "bands": 10}, "ask for more bands"),
    ],
)
def test_what_cannot_be_is_refused_with_a_cure(config, message):
    with pytest.raises(ValueError, match=message):
        Spectrogram.model_validate(config).accepts(Audio.empty(RATE, 1))
