"""The trim stage."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from pydantic import ValidationError

from audiopipe.engine import Engine
from audiopipe.errors import OfflineError
from audiopipe.plan import Graph, Node, plan
from audiopipe.signals import Audio
from audiopipe.stages.tap import Tap
from audiopipe.stages.trim import Trim
from audiopipe.testing.case import chunking, run, split

RATE = 16000
FRAME = RATE // 50
KEEP = RATE // 20


def engine(stage: Trim, rate: int = RATE, channels: int = 1) -> Engine:
    nodes = (Node("out", stage, ("input",)), Node("tap", Tap(), ("out",)))
    graph = Graph(nodes, {"out": "out", "tap": "tap"})
    return Engine(plan(graph, Audio.empty(rate, channels), "cpu"))


def trimmed(stage: Trim, samples, sizes=()) -> np.ndarray:
    audio = Audio(samples, RATE)
    return run(engine(stage, RATE, audio.channels), audio, sizes)["out"].numpy()


def tone(seconds: float, level: float = 0.5, hz: float = 300.0):
    return level * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)


def silence(seconds: float):
    return np.zeros(round(seconds * RATE))


SPEECH = np.concatenate([silence(1), tone(0.5), silence(0.7), tone(0.3), silence(1.3)])
BEGIN, END = RATE, round(2.5 * RATE)
"""Where the sound is; both lie on the frames' grid."""


def test_silence_goes_at_both_ends_and_only_there():
    out = trimmed(Trim(), SPEECH)[0]
    assert np.array_equal(out, SPEECH[BEGIN - KEEP : END + KEEP].astype(np.float32))


def test_keep_nothing_and_more_than_there_is():
    assert trimmed(Trim(keep=0), SPEECH).shape[1] == END - BEGIN
    assert trimmed(Trim(keep="1.1 s"), SPEECH).shape[1] == END + round(1.1 * RATE)
    assert trimmed(Trim(keep="10 s"), SPEECH).shape[1] == len(SPEECH)


@pytest.mark.parametrize("shift", [1, 100, FRAME - 1])
def test_ends_are_found_to_a_frame(shift):
    x = np.concatenate([silence(1), np.zeros(shift), tone(0.5), silence(1)])
    kept = trimmed(Trim(keep=0), x)[0]
    assert round(0.5 * RATE) <= len(kept) <= round(0.5 * RATE) + FRAME
    assert np.abs(kept).sum() == pytest.approx(np.abs(x).sum(), rel=1e-5)  # no sound is lost


@pytest.mark.parametrize("gain", [1e-3, 1.0, 1e6])
def test_threshold_is_relative_to_the_loudest(gain):
    x = np.concatenate([tone(1, 10 ** (-65 / 20)), tone(1, 1.0), tone(1, 10 ** (-55 / 20))])
    assert trimmed(Trim(keep=0), gain * x).shape[1] == 2 * RATE  # -60 dB
    assert trimmed(Trim(keep=0, threshold=-50), gain * x).shape[1] == RATE
    assert trimmed(Trim(keep=0, threshold=-70), gain * x).shape[1] == 3 * RATE


def test_offset_is_no_sound():
    assert np.array_equal(trimmed(Trim(), SPEECH + 0.2).shape, trimmed(Trim(), SPEECH).shape)


def test_sound_in_one_channel_counts():
    x = np.stack([np.zeros_like(SPEECH), SPEECH])
    assert trimmed(Trim(), x).shape == (2, END - BEGIN + 2 * KEEP)


@pytest.mark.parametrize("samples", [silence(1), np.full(RATE, 0.5), np.zeros(0), [0.5]])
def test_without_sound_nothing_is_left(samples, caplog):
    assert trimmed(Trim(), np.asarray(samples, dtype=float)).shape == (1, 0)
    assert "holds no sound" in caplog.text


def test_sound_to_the_very_end():
    x = np.concatenate([silence(1), tone(0.507)])  # ends within a frame
    assert trimmed(Trim(keep=0), x).shape[1] == len(tone(0.507))


def test_no_numbers_are_no_sound():
    x = SPEECH.copy()
    x[[100, -100]] = np.nan, np.inf
    assert np.array_equal(trimmed(Trim(), x), trimmed(Trim(), SPEECH))


def test_time_starts_anew_and_who_comes_after_hears_the_new_end():
    stream = engine(Trim()).stream()
    blocks = split(Audio(SPEECH, RATE), [5000] * 12)
    outs = [stream.push(block) for block in blocks[:-1]] + list(stream.finish(blocks[-1]))
    given = [out["out"] for out in outs if "out" in out]
    assert given[0].start == 0
    assert all(a.stop == b.start for a, b in pairwise(given))
    length = given[-1].stop
    levels = [out["tap"] for out in outs if "tap" in out]
    assert levels[-1].stop == -(-length // (RATE // 20))


def test_longer_than_one_replayed_block():
    # The engine reads back 2^18 samples at a time.
    x = np.concatenate([silence(17), tone(20), silence(20)])
    out = trimmed(Trim(), x)[0]
    assert np.array_equal(out, x[17 * RATE - KEEP : 37 * RATE + KEEP].astype(np.float32))


def test_in_any_pieces():
    whole, rng = trimmed(Trim(), SPEECH), np.random.default_rng(0)
    for _ in range(8):
        assert np.array_equal(trimmed(Trim(), SPEECH, chunking(len(SPEECH), rng)), whole)


def test_refuses_to_stream():
    with pytest.raises(OfflineError, match="whether a silence is the last one"):
        engine(Trim()).plan.check_streamable()


@pytest.mark.parametrize("config", [{"threshold": "0 dB"}, {"threshold": 3}, {"keep": "-1 ms"}])
def test_wrong_configuration(config):
    with pytest.raises(ValidationError):
        Trim(**config)
