"""Inversion: exact where the phases are known, as good as librosa's where they are not."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
import torch

from audiopipe.engine import Engine
from audiopipe.errors import PlanError
from audiopipe.plan import Graph, Node, plan
from audiopipe.signals import Audio, Spectrogram
from audiopipe.stages.invert import Invert, griffin_lim
from audiopipe.stages.spectrogram import Spectrogram as Analyse

RATE = 16000


def there_and_back(
    sound: np.ndarray, sizes: tuple[int, ...] = (), iterations: int = 8, **config
) -> Audio:
    """Analysis and inversion through the engine, in blocks of these sizes and a last one."""
    audio = Audio(sound, RATE)
    nodes = (
        Node("there", Analyse.model_validate(config), ("input",)),
        Node("back", Invert(iterations=iterations), ("there",)),
    )
    stream = Engine(plan(Graph(nodes), audio.format)).stream()
    given, at = [], 0
    for size in sizes:
        stop = min(at + size, len(audio))
        given += stream.push(audio.cut(at, stop)).values()
        at = stop
    for out in stream.finish(audio.cut(at, len(audio))):
        given += out.values()
    return Audio.join(given)


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    """Two seconds of harmonics that glide."""
    time = np.arange(2 * RATE) / RATE
    phase = 2 * np.pi * (120 * time + 40 * time**2)
    return (0.2 * sum(np.sin(k * phase) / k for k in range(1, 12))).astype(np.float32)


def magnitudes(sound: np.ndarray) -> np.ndarray:
    return np.abs(librosa.stft(sound, n_fft=1024, hop_length=256, pad_mode="constant"))


def convergence(sound: np.ndarray, wanted: np.ndarray) -> float:
    """Spectral convergence in dB."""
    return float(20 * np.log10(np.linalg.norm(magnitudes(sound) - wanted) / np.linalg.norm(wanted)))


@pytest.mark.parametrize("count", [0, 1, 255, 1024, 20011])
@pytest.mark.parametrize(
    "config", [{}, {"window": "25 ms", "hop": "5 ms"}, {"window": 551, "hop": 110}]
)
def test_complex_gives_the_sound_back(count, config):
    sound = np.random.default_rng(0).standard_normal((2, count)).astype(np.float32)
    for sizes in ((), (1, 0, 300, 7000)):
        back = there_and_back(sound, sizes, scale="complex", **config).samples.numpy()
        np.testing.assert_allclose(back, sound, atol=2e-6)


def test_causal_frames_give_the_sound_back_but_for_its_end():
    sound = np.random.default_rng(0).standard_normal((1, 20000)).astype(np.float32)
    back = there_and_back(sound, scale="complex", frames="causal").samples.numpy()
    assert back.shape == sound.shape
    np.testing.assert_allclose(back[:, :-256], sound[:, :-256], atol=1e-5)


def test_griffin_lim_is_as_good_as_librosas(voice):
    wanted = magnitudes(voice)
    ours = there_and_back(voice, iterations=32, scale="magnitude").samples[0].numpy()
    theirs = librosa.griffinlim(
        wanted, n_iter=32, hop_length=256, pad_mode="constant", length=len(voice), random_state=0
    )
    assert len(ours) == len(voice)
    assert convergence(ours, wanted) < min(-15, convergence(theirs, wanted) + 3)


@pytest.mark.parametrize("scale", ["magnitude", "power", "mel", "log-mel"])
@pytest.mark.parametrize("mel", ["slaney", "htk"])
def test_every_scale_sounds_like_what_it_was_made_of(voice, scale, mel):
    if mel == "htk" and "mel" not in scale:
        return
    wanted = magnitudes(voice)
    back = there_and_back(voice, scale=scale, mel=mel, range=[0, 8000])
    assert convergence(back.samples[0].numpy(), wanted) < (-4 if "mel" in scale else -12)


def test_a_stream_gives_what_the_whole_gives(voice):
    whole = there_and_back(voice, iterations=4, scale="log-mel").samples
    cut = there_and_back(voice, (1, 5000, 0, 20, 9000), iterations=4, scale="log-mel").samples
    torch.testing.assert_close(cut, whole, atol=1e-5, rtol=0)


def test_joints_leave_no_trace(voice):
    # The pieces against one Griffin-Lim over everything.
    pieces = there_and_back(voice, iterations=6, scale="magnitude").samples[0]
    frames = torch.from_numpy(magnitudes(voice).T.copy())
    silence = torch.zeros(64, frames.shape[1])
    together = torch.cat([silence, frames, silence])
    whole = griffin_lim(together, torch.hann_window(1024), 256, iterations=6)
    whole = whole[64 * 256 + 512 :][: len(voice)]
    assert float((pieces - whole).norm() / whole.norm()) < 1e-3


def test_silence_stays_silence():
    for scale in ("magnitude", "mel", "complex"):
        assert not there_and_back(np.zeros(3000), scale=scale, iterations=2).samples.any()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"scale": "mfcc"}, "does not hold enough to be inverted; give it one of scale complex"),
        ({"scale": "cqt"}, "does not hold enough"),
        ({"scale": "complex", "window": 512, "hop": 300}, "make the hop shorter"),
        ({"scale": "mel", "bands": 1}, "2 bands or more"),
    ],
)
def test_what_cannot_be_inverted_is_refused(config, message):
    with pytest.raises(PlanError, match=message):
        there_and_back(np.zeros(100), **config)


def test_bands_of_no_known_scale_are_refused():
    values = torch.zeros(1, 3, 0)
    source = Spectrogram(values, RATE, 256, 1024, 512, "mel", (100.0, 200.0, 900.0))
    with pytest.raises(ValueError, match="not evenly spaced on a mel scale"):
        Invert().accepts(source)
