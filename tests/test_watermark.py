"""The watermark: that it is found after what happens to speech, and not where it is not."""

import numpy as np
import pytest
import soundfile
import soxr
import torch

from audiopipe import Audio, Pipeline
from audiopipe.stages.watermark import Watermark
from audiopipe.watermark import FALSE_ALARMS, KINDS, Detector, detect
from audiopipe.watermark.pattern import signs

RATE = 16000


@pytest.fixture(scope="module")
def words(pytestconfig):
    """Nine seconds of single words [channels, time]."""
    samples, rate = soundfile.read(pytestconfig.rootpath / "samples/words.flac", dtype="float32")
    assert rate == RATE
    return torch.from_numpy(samples)[None]


def mark(samples, rate=RATE, kind="synthetic"):
    return Pipeline([Watermark(kind=kind)]).run(Audio(samples, rate))["watermark"].samples


@pytest.fixture(scope="module")
def marked(words):
    return mark(words)


def found(samples, rate=RATE):
    return detect(Audio(samples, rate))


def noise(seconds, seed=0, rate=RATE):
    return 0.1 * torch.randn(
        1, round(seconds * rate), generator=torch.Generator().manual_seed(seed)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_of_which_kind(words, kind):
    result = found(mark(words, kind=kind))
    assert (result.found, result.kind) == (True, kind)
    assert result.p_value < 1e-50
    assert (result.start, result.stop) == (0.0, pytest.approx(words.shape[1] / RATE))


def test_recordings_have_none(words):
    result = found(words)
    assert (result.found, result.kind, result.start, result.stop) == (False, None, None, None)
    assert result.p_value > 1e-3


@pytest.mark.parametrize("first", [0, 1, 7777, 31234, 60001])
def test_cut_anywhere(marked, first):
    assert found(marked[:, first : first + 5 * RATE]).p_value < 1e-20


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_at_another_rate(marked, rate):
    samples = soxr.resample(marked[0].numpy(), RATE, rate)
    assert found(samples, rate).p_value < 1e-20


@pytest.mark.parametrize("rate", [24000, 48000])
def test_marked_at_another_rate(words, rate):
    samples = soxr.resample(words[0].numpy(), RATE, rate)
    assert found(mark(samples, rate), rate).p_value < 1e-20


@pytest.mark.parametrize(
    "change",
    [
        lambda x: 0.01 * x,
        lambda x: (4 * x).clamp(-1, 1),
        lambda x: (x * 2**15).round() / 2**15,
        lambda x: x + x.std() * 10 * noise(x.shape[1] / RATE) * 10 ** (-30 / 20),
        lambda x: x - 0.6 * x.roll(1, 1),
        lambda x: torch.cat([x, -0.5 * x.roll(3, 1)]),
        lambda x: -x,
    ],
    ids=["softer", "clipped", "16 bits", "noise at 30 dB", "equalised", "stereo", "inverted"],
)
def test_it_outlives(marked, change):
    assert found(change(marked)).p_value < 1e-12


def test_in_a_part_and_where(words, marked):
    samples = torch.cat([words.repeat(1, 3), marked, words.repeat(1, 2)], 1)
    result = found(samples)
    seconds = words.shape[1] / RATE
    assert result.found
    assert result.start < 3.5 * seconds < result.stop
    assert 2.5 * seconds < result.start < result.stop < 4.5 * seconds


def test_pieces_that_were_cut_out_and_joined(marked):
    pieces = [marked[:, :50000], marked[:, 61111:110000], marked[:, 5000:40000]]
    assert found(torch.cat(pieces, 1)).found


def test_blocks_are_the_whole(marked):
    detector = Detector(RATE)
    whole, at = Audio(marked, RATE), 0
    for size in (1, 0, 4095, 80001, 160):
        detector.push(whole.cut(at, at + size))
        at += size
    detector.push(whole.cut(at, len(whole)), last=True)
    assert detector.finish() == detect(whole)


@pytest.mark.parametrize("samples", [0, 1, 100, 12000])
def test_short_or_silent_has_none(samples):
    for sound in (torch.zeros(1, samples), 0.1 * torch.ones(1, samples), noise(samples / RATE)):
        result = found(sound)
        assert not result.found
        assert 0 < result.p_value <= 1


@pytest.mark.parametrize("repeated", [0.02, 0.5, 2.56])
def test_what_repeats_itself_is_no_mark(repeated):
    beat = noise(repeated) * torch.linspace(1, 0, round(repeated * RATE)) ** 2
    result = found(beat.repeat(1, round(30 / repeated)))
    assert result.p_value > 100 * FALSE_ALARMS


def test_tones_are_no_mark():
    time = torch.arange(20 * RATE) / RATE
    for hertz in (50.0, 440.0, 1001.3):
        saw = sum(torch.sin(2 * torch.pi * k * hertz * time) / k for k in range(1, 9))
        assert found(0.1 * saw).p_value > 100 * FALSE_ALARMS


def test_chance_is_no_rarer_than_it_says():
    values = np.array([found(noise(3, seed)).p_value for seed in range(200)])
    for level in (0.3, 0.1, 0.03):
        expected = level * len(values)
        assert (values < level).sum() < expected + 3 * expected**0.5


def test_the_signs_never_change():
    first, last = signs("synthetic")[0, :12], signs("cloned")[127, -12:]
    assert first.tolist() == [1, 1, 1, -1, 1, -1, -1, 1, -1, -1, 1, 1]
    assert last.tolist() == [-1, 1, 1, 1, -1, 1, 1, 1, 1, 1, 1, 1]
    assert (signs("synthetic") * signs("cloned")).mean().abs() < 0.05
