"""The network of stems: stepping equals the whole, its reach, and what never changes."""

import pytest
import torch

from audiopipe.nets.stems import (
    AHEAD,
    BINS,
    COARSE,
    FINE,
    HOP,
    POINTS,
    RATE,
    STEMS,
    WINDOW,
    StemsNet,
    look,
    middle_and_side,
    pooled,
    spread,
)


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return StemsNet(channels=6, hidden=12).eval()


def spectra(frames, batch=1, seed=0, channels=2):
    """Noise that falls off with frequency, and moves."""
    draw = torch.Generator().manual_seed(seed)
    noise = torch.randn(batch, channels, BINS, frames, 2, generator=draw)
    slope = (1 + torch.arange(BINS)).pow(-0.5)[:, None]
    moves = 0.2 + torch.rand(batch, 1, BINS, frames, generator=draw)
    return torch.view_as_complex(noise) * slope * moves


def run(net, music, state=None):
    with torch.inference_mode():
        return net(music, state)


@pytest.mark.parametrize("seed", range(4))
def test_stepping_equals_the_whole(net, seed):
    music = spectra(60, batch=2, seed=seed)
    whole, last = run(net, music)
    draw = torch.Generator().manual_seed(seed)
    parts, state, at = [], None, 0
    while at < 60:
        size = int(torch.randint(1, 11, (), generator=draw))
        part, state = run(net, music[..., at : at + size], state)
        parts.append(part)
        at += size
    torch.testing.assert_close(torch.cat(parts, -1), whole, atol=1e-6, rtol=1e-5)
    for one, other in zip(state, last, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_stems_add_up_to_the_music_of_before(net):
    music = spectra(40)
    stems, _ = run(net, music)
    assert stems.shape == (1, len(STEMS), 2, BINS, 40)
    torch.testing.assert_close(stems[..., AHEAD:].sum(1), music[..., :-AHEAD], atol=1e-6, rtol=1e-4)
    assert not stems[..., :AHEAD].any()


def test_the_end_comes_out_with_silence_after_it(net):
    music = spectra(20)
    _, state = run(net, music)
    rest, _ = run(net, torch.zeros(1, 2, BINS, AHEAD, dtype=torch.complex64), state)
    torch.testing.assert_close(rest.sum(1), music[..., -AHEAD:], atol=1e-6, rtol=1e-4)


def test_hears_just_as_far_ahead_as_it_says(net):
    music = spectra(50)
    other = music.clone()
    at = 30
    other[..., at:] = spectra(50, seed=9)[..., at:]
    before, _ = run(net, music)
    after, _ = run(net, other)
    # Output k is of frame k - AHEAD: nothing up to output `at` has heard the change.
    torch.testing.assert_close(after[..., :at], before[..., :at], atol=0, rtol=0)
    assert not torch.equal(after[..., at], before[..., at])


@pytest.mark.parametrize("gain", [1e-3, 30.0])
def test_a_louder_input_gives_the_same_masks(net, gain):
    music = spectra(30)
    stems, _ = run(net, music)
    louder, _ = run(net, gain * music)
    torch.testing.assert_close(louder / gain, stems, atol=1e-4, rtol=1e-2)


def test_silence_gives_silence(net):
    silence = torch.zeros(1, 2, BINS, 30, dtype=torch.complex64)
    stems, state = run(net, silence)
    assert not stems.any()
    music = spectra(20)
    stems, _ = run(net, music, state)
    assert stems.isfinite().all()
    torch.testing.assert_close(stems[..., AHEAD:].sum(1), music[..., :-AHEAD], atol=1e-6, rtol=1e-4)


def test_equal_sides_stay_equal(net):
    music = spectra(30, channels=1).repeat(1, 2, 1, 1)
    stems, _ = run(net, music)
    torch.testing.assert_close(stems[:, :, 0], stems[:, :, 1])


def test_songs_of_a_batch_do_not_hear_each_other(net):
    music = spectra(30, batch=3)
    together, _ = run(net, music)
    alone, _ = run(net, music[1:2])
    torch.testing.assert_close(together[1:2], alone, atol=1e-5, rtol=1e-4)


def test_points_hold_all_energy_but_of_the_highest_bin():
    music = spectra(5)
    power = music.mT.abs().square()
    points = pooled(power)
    assert points.shape[-1] == POINTS == FINE + (BINS - 1 - FINE) // COARSE
    torch.testing.assert_close(points.sum(-1), power[..., :-1].sum(-1))
    views = look(middle_and_side(music))
    torch.testing.assert_close(views[:, :, 2], points[:, 0])
    torch.testing.assert_close(views[:, :, 3], points[:, 1], atol=1e-5, rtol=1e-3)


def test_masks_of_points_reach_their_bins():
    masks = torch.rand(4, 1, 3, 2, POINTS)
    bins = spread(masks)
    assert bins.shape == (1, 4, 2, BINS, 3)
    assert torch.equal(bins[0, :, :, 100], masks[:, 0, :, :, 100].mT)
    assert torch.equal(bins[0, :, :, FINE + 3 * COARSE + 5], masks[:, 0, :, :, FINE + 3].mT)
    assert torch.equal(bins[..., -1, :], bins[..., -2, :])


def test_latency_is_below_half_a_second():
    assert (WINDOW + AHEAD * HOP) / RATE < 0.5
