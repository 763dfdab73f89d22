"""Events from scores and sound that are written down: what has to come out is known."""

import copy
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from audiopipe.spotting import GAP, LAG, Rules, Spotting, alone, latest_sound, spot

WORDS = ("yes", "no", "nine", "_unknown_")
HOP = 5
WINDOW = 100


def rules(threshold=0.6, smoothing=3, refractory=25, **own):
    wanted = [own.get(word, threshold) for word in WORDS[:-1]]
    return Rules(np.array([*wanted, np.inf]), HOP, smoothing, refractory, WINDOW)


def track(sounds, scores, length=400):
    """Scores [n, words], and where the latest sound is [n] and [n], as the windows see it.

    `sounds` are (first frame, frame after the last); `scores` are (frame, frame, word, score)
    of when the network says what.
    """
    count = length // HOP
    values = np.zeros((count, len(WORDS)))
    values[:, -1] = 0.2
    starts, stops = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for k in range(count):
        now = HOP * (k + 1)
        for first, stop, word, score in scores:
            if first <= now <= stop:
                values[k, WORDS.index(word)] = score
        for first, stop in sounds:
            if now - WINDOW < min(stop, now) and first < now:
                starts[k], stops[k] = max(first, now - WINDOW), min(stop, now)
    return values, starts, stops


def told(events):
    return [(WORDS[event.label], event.start, event.stop) for event in events]


def heard(sounds, scores, length=400, **options):
    chosen = rules(**options)
    return told(spot(Spotting.fresh(chosen), chosen, *track(sounds, scores, length)))


def test_a_word_is_one_event_while_it_stays_in_the_window():
    assert heard([(50, 90)], [(85, 150, "yes", 0.9)]) == [("yes", 50, 90)]


def test_the_score_is_the_highest_smoothed_one():
    chosen = rules()
    values, starts, stops = track([(50, 80)], [(80, 84, "yes", 0.9), (85, 150, "yes", 0.96)])
    (event,) = spot(Spotting.fresh(chosen), chosen, values, starts, stops)
    assert event.score == pytest.approx((0.9 + 0.96 + 0.96) / 3)


def test_a_high_score_in_passing_is_no_word():
    assert heard([(50, 90)], [(95, 96, "yes", 1.0)]) == []


def test_no_said_twice_gives_two_events():
    sounds, scores = [(50, 80), (120, 150)], [(75, 124, "no", 0.9), (145, 230, "no", 0.9)]
    assert heard(sounds, scores) == [("no", 50, 80), ("no", 120, 150)]


def test_an_echo_is_no_second_word():
    sounds, scores = [(50, 80), (96, 106)], [(75, 99, "no", 0.9), (105, 180, "no", 0.9)]
    assert heard(sounds, scores, refractory=30) == [("no", 50, 80)]
    assert heard(sounds, scores, refractory=0) == [("no", 50, 80), ("no", 96, 106)]


def test_a_word_right_after_another_is_found_too():
    scores = [(70, 105, "no", 0.9), (110, 200, "yes", 0.9)]
    assert heard([(50, 125)], scores) == [("no", 50, 100), ("yes", 100, 125)]


def test_what_a_word_begins_like_is_not_heard():
    """`no` in `nine`: the sound goes on, and what it is changes."""
    scores = [(65, 80, "no", 0.9), (85, 150, "nine", 0.9)]
    assert heard([(50, 95)], scores) == [("nine", 50, 95)]


def test_what_is_left_of_a_word_is_not_heard():
    scores = [(90, 140, "nine", 0.9), (145, 190, "no", 0.95)]
    assert heard([(50, 95)], scores) == [("nine", 50, 95)]


def test_a_word_that_is_held_is_heard_once():
    scores = [(75, 260, "no", 0.9)]
    assert [word for word, *_ in heard([(50, 145)], scores)] == ["no"]


def test_talk_without_a_pause_is_no_word():
    scores = [(100, 160, "no", 0.9)]
    assert heard([(20, 110)], scores) == []
    assert heard([(40, 110)], scores) == [("no", 40, 110)]


def test_scores_without_sound_are_nothing():
    assert heard([], [(50, 200, "yes", 1.0)]) == []
    assert heard([(50, 54)], [(50, 200, "yes", 1.0)]) == []


def test_scores_of_what_was_before_say_nothing_about_new_sound():
    """While the window still has a `yes`, something short is heard, and is none."""
    scores = [(85, 134, "yes", 0.95), (135, 200, "_unknown_", 0.9)]
    assert heard([(50, 90), (122, 132)], scores) == [("yes", 50, 90)]


def test_each_word_has_its_threshold():
    sounds, scores = [(50, 90), (200, 240)], [(85, 150, "yes", 0.7), (235, 300, "no", 0.7)]
    assert heard(sounds, scores, yes=0.8) == [("no", 200, 240)]
    assert heard(sounds, scores, no=0.8) == [("yes", 50, 90)]
    assert heard(sounds, scores, threshold=0.8) == []


def test_what_is_no_word_gives_no_event():
    assert heard([(50, 90)], [(80, 150, "_unknown_", 1.0)], threshold=0.0) != []
    assert all(word != "_unknown_" for word, *_ in heard(
        [(50, 90)], [(80, 150, "_unknown_", 1.0)], threshold=0.0
    ))  # fmt: skip


def test_a_word_is_decided_soon_after_its_sound_or_never():
    chosen, late = rules(), []
    for first in range(60, 140, 5):
        state = Spotting.fresh(chosen)
        values, starts, stops = track([(50, 90)], [(first, 150, "yes", 0.9)])
        for k in range(len(values)):
            for event in spot(
                state, chosen, values[k : k + 1], starts[k : k + 1], stops[k : k + 1]
            ):
                late.append(HOP * (k + 1) - event.stop)
    assert 8 < len(late) < 16
    assert max(late) <= LAG


def test_events_do_not_overlap_and_are_in_order():
    sounds, scores = [(20, 110), (130, 160)], [
        (45, 75, "no", 0.9), (80, 115, "yes", 0.9), (155, 200, "nine", 0.9)
    ]  # fmt: skip
    found = heard(sounds, scores)
    assert [word for word, *_ in found] == ["no", "yes", "nine"]
    for (_, _, stop), (_, start, _) in pairwise(found):
        assert start >= stop


@given(st.lists(st.integers(0, 30), max_size=12), st.integers(0, 2**31))
def test_blocks_make_no_difference(sizes, seed):
    random = np.random.default_rng(seed)
    chosen = rules(threshold=0.4, smoothing=2)
    count = 60
    values = random.dirichlet([0.3] * len(WORDS), count).repeat(3, axis=0)[:count]
    ends = HOP * (1 + np.arange(count))
    stops = ends - random.integers(0, 20, count)
    starts = stops - random.integers(0, 40, count)
    whole = spot(Spotting.fresh(chosen), chosen, values, starts, stops)
    state, parts = Spotting.fresh(chosen), []
    for first, stop in zip(np.cumsum([0, *sizes]), np.cumsum([*sizes, count]), strict=True):
        state = copy.deepcopy(state)
        parts += spot(state, chosen, values[first:stop], starts[first:stop], stops[first:stop])
    assert parts == list(whole)


# Where the sound is.


def window(*sounds, room=20.0, seed=0):
    """Spectra [1, 40, 100] of a room, with sounds (first, stop, dB)."""
    random = torch.Generator().manual_seed(seed)
    decibels = room + 3 * torch.randn(1, 40, WINDOW, generator=random)
    for first, stop, level in sounds:
        decibels[:, :, first:stop] = level + 3 * torch.randn(1, 40, stop - first, generator=random)
    return decibels


def latest(*sounds, **options):
    start, stop = latest_sound(window(*sounds, **options))
    return int(start), int(stop)


LATEST = {
    "room": ([], (0, 0)),
    "word": ([(30, 70, 60.0)], (30, 70)),
    "leaving": ([(0, 40, 60.0)], (0, 40)),
    "entering": ([(60, 100, 60.0)], (60, 100)),
    "two words": ([(10, 40, 60.0), (60, 90, 60.0)], (60, 90)),
    "one with a stop in it": ([(30, 50, 60.0), (50 + GAP, 75, 60.0)], (30, 75)),
    "with a click after it": ([(20, 50, 60.0), (80, 83, 60.0)], (20, 50)),
    "quieter than the last": ([(20, 50, 60.0), (70, 85, 50.0)], (70, 85)),
    "in noise": ([(30, 70, 30.0)], (30, 70)),
}


@pytest.mark.parametrize(("sounds", "where"), LATEST.values(), ids=LATEST)
def test_the_latest_sound(sounds, where):
    assert latest(*sounds) == where


def test_before_the_beginning_there_is_no_room():
    decibels = window((70, 85, 60.0))
    decibels[:, :, :40] = 0.0
    start, stop = latest_sound(decibels)
    assert (int(start), int(stop)) == (70, 85)


def test_silence_has_no_sound():
    start, stop = latest_sound(torch.zeros(2, 40, WINDOW))
    assert start.tolist() == stop.tolist() == [0, 0]


def test_each_window_is_looked_at_by_itself():
    windows = torch.cat([window((30, 70, 60.0)), window(), window((60, 100, 50.0), room=30.0)])
    for k in range(3):
        for together, single in zip(
            latest_sound(windows), latest_sound(windows[k : k + 1]), strict=True
        ):
            assert together[k] == single


def test_alone_leaves_the_last_word():
    decibels = window((10, 40, 60.0), (60, 90, 55.0))
    kept = alone(decibels, torch.tensor([60]))
    assert torch.equal(kept[:, :, 60 - GAP :], decibels[:, :, 60 - GAP :])
    assert float(kept[:, :, : 60 - GAP].max()) < 35.0
    assert torch.equal(alone(decibels, torch.tensor([0])), decibels)
