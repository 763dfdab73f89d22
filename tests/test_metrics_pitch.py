"""Pitch tracks against the truth: known answers, and `mir_eval.melody` as oracle."""

import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from audiopipe.metrics import Contour, PitchAccuracy
from audiopipe.signals import PitchTrack

HOP = 0.01


def contour(*hz, hop=HOP):
    return Contour(np.arange(len(hz)) * hop, np.array(hz, float))


def figures(accuracy):
    return {
        "Voicing Recall": accuracy.voicing_recall,
        "Voicing False Alarm": accuracy.voicing_false_alarm,
        "Raw Pitch Accuracy": accuracy.raw_pitch,
        "Raw Chroma Accuracy": accuracy.raw_chroma,
        "Overall Accuracy": accuracy.overall,
    }


def oracle(truth, found, tolerance):
    """What `mir_eval` says of the same; of no frames at all its arrays must have one length."""
    melody = pytest.importorskip("mir_eval").melody
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if len(truth.seconds) and len(found.seconds):
            voicing = None if found.voiced is None else np.array(found.voiced, float)
            return melody.evaluate(
                np.array(truth.seconds), np.array(truth.hz), np.array(found.seconds),
                np.array(found.hz), voicing, cent_tolerance=tolerance,
            )  # fmt: skip
        hz = np.array(truth.hz, float)
        if len(hz) and truth.seconds[0] > 0:
            hz = np.append(hz[:1], hz)
        size, none = np.abs(hz), np.zeros(len(hz))
        rows = (hz > 0).astype(float), melody.hz2cents(size), none, none
        measures = melody.raw_pitch_accuracy, melody.raw_chroma_accuracy, melody.overall_accuracy
        pitch, chroma, overall = (f(*rows, cent_tolerance=tolerance) for f in measures)
        recall, false = melody.voicing_measures(rows[0], rows[2])
    return dict(zip(figures(NONE), (recall, false, pitch, chroma, overall), strict=True))


NONE = PitchAccuracy.of(contour(), contour())


def test_of_each_kind_one():
    truth = contour(200, 200, 200, 200, 200, 200, 0, 0, 0, -200)
    found = contour(201, 401, 99, 250, -200, 0, 0, -90, 300, 200)
    accuracy = PitchAccuracy.of(truth, found)
    assert (accuracy.voiced, accuracy.unvoiced, accuracy.frames) == (6, 4, 10)
    assert accuracy.raw_pitch == 2 / 6
    assert accuracy.raw_chroma == 4 / 6
    assert accuracy.voicing_recall == 4 / 6
    assert accuracy.voicing_false_alarm == 2 / 4
    assert accuracy.overall == 3 / 10
    assert (accuracy.octaves_up, accuracy.octaves_down, accuracy.octave_errors) == (1, 1, 2)
    assert accuracy.median_cents == pytest.approx(1200 * math.log2(201 / 200))
    assert str(accuracy) == "30.0 % of 10 frames (pitch 33.3 %, voicing 66.7 %, false 50.0 %)"


def test_the_tolerance_is_not_within_it():
    cents = np.array([-50.001, -49.999, 49.999, 50.001, 1249.999, 1250.001])
    found = Contour(np.arange(6) * HOP, 200 * 2 ** (cents / 1200))
    accuracy = PitchAccuracy.of(contour(*[200] * 6), found)
    assert (accuracy.right_pitch, accuracy.right_chroma) == (2, 3)
    assert PitchAccuracy.of(contour(*[200] * 6), found, tolerance=51).right_pitch == 4


def test_two_octaves_off_is_an_octave_error():
    accuracy = PitchAccuracy.of(contour(200, 200, 200), contour(800, 50, -400))
    assert (accuracy.octaves_up, accuracy.octaves_down) == (1, 1)


def test_nothing():
    assert list(figures(NONE).values()) == [0] * 5
    assert math.isnan(NONE.median_cents)
    lost = PitchAccuracy.of(contour(200, 0, 0), contour())
    assert (lost.overall, lost.voicing_recall, lost.raw_pitch) == (2 / 3, 0, 0)
    quiet = PitchAccuracy.of(contour(0, 0), contour(0, 0))
    assert (quiet.overall, quiet.voicing_recall, quiet.voicing_false_alarm) == (1, 1, 0)


def test_recordings_pool_their_frames():
    one = PitchAccuracy.of(contour(200, 0), contour(201, 0))
    other = PitchAccuracy.of(contour(*[100] * 6), contour(*[203] * 6))
    both = one + other
    assert (both.overall, both.raw_pitch, both.octave_errors) == (2 / 8, 1 / 7, 6)
    assert both.deviations.tolist() == one.deviations.tolist()
    whole = PitchAccuracy.of(contour(200, 0, *[100] * 6), contour(201, 0, *[203] * 6))
    assert figures(both) == figures(whole)


def test_tracks_are_taken_as_they_are():
    hz, voiced = torch.tensor([200.0, 300.0, 440.0]), torch.tensor([True, False, True])
    track = PitchTrack(hz, voiced, torch.ones(3), rate=16000, hop=160, start=2)
    same = Contour([0.02, 0.03, 0.04], [200, 300, 440], [True, False, True])
    other = contour(*[200] * 5)
    assert figures(PitchAccuracy.of(other, track)) == figures(PitchAccuracy.of(other, same))
    assert PitchAccuracy.of(track, track).overall == 1
    assert PitchAccuracy.of(track, track).voiced == 3  # the first also stands at 0 s


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (Contour([0, 1], [200]), "one length"),
        (Contour([[0, 1]], [[200, 200]]), "one length"),
        (Contour([0, 1], [200, 200], [True]), "one length"),
        (Contour([0, 1], [200, np.nan]), "0 Hz for no pitch"),
        (Contour([0, np.inf], [200, 200]), "not finite"),
        (Contour([0.1, 0.1], [200, 200]), "rise"),
        (Contour([-0.1, 0.1], [200, 200]), "rise"),
    ],
)
def test_rows_that_do_not_fit_are_refused(wrong, message):
    with pytest.raises(ValueError, match=f"truth: .*{message}"):
        PitchAccuracy.of(wrong, contour(200, 200))
    with pytest.raises(ValueError, match="found: "):
        PitchAccuracy.of(contour(200, 200), wrong)


pitches = st.one_of(
    st.just(0.0),
    st.floats(5, 3000),
    st.floats(5, 3000).map(lambda hz: -hz),
    # Of few pitches some are right, and some right but for the octave.
    st.sampled_from([110.0, 111.0, 114.0, 220.0, 440.0, -220.0, -110.0, 10.0]),
)


@st.composite
def contours(draw, told=False):
    """At any hop, from 0 or later, at times here and there, with voicing or without."""
    hz = np.array(draw(st.lists(pitches, max_size=25)))
    hop = draw(st.sampled_from([0.005, 0.01, 0.0116, 0.016, 256 / 22050]))
    seconds = draw(st.sampled_from([0.0, 0.004, 0.05])) + np.arange(len(hz)) * hop
    if draw(st.booleans()):
        gaps = draw(st.lists(st.floats(0.001, 0.03), min_size=len(hz), max_size=len(hz)))
        seconds = np.cumsum(gaps)
    flags = st.lists(st.booleans(), min_size=len(hz), max_size=len(hz))
    voiced = np.array(draw(flags), bool) if told and draw(st.booleans()) else None
    return Contour(seconds, hz, voiced)


@pytest.mark.oracle
@settings(max_examples=200)
@given(contours(), contours(told=True), st.sampled_from([50.0, 25.0, 100.0]))
def test_figures_are_those_of_mir_eval(truth, found, tolerance):
    made = PitchAccuracy.of(truth, found, tolerance)
    assert figures(made) == oracle(truth, found, tolerance)


@pytest.mark.oracle
@pytest.mark.parametrize("seed", range(8))
def test_tracks_that_are_nearly_right_have_the_figures_of_mir_eval(seed):
    random = np.random.default_rng(seed)
    seconds = np.arange(3000) * HOP + seed % 2 * HOP / 2
    hz = 220 * 2 ** np.cumsum(random.normal(0, 0.02, 3000))
    truth = Contour(seconds, np.where(np.sin(seconds * 3) > -0.5, hz, 0))
    hop = (HOP, 0.016, 0.005, 256 / 22050)[seed % 4]
    grid = np.arange(int(29 / hop)) * hop
    off = random.normal(0, 30, len(grid)) + 1200 * random.choice([-1, 0, 0, 0, 0, 1], len(grid))
    guess = np.interp(grid, seconds, hz) * 2 ** (off / 1200)
    signs = np.where(np.sin(grid * 3 + 0.2) > -0.6, 1, random.choice([-1, 0], len(grid)))
    found = Contour(grid, guess * signs)
    made = PitchAccuracy.of(truth, found)
    assert figures(made) == oracle(truth, found, 50)
    assert 0.4 < made.overall < 0.9
    assert made.octave_errors > 100


@pytest.mark.oracle
def test_empty_and_unvoiced_against_mir_eval():
    rows = (contour(), contour(0, 0, 0), contour(-200, -100, 0), contour(200, 100, 300))
    for truth in rows:
        for found in rows:
            assert figures(PitchAccuracy.of(truth, found)) == oracle(truth, found, 50)
