"""The bounded queue and the pacer, without hardware and mostly without waiting."""

import threading
import time

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from audiopipe.errors import OverrunError
from audiopipe.io.pace import pace
from audiopipe.io.queue import BoundedQueue
from audiopipe.signals import Audio


def block(start, length=100):
    return Audio(torch.full((1, length), float(start)), 1000, start)


def test_what_goes_in_comes_out_in_order():
    now = iter(range(100))
    queue = BoundedQueue(1, 1000, clock=lambda: next(now))
    for k in range(5):
        assert queue.put(block(100 * k))
    assert queue.waiting == 0.5
    queue.close()
    arrivals = list(queue)
    assert [(a.block.start, a.at) for a in arrivals] == [(100 * k, k) for k in range(5)]
    assert queue.get() is None
    assert not queue.put(block(500))
    assert queue.counters.put == queue.counters.got == 500
    assert queue.counters.fullest == 0.5


def test_dropping_throws_away_the_oldest_and_counts():
    queue = BoundedQueue(0.25, 1000, "drop-oldest")
    for k in range(6):
        queue.put(block(100 * k))
    queue.get()
    for k in range(6, 8):
        queue.put(block(100 * k))
    queue.close()
    assert [a.block.start for a in queue] == [600, 700]
    counters = queue.counters
    assert (counters.drops, counters.dropped) == (5, 500)
    assert counters.gaps == ((0, 400), (500, 100))
    assert counters.put - counters.got - counters.dropped == 0


def test_blocking_waits_for_room():
    queue = BoundedQueue(0.2, 1000, "block")
    sent = []

    def produce():
        for k in range(10):
            queue.put(block(100 * k))
            sent.append(k)
        queue.close()

    thread = threading.Thread(target=produce)
    thread.start()
    time.sleep(0.1)
    assert len(sent) == 2
    assert [a.block.start for a in queue] == [100 * k for k in range(10)]
    thread.join()
    assert queue.counters.fullest <= 0.2
    assert queue.counters.drops == 0


def test_closing_frees_who_waits():
    queue = BoundedQueue(0.1, 1000, "block")
    queue.put(block(0))
    results = []
    waiting = [
        threading.Thread(target=lambda: results.append(queue.put(block(100)))),
        threading.Thread(target=lambda: results.append(BoundedQueue.get(other))),
    ]
    other = BoundedQueue(0.1, 1000)
    for thread in waiting:
        thread.start()
    time.sleep(0.05)
    queue.close()
    other.close()
    for thread in waiting:
        thread.join(2)
    assert sorted(map(str, results)) == ["False", "None"]


def test_failing_tells_both_sides():
    queue = BoundedQueue(0.2, 1000, "fail")
    queue.put(block(0))
    queue.put(block(100))
    message = (
        "the pipeline is slower than its input: 0.2 s were waiting at 0.20 s; make the queue "
        "longer, choose the policy 'drop-oldest', or use a faster model or device"
    )
    with pytest.raises(OverrunError) as caught:
        queue.put(block(200))
    assert str(caught.value) == message
    with pytest.raises(OverrunError):
        queue.get()
    with pytest.raises(OverrunError):
        queue.put(block(300))


def test_an_error_of_the_producer_comes_after_what_waits():
    queue = BoundedQueue(1, 1000)
    queue.put(block(0))
    queue.fail(RuntimeError("unplugged"))
    assert queue.get().block.start == 0
    with pytest.raises(RuntimeError, match="unplugged"):
        queue.get()


@pytest.mark.parametrize("policy", ["block", "drop-oldest", "fail"])
def test_a_block_longer_than_the_queue_is_taken(policy):
    queue = BoundedQueue(0.1, 1000, policy)
    queue.put(block(0, 5000))
    assert len(queue.get().block) == 5000


def test_getting_with_a_timeout():
    queue = BoundedQueue(1, 1000)
    assert queue.get(timeout=0) is None
    assert queue.get(timeout=0.01) is None


def test_no_room_is_a_mistake():
    with pytest.raises(ValueError, match="more than 0 s"):
        BoundedQueue(0, 1000)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 400)), max_size=60))
def test_nothing_is_lost_uncounted(steps):
    queue, start = BoundedQueue(0.5, 1000, "drop-oldest"), 0
    got = 0
    for put, length in steps:
        if put:
            queue.put(block(start, length))
            start += length
        elif arrival := queue.get(timeout=0):
            got += len(arrival.block)
        assert queue.waiting <= 0.5
    counters = queue.counters
    assert counters.put == start
    assert got == counters.got
    assert counters.dropped == sum(count for _, count in counters.gaps)
    assert start == got + counters.dropped + round(queue.waiting * 1000)


def test_late_blocks_come_at_once_and_lateness_does_not_add_up():
    now, sleeps = [10.0], []

    def sleep(seconds):
        sleeps.append(round(seconds, 6))
        now[0] += seconds

    times = []
    paced = pace((block(100 * k + 7) for k in range(5)), clock=lambda: now[0], sleep=sleep)
    for k, _ in enumerate(paced):
        times.append(round(now[0], 6))
        now[0] += 0.25 if k == 1 else 0.01  # one consumer is slow once
    assert times == [10.1, 10.2, 10.45, 10.46, 10.5]
    assert sleeps == [0.1, 0.09, 0.03]


def test_real_time_is_real():
    begin = time.monotonic()
    assert len(list(pace([block(0), block(100)], speed=2))) == 2
    assert 0.1 <= time.monotonic() - begin < 0.5


def test_a_speed_of_nothing_is_a_mistake():
    with pytest.raises(ValueError, match="above 0"):
        next(pace([block(0)], speed=0))
