"""Cutting and joining against slow, obvious references, however the input comes in."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from audiopipe.framing import (
    Concatenate,
    Framing,
    Joined,
    OverlapAdd,
    Windows,
    concatenate,
    cut,
    limit,
    overlap_add,
)

LENGTHS = st.integers(0, 200)


@st.composite
def framings(draw: st.DrawFn) -> Framing:
    window = draw(st.integers(1, 40))
    hop = draw(st.integers(1, 60))
    before = draw(st.integers(0, 50))
    return Framing(window, hop, before, after=draw(st.integers(0, 50)))


@st.composite
def chunked(draw: st.DrawFn) -> tuple[int, list[int]]:
    """A length, and block sizes that add up to it."""
    sizes = draw(st.lists(st.integers(0, 50), max_size=8))
    return sum(sizes), sizes


def slow_cut(framing: Framing, x: Tensor) -> Tensor:
    """Pad; take every window that fits."""
    none = x.new_zeros(0, *x.shape[:-1], framing.window)
    if x.shape[-1] == 0:
        return none
    padded = torch.nn.functional.pad(x, (framing.before, framing.after))
    starts = range(0, padded.shape[-1] - framing.window + 1, framing.hop)
    found = [padded[..., at : at + framing.window] for at in starts]
    return torch.stack(found) if found else none


def slow_overlap_add(join: OverlapAdd, outputs: Tensor, length: int) -> Tensor:
    """Add sample by sample, divide by the sum of the weights."""
    total, norm = torch.zeros(outputs.shape[1], length), torch.zeros(length)
    for i, stretch in enumerate(outputs):
        for j in range(join.window):
            at = i * join.hop - join.before + j
            if 0 <= at < length:
                total[:, at] += stretch[:, j] * join.weight[j]
                norm[at] += join.norm[j]
    return total / norm.clamp_min(torch.finfo(torch.float32).eps)


def stream(framing: Framing, x: Tensor, sizes: list[int]) -> list[Tensor]:
    state, pieces = Windows(), []
    blocks = list(x.split([*sizes], dim=-1)) if sizes else [x]
    for number, block in enumerate(blocks):
        pieces.append(cut(framing, state, block, last=number == len(blocks) - 1).clone())
    return pieces


@settings(max_examples=300, deadline=None)
@given(framings(), chunked())
def test_cut_gives_the_windows_of_the_padded_signal(
    framing: Framing, chunks: tuple[int, list[int]]
):
    length, sizes = chunks
    x = torch.arange(1.0, 2 * length + 1).reshape(2, length)
    want = slow_cut(framing, x)
    pieces = stream(framing, x, sizes)
    torch.testing.assert_close(torch.cat(pieces), want, rtol=0, atol=0)
    assert framing.count(length) == len(want)


@settings(max_examples=200, deadline=None)
@given(framings(), chunked())
def test_cut_gives_a_window_as_soon_as_it_is_complete(
    framing: Framing, chunks: tuple[int, list[int]]
):
    _, sizes = chunks
    received, windows, state = 0, 0, Windows()
    for size in sizes:
        windows += len(cut(framing, state, torch.zeros(1, size), last=False))
        received += size
        complete = (framing.before + received - framing.window) // framing.hop + 1
        assert windows == (max(0, complete) if received else 0)


@settings(max_examples=100, deadline=None)
@given(framings(), chunked())
def test_cut_leaves_its_input_alone(framing: Framing, chunks: tuple[int, list[int]]):
    length, sizes = chunks
    x = torch.arange(float(length))[None]
    stream(framing, x, sizes)
    assert torch.equal(x, torch.arange(float(length))[None])


@settings(max_examples=200, deadline=None)
@given(framings(), LENGTHS)
def test_latency_is_ahead(framing: Framing, length: int):
    """With n > 0 elements in, window i is out exactly when i * hop < n - ahead."""
    state = Windows()
    out = len(cut(framing, state, torch.zeros(1, length), last=False))
    due = max(0, ceil(Fraction(length - framing.ahead, framing.hop)))
    assert out == (due if length else 0)


@settings(max_examples=100, deadline=None)
@given(framings(), st.integers(1, 7), st.integers(0, 60))
def test_reach_of_windows_that_are_put_in_a_row(framing: Framing, size: int, at: int):
    """What a window's elements see lies within behind and ahead of their own time."""
    framing = Framing(framing.window, framing.hop, framing.before, 0, Concatenate(size))
    first, last = at * framing.hop - framing.before, at * framing.hop - framing.before
    last += framing.window - 1
    for element in range(size):
        time = at * framing.hop + Fraction(element * framing.hop, size)
        assert time - framing.behind <= first
        assert last <= time + framing.ahead


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 5), st.lists(st.integers(0, 6), max_size=6), st.integers(0, 40))
def test_concatenate_is_a_row_cut_at_the_length(size: int, counts: list[int], length: int):
    outputs = torch.arange(float(2 * sum(counts) * size)).reshape(sum(counts), 2, size)
    want = torch.cat(list(outputs), dim=-1) if len(outputs) else outputs.new_zeros(2, 0)
    state, rows = Joined(), []
    for part in outputs.split(counts) if counts else []:
        rows.append(concatenate(state, part, None))
        assert rows[-1].shape == (2, len(part) * size)
    got = torch.cat(rows, dim=-1) if rows else want
    assert torch.equal(got, want)
    assert state.given == want.shape[-1]
    assert torch.equal(concatenate(Joined(), outputs, length), want[:, :length])


@st.composite
def joins(draw: st.DrawFn) -> OverlapAdd:
    hop = draw(st.integers(1, 12))
    window = draw(st.integers(1, 30))
    before = draw(st.integers(0, 30))
    weight = torch.hann_window(window) + draw(st.sampled_from([0.0, 0.5]))
    return OverlapAdd(hop, before, weight, weight * draw(st.sampled_from([1.0, 2.0])))


@settings(max_examples=300, deadline=None)
@given(joins(), st.lists(st.integers(0, 4), min_size=1, max_size=6), st.integers(0, 80))
def test_overlap_add_is_the_sum_over_the_sum_of_weights(
    join: OverlapAdd, counts: list[int], length: int
):
    torch.manual_seed(sum(counts))
    outputs = torch.randn(sum(counts), 2, join.window)
    # No more can have been given before the end than there is in the end.
    length = max(length, sum(counts) * join.hop - join.before, 0)
    want = slow_overlap_add(join, outputs, length)
    state, rows = Joined(), []
    parts = outputs.split(counts)
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        rows.append(overlap_add(join, state, part, length if last else None))
        if not last:
            done = sum(counts[: number + 1]) * join.hop - join.before
            assert state.given == max(0, done)
    got = torch.cat(rows, dim=-1)
    torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-5)


WINDOWS = {"hann": torch.hann_window, "hamming": torch.hamming_window, "ones": torch.ones}


@pytest.mark.parametrize("shape", WINDOWS)
@pytest.mark.parametrize(("window", "hop"), [(64, 16), (64, 32), (60, 17), (33, 11), (48, 48)])
def test_overlap_add_of_untouched_windows_is_the_signal(shape: str, window: int, hop: int):
    x = torch.randn(2, 500)
    weight = WINDOWS[shape](window)
    join = OverlapAdd(hop, window, weight, weight)
    framing = Framing(window, hop, before=window, after=2 * window, join=join)
    windows = slow_cut(framing, x)
    got = overlap_add(join, Joined(), windows, 500)
    gaps = shape == "hann" and window == hop  # a Hann window is zero at its edge
    where = slice(None) if not gaps else (torch.arange(500) % 48 != 0)
    torch.testing.assert_close(got[:, where], x[:, where], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("window", "hop"), [(64, 16), (60, 20), (32, 16)])
def test_analysis_and_synthesis_windows_cancel(window: int, hop: int):
    x = torch.randn(1, 400)
    hann = torch.hann_window(window)
    join = OverlapAdd(hop, window, hann, hann * hann)
    framing = Framing(window, hop, before=window, after=2 * window, join=join)
    got = overlap_add(join, Joined(), slow_cut(framing, x) * hann, 400)
    torch.testing.assert_close(got, x, rtol=1e-5, atol=1e-5)


@settings(max_examples=100, deadline=None)
@given(joins(), st.integers(1, 20), st.integers(0, 40))
def test_reach_of_overlapping_windows(join: OverlapAdd, hop: int, at: int):
    """Whatever stretch an element lies in, its window is within behind and ahead."""
    framing = Framing(25, hop, before=7, after=0, join=join)
    for element in range(at * join.hop - join.before, at * join.hop - join.before + join.window):
        time = Fraction(element * hop, join.hop)
        assert time - framing.behind <= at * hop - framing.before
        assert at * hop - framing.before + framing.window - 1 <= time + framing.ahead


@pytest.mark.parametrize(
    ("end", "rate", "hop", "count"),
    [
        (Fraction(1, 3), 16000, 1, 5334),
        (Fraction(1000, 44100), 16000, 1, 363),
        (Fraction(1), 16000, 160, 100),
        (Fraction(0), 8000, 1, 0),
        (None, 8000, 1, None),
    ],
)
def test_limit_rounds_up(end: Fraction | None, rate: int, hop: int, count: int | None):
    assert limit(end, rate, hop) == count


@pytest.mark.parametrize(
    ("framing", "length", "count"),
    [
        (Framing(1024, 256, 512, 512), 1000, 4),  # as librosa, centred: 1 + 1000 // 256
        (Framing(1024, 256, 512, 512), 0, 0),
        (Framing(400, 160), 399, 0),
        (Framing(400, 160), 400, 1),
        (Framing(400, 160), 560, 2),
        (Framing(10, 25, 0, 24), 26, 2),  # a hop longer than the window
    ],
)
def test_count(framing: Framing, length: int, count: int):
    assert framing.count(length) == count


@pytest.mark.parametrize("blocks", [[], [0], [0, 0]])
def test_of_nothing_there_are_no_windows_however_much_lies_before_it(blocks: list[int]):
    framing, state = Framing(window=4, hop=4, before=8), Windows()
    for size in blocks:
        assert len(cut(framing, state, torch.zeros(1, size), last=False)) == 0
    assert len(cut(framing, state, torch.zeros(1, 0), last=True)) == 0
