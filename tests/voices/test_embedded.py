"""Voices of our own, with a small untrained network."""

import time
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from speaking import network_voice

import audiopipe
from audiopipe.nets.source import Source
from audiopipe.text import Pause, plain, segments, ssml
from audiopipe.voices.base import Manner, open_voice
from audiopipe.voices.embedded import FADE, FIRST

HOP = 256


@pytest.fixture(scope="module")
def voice(tmp_path_factory):
    folder = tmp_path_factory.mktemp("voices") / "small"
    return open_voice(network_voice(folder), torch.device("cpu"))


def said(voice, text="Good morning, my dear old friends.", **manner):
    sentence = next(segments(plain(text) if not text.startswith("<") else ssml(text)))
    pieces = list(voice.say(sentence, Manner(**manner)))
    words = [timing for piece in pieces for timing in piece.words]
    return torch.cat([piece.samples for piece in pieces], 1), words, pieces


def test_pieces_grow_and_the_first_is_short(voice):
    _, _, pieces = said(voice)
    sizes = [piece.samples.shape[1] // HOP for piece in pieces]
    assert sizes[:2] == [FIRST, 2 * FIRST]


def test_the_first_piece_waits_for_no_more_of_the_source_than_it_needs(voice, monkeypatch):
    made = []

    class Counted(Source):
        def __call__(self, hz):
            made.append(len(hz))
            return super().__call__(hz)

    monkeypatch.setattr("audiopipe.voices.embedded.Source", Counted)
    next(voice.say(next(segments(plain("Good morning, my dear old friends."))), Manner()))
    reach = voice._vocoder.reach
    assert made == [FIRST + reach.past + reach.ahead]


def test_first_sound_of_the_voice_that_ships():
    """Goal: 0.3 s after a loaded engine is given a text; counted are seconds of the CPU, which a
    busy machine does not make longer."""
    stream = audiopipe.chain("speak").engine(audiopipe.Text(())).stream()
    text = "It was the best of times, it was the worst of times, it was the age of wisdom. " * 20
    begun = time.process_time()
    first = next(out["speak"] for out in stream.feed(audiopipe.Text((audiopipe.Segment(text),))))
    assert time.process_time() - begun < 0.3
    assert first.samples.abs().max() > 0.01


def test_pieces_are_joined_without_a_trace(voice, monkeypatch):
    pieces, _, _ = said(voice)
    monkeypatch.setattr("audiopipe.voices.embedded.FIRST", 10_000)
    whole, _, made = said(voice)
    assert len(made) < 4
    assert (pieces - whole).abs().max() < 1e-5 * whole.abs().max()


def test_the_same_every_time(voice):
    assert torch.equal(said(voice)[0], said(voice)[0])


def test_words_in_order_and_within(voice):
    samples, words, pieces = said(voice)
    assert [timing.word for timing in words] == list(range(6))
    assert all(one.stop <= two.start for one, two in pairwise(words))
    assert words[-1].stop <= samples.shape[1]
    given = 0
    for piece in pieces:
        given += piece.samples.shape[1]
        assert all(given - piece.samples.shape[1] < t.stop <= given for t in piece.words)


def test_the_silence_behind_is_exact(voice):
    samples, words, _ = said(voice, "Hello.")
    behind = samples.shape[1] - words[-1].stop
    assert behind == 0.8 * 24_000
    assert not samples[0, -int(0.5 * 24_000) :].any()
    samples, words, _ = said(voice, "Hello.", pause=0.5)
    assert samples.shape[1] - words[-1].stop == 0.4 * 24_000


def test_pauses_that_are_stated_are_exact(voice):
    text = '<speak>One <break time="2s"/> two <break time="130ms"/> three.</speak>'
    _, words, _ = said(voice, text, pause=0.0)
    assert words[1].start - words[0].stop == 48_000
    assert words[2].start - words[1].stop == 3120


def test_silence_before(voice):
    sentence = next(segments(plain("Hello.")))
    later = replace(sentence, before=Pause(milliseconds=500, exact=True))
    one, two = (
        torch.cat([p.samples for p in voice.say(s, Manner())], 1) for s in (sentence, later)
    )
    assert torch.equal(two[:, 12_000:], one)


def test_rate_without_drift(voice):
    text = "Many words of many sounds make a long sentence that goes on and on for a good while."
    (_, usual, _), (_, fast, _) = said(voice, text), said(voice, text, rate=1.5)
    lasts = [words[-1].stop - words[0].start for words in (usual, fast)]
    assert lasts[0] / lasts[1] == pytest.approx(1.5, rel=0.03)


def test_volume_is_a_gain_of_its_words(voice):
    text = '<speak>Quiet <prosody volume="-20dB">words</prosody> here.</speak>'
    (usual, words, _), (soft, _, _) = said(voice, "Quiet words here."), said(voice, text)
    ratios = [
        float(soft[0, t.start : t.stop].norm() / usual[0, t.start : t.stop].norm()) for t in words
    ]
    assert ratios == pytest.approx([1.0, 0.1, 1.0], rel=0.1)


def test_it_begins_and_ends_without_a_click(voice):
    samples, _, _ = said(voice, "Hello.")
    assert samples[0, 0] == 0
    sounding = int(samples[0].nonzero()[-1])
    assert samples[0, sounding - FADE // 8 : sounding + 1].abs().max() < 0.2 * samples.abs().max()


def test_effort_and_pitch_reach_the_network(voice):
    usual = said(voice)[0]
    assert not torch.equal(said(voice, pitch=2.0)[0], usual)
    assert not torch.equal(said(voice, energy=3.0)[0], usual)
