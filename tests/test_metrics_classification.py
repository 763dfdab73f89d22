"""Confusion and intervals: known answers, scikit-learn and scipy as oracles."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, poisson

from audiopipe.metrics import Confusion, garwood, wilson

LABELS = ("go", "no", "up", "_unknown_")


@st.composite
def guessed(draw):
    """Truth and guesses of the same length."""
    pairs = draw(st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1))
    return [t for t, _ in pairs], [g for _, g in pairs]


@given(guessed())
def test_confusion_counts_each_pair(data):
    truth, guesses = data
    counts = Confusion.of(truth, guesses, LABELS).counts
    pairs = list(zip(truth, guesses, strict=True))
    for i, t in enumerate(LABELS):
        for j, g in enumerate(LABELS):
            assert counts[i, j] == pairs.count((t, g))


@given(guessed())
def test_shares_are_those_of_scikit_learn(data):
    sklearn = pytest.importorskip("sklearn.metrics")
    truth, guesses = data
    told = Confusion.of(truth, guesses, LABELS)
    assert told.accuracy == pytest.approx(sklearn.accuracy_score(truth, guesses))
    options = {"labels": LABELS, "average": None, "zero_division": np.nan}
    expected = sklearn.recall_score(truth, guesses, **options)
    assert list(told.recall.values()) == pytest.approx(expected, nan_ok=True)
    expected = sklearn.precision_score(truth, guesses, **options)
    assert list(told.precision.values()) == pytest.approx(expected, nan_ok=True)


def test_mistakes_come_by_frequency():
    told = Confusion.of(["go"] * 4 + ["up"] * 2, ["no", "no", "go", "up", "go", "up"], LABELS)
    assert told.mistakes == [("go", "no", 2), ("go", "up", 1), ("up", "go", 1)]


def test_counts_add_up():
    first = Confusion.of(["go", "no"], ["go", "go"], LABELS)
    second = Confusion.of(["up"], ["up"], LABELS)
    both = first + second
    assert (both.right, both.total) == (2, 3)
    with pytest.raises(ValueError, match="same labels"):
        first + Confusion.of(["go"], ["go"], ["go"])


def test_nothing_is_no_share():
    nothing = Confusion.of([], [], LABELS)
    assert math.isnan(nothing.accuracy)
    assert all(math.isnan(share) for share in nothing.recall.values())
    assert str(nothing) == "–"


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="not among the labels: left"):
        Confusion.of(["go"], ["left"], LABELS)
    with pytest.raises(ValueError, match="shorter"):
        Confusion.of(["go", "no"], ["go"], LABELS)
    with pytest.raises(ValueError, match="do not fit"):
        Confusion(np.zeros((2, 3), np.int64), ("go", "no"))


@pytest.mark.parametrize(("right", "total"), [(0, 1), (1, 1), (0, 50), (50, 50), (98, 100), (3, 7)])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_wilson_is_that_of_scipy(right, total, confidence):
    theirs = binomtest(right, total).proportion_ci(confidence, method="wilson")
    assert wilson(right, total, confidence) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share(counts):
    right, total = counts
    low, high = wilson(right, total)
    assert 0 <= low <= right / total <= high <= 1


def test_of_none_everything_is_possible():
    assert wilson(0, 0) == (0, 1)
    with pytest.raises(ValueError, match="no share"):
        wilson(3, 2)


@pytest.mark.parametrize("count", [0, 1, 5, 100])
def test_garwood_leaves_the_tails_outside(count):
    """At its ends, seeing so many or more (or fewer) has a probability of 2.5 %."""
    low, high = garwood(count)
    assert poisson.cdf(count, high) == pytest.approx(0.025)
    if count:
        assert poisson.sf(count - 1, low) == pytest.approx(0.025)
    else:
        assert low == 0
