"""Words found in streams: known answers, and pairings against the best there is."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from audiopipe.metrics import Curve, Point, Quantiles, above, spot, sweep, timing
from audiopipe.signals import Detection, Detections

RATE = 100


def events(*rows):
    """Rows of (start, stop, label) or (start, stop, label, score)."""
    made = (Detection(*row) if len(row) == 4 else Detection(*row, 1.0) for row in rows)
    return Detections(tuple(made), RATE)


def counts(spotting):
    return len(spotting.hits), len(spotting.missed), len(spotting.false)


TABLE = {
    "found": (events((100, 150, "go")), events((110, 140, "go")), (1, 0, 0)),
    "missed": (events((100, 150, "go")), events(), (0, 1, 0)),
    "false": (events(), events((100, 150, "go")), (0, 0, 1)),
    "nothing": (events(), events(), (0, 0, 0)),
    "another word": (events((100, 150, "go")), events((100, 150, "no")), (0, 1, 1)),
    "twice": (events((100, 150, "go")), events((100, 120, "go"), (130, 150, "go")), (1, 0, 1)),
    "late within tolerance": (events((100, 150, "go")), events((170, 180, "go")), (1, 0, 0)),
    "too late": (events((100, 150, "go")), events((172, 180, "go")), (0, 1, 1)),
    "early within tolerance": (events((100, 150, "go")), events((70, 80, "go")), (1, 0, 0)),
    "too early": (events((100, 150, "go")), events((68, 80, "go")), (0, 1, 1)),
    "two words, one event": (
        events((100, 150, "go"), (150, 200, "go")), events((140, 160, "go")), (1, 1, 0)
    ),
    # The nearest word is not the one to take: the first event can have the first word alone.
    "both or one": (
        events((100, 140, "go"), (150, 190, "go")),
        events((155, 165, "go"), (135, 155, "go")), (2, 0, 0)
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLE)
def test_known_pairs(case):
    truth, found, expected = TABLE[case]
    assert counts(spot(truth, found, 60)) == expected


spans = st.tuples(st.integers(0, 400), st.integers(1, 60), st.sampled_from(["go", "no"]))
streams = st.lists(spans, max_size=12).map(
    lambda rows: events(*((start, start + length, label) for start, length, label in rows))
)


@given(streams, streams, st.integers(0, 40))
def test_no_pairing_has_more_pairs(truth, found, margin):
    spotting = spot(truth, found, 60, Fraction(margin, RATE))
    fits = np.array(
        [
            [
                w.label == e.label
                and w.start - margin <= (e.start + e.stop) // 2 <= w.stop + margin
                for e in found
            ]
            for w in truth
        ]
    ).reshape(len(truth), len(found))
    best = (maximum_bipartite_matching(csr_matrix(fits), "column") >= 0).sum() if fits.size else 0
    assert counts(spotting) == (best, len(truth) - best, len(found) - best)
    for hit in spotting.hits:
        middle = (hit.event.start + hit.event.stop) // 2
        assert hit.word.label == hit.event.label
        assert hit.word.start - margin <= middle <= hit.word.stop + margin


@given(streams, streams)
def test_order_does_not_matter(truth, found):
    def turned(signal):
        return Detections(signal.events[::-1], signal.rate)

    assert counts(spot(truth, found, 60)) == counts(spot(turned(truth), turned(found), 60))


def test_rates():
    truth = events(*((k * 200, k * 200 + 50, "go") for k in range(4)))
    found = events((0, 50, "go"), (200, 250, "no"), (700, 750, "go"))
    spotting = spot(truth, found, 1800)
    assert spotting.false_rejects == 0.75
    assert spotting.false_alarms_per_hour == 4.0
    low, high = spotting.false_rejects_interval
    assert low < 0.75 < high
    low, high = spotting.false_alarms_interval
    assert (low, high) == pytest.approx((2 * 0.2422, 2 * 7.2247), abs=1e-3)


def test_recordings_add_up():
    one = spot(events((0, 50, "go")), events(), 1800)
    other = spot(events((0, 50, "go")), events((0, 50, "go"), (100, 150, "no")), 5400)
    both = one + other
    assert counts(both) == (1, 1, 1)
    assert (both.hours, both.false_alarms_per_hour) == (2.0, 0.5)


def test_nothing_is_no_rate():
    nothing = spot(events(), events(), 0)
    assert math.isnan(nothing.false_rejects)
    assert math.isnan(nothing.false_alarms_per_hour)
    assert all(math.isnan(end) for end in nothing.false_alarms_interval)


def test_clocks_must_agree():
    with pytest.raises(ValueError, match="100 Hz and 50 Hz"):
        spot(events(), Detections((), 50), 1)
    with pytest.raises(ValueError, match="100 Hz and 50 Hz"):
        spot(events(), events(), 1) + spot(Detections((), 50), Detections((), 50), 1)


SAID = events((0, 50, "go"), (300, 350, "no"), (600, 650, "up"), (900, 950, "go"))
HEARD = events(
    (0, 50, "go", 0.9), (300, 350, "no", 0.7), (600, 650, "up", 0.5), (700, 750, "go", 0.6)
)  # fmt: skip


def test_a_sweep_is_a_spotting_of_each_threshold():
    thresholds = (0.4, 0.5, 0.55, 0.8, 0.95)
    made = sweep(SAID, HEARD, 3600, thresholds)
    expected = [(3, 1, 1), (3, 1, 1), (2, 2, 1), (1, 3, 0), (0, 4, 0)]
    assert [counts(made[t]) for t in thresholds] == expected
    assert all(e.score >= 0.6 for e in above(HEARD, 0.6))


def test_a_curve_takes_misses_and_alarms_from_where_they_belong():
    thresholds = (0.4, 0.65, 0.95)
    words = sweep(SAID, HEARD, 10, thresholds)
    others = sweep(events(), events((0, 9, "no", 0.8), (50, 59, "up", 0.45)), 1800, thresholds)
    curve = Curve.of(words, others)
    assert curve.points == (Point(0.4, 0.25, 4.0), Point(0.65, 0.5, 2.0), Point(0.95, 1.0, 0.0))
    with pytest.raises(ValueError, match="same thresholds"):
        Curve.of(words, {0.4: others[0.4]})


def test_operating_points():
    # Not monotone: a threshold may set free what a louder event held back.
    rows = ((0.2, 0.0, 40.0), (0.3, 0.05, 9.0), (0.4, 0.04, 9.0), (0.5, 0.06, 1.0), (0.9, 0.5, 0.0))
    curve = Curve(tuple(Point(*row) for row in rows))
    assert curve.missing_at_most(0.05).threshold == 0.4
    assert curve.missing_at_most(0).threshold == 0.2
    assert curve.alarming_at_most(1).threshold == 0.5
    assert curve.alarming_at_most(0.5).threshold == 0.9
    assert curve.alarming_at_most(-1) is None
    assert Curve(curve.points[1:]).missing_at_most(0.01) is None


def test_times_of_events():
    truth = events((100, 150, "go"), (300, 350, "no"))
    found = events((90, 155, "go"), (310, 330, "no"))
    told = dict(zip(found, (180, 365), strict=True))
    times = timing(spot(truth, found, 10).hits, RATE, told)
    assert (times.start.p50, times.stop.p50) == pytest.approx((0.1, 0.125))
    assert times.latency.p50 == pytest.approx(0.225)
    assert times.latency.count == 2


def test_quantiles_are_those_of_numpy():
    values = np.random.default_rng(0).exponential(size=333)
    quantiles = Quantiles.of(values.tolist())
    expected = np.percentile(values, [50, 95, 99])
    assert (quantiles.p50, quantiles.p95, quantiles.p99) == pytest.approx(tuple(expected))
    assert Quantiles.of([]).count == 0
    assert math.isnan(Quantiles.of([]).p50)
