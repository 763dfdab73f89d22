"""Streams for tests of keywords: what is placed where, how loud, and what is left out."""

import numpy as np
import pytest

from training.keywords import streams
from training.keywords.clips import RATE, sounds_like_keyword
from training.keywords.streams import (
    LEVEL,
    Spoken,
    babble,
    looped,
    rms,
    room_noise,
    with_noise,
    without_words,
    words_in,
)


@pytest.fixture
def random():
    return np.random.default_rng(0)


def tone(seconds, hz=440.0, level=0.3):
    return (level * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE)).astype("f4")


def clip(start=0.3, length=0.4):
    """A second that is silent but for a tone."""
    sound = np.zeros(RATE, np.float32)
    sound[int(start * RATE) : int((start + length) * RATE)] = tone(length)
    return sound


def decibels(ratio):
    return 20 * np.log10(ratio)


def test_a_word_is_cut_out_of_its_clip():
    word = Spoken.of(clip(), "go")
    seconds = len(word.sound) / RATE
    assert 0.4 + 0.2 <= seconds <= 0.4 + 0.2 + 0.12
    assert decibels(rms(word.sound[word.start : word.stop])) == pytest.approx(LEVEL, abs=0.1)
    assert abs(word.sound[0]) < 1e-4
    loud = np.flatnonzero(np.abs(word.sound) > 1e-3)
    assert word.start <= loud[0] <= word.start + 0.06 * RATE
    assert word.stop - 0.06 * RATE <= loud[-1] <= word.stop


def test_words_lie_where_the_truth_says(random):
    words = [Spoken.of(clip(0.2, 0.3), "go"), Spoken.of(clip(0.5, 0.4), "no")]
    made = words_in(words, random, name="two")
    assert [event.label for event in made.truth] == ["go", "no"]
    sound = made.audio.numpy()[0]
    quiet = sound.copy()
    for event in made.truth:
        assert decibels(rms(sound[event.start : event.stop])) == pytest.approx(LEVEL, abs=0.1)
        quiet[event.start : event.stop] = 0
    assert np.abs(quiet).max() < 0.01
    first, second = made.truth
    assert 0.7 <= (second.start - first.stop) / RATE <= 2.0 + 0.2


@pytest.mark.parametrize("snr", [20.0, 0.0])
def test_noise_lies_below_the_words(random, snr):
    noise = random.standard_normal(4 * RATE).astype(np.float32)
    word = Spoken.of(clip(), "go")
    made = words_in([word], random, name="one", noise=noise, snr=snr)
    ends = made.audio.numpy()[0][-RATE:]
    assert decibels(rms(ends)) == pytest.approx(LEVEL - snr, abs=0.3)


def test_the_same_seed_gives_the_same_stream():
    words = [Spoken.of(clip(), "go")] * 3
    first, second = (words_in(words, np.random.default_rng(7), name="") for _ in range(2))
    assert first.truth == second.truth
    assert (first.audio.samples == second.audio.samples).all()


def test_hours_come_in_pieces(random, monkeypatch):
    monkeypatch.setattr(streams, "PIECE", 5 * RATE)
    sounds = [(f"sentence {k}", tone(2.0)) for k in range(5)]
    made = list(without_words(sounds, random, name="speech", gap=(1.0, 1.0)))
    assert [len(r.audio) / RATE for r in made] == [6.0, 6.0, 3.0]
    assert [e.label for r in made for e in r.said] == [name for name, _ in sounds]
    assert not any(len(r.truth) for r in made)
    assert made[1].said.events[1].start == 3 * RATE


def test_speech_in_noise_has_its_ratio(random):
    noise = random.standard_normal(RATE).astype(np.float32)
    (made,) = without_words([("a", tone(2.0))], random, name="", gap=(1, 1), noise=noise, snr=10)
    sound = made.audio.numpy()[0]
    assert decibels(rms(sound[-RATE // 2 :])) == pytest.approx(LEVEL - 10, abs=0.3)


def test_a_loop_has_no_seam(random):
    """A tone that does not fit its length is cross-faded: no step larger than its own."""
    sound = tone(1.0303, 100.0)
    steps = np.abs(np.diff(looped(sound, 5 * RATE, random)))
    assert steps.max() < 1.6 * np.abs(np.diff(sound)).max()
    with pytest.raises(ValueError, match="too short"):
        looped(tone(0.01), RATE, random)


def test_babble_is_several_voices(random):
    voices = [tone(1.0, hz) for hz in (200.0, 300.0, 400.0, 500.0, 600.0, 700.0)]
    spectrum = np.abs(np.fft.rfft(babble(voices, RATE, random)))
    assert {int(k) for k in np.argsort(spectrum)[-6:]} == {200, 300, 400, 500, 600, 700}


def test_silence_stays_what_it_is(random):
    nothing = np.zeros(RATE, np.float32)
    assert (with_noise(tone(1.0), slice(0, 100), nothing, 10.0) == tone(1.0)).all()
    assert not streams.leveled(nothing).any()
    assert decibels(rms(room_noise(RATE, random))) == pytest.approx(streams.ROOM, abs=0.1)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Turn LEFT.", True),
        ("He won the race.", True),
        ("We write.", True),
        ("Upstairs, seventeen people waited.", False),
        ("It is gone.", False),
        ("", False),
    ],
)
def test_sentences_with_keywords_are_left_out(text, found):
    assert sounds_like_keyword(text) is found
