"""Where a voice lies, and its melody without gaps."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from audiopipe.cloning.contour import AHEAD, Contour
from audiopipe.cloning.register import counted, fresh, register, semitones
from audiopipe.signals import PitchTrack

HZ = 12 * np.log2(110.0)


def followed(hz, sizes=(), stated=None):
    """The melody [2, frames] of pitches in Hz, 0 where unvoiced; the blocks are of these sizes."""
    hz = torch.as_tensor(hz, dtype=torch.float32)
    track = PitchTrack(hz.clamp_min(60), hz > 0, torch.ones(len(hz)), 16000, 160)
    stage = Contour(stated=stated)
    state = stage.start(None, [track.format])
    edges = [0, *np.cumsum(sizes).tolist(), len(hz)]
    blocks = [
        stage.step(None, state, [track.cut(a, b)], b == len(hz) and n == len(edges) - 2)
        for n, (a, b) in enumerate(pairwise(edges))
    ]
    assert [block.start for block in blocks] == [0, *np.cumsum([len(b) for b in blocks])[:-1]]
    return torch.cat([block.values for block in blocks], 1)


class TestRegister:
    def test_it_is_the_median_and_the_deviation_of_what_was_heard(self):
        rng = np.random.default_rng(1)
        pitch = torch.tensor(rng.normal(80.0, 3.0, 4000))
        counts = counted(fresh(), pitch, torch.ones(4000, dtype=torch.bool))
        middle, spread = register(counts)
        assert float(middle[-1]) == pytest.approx(float(pitch.median()), abs=0.1)
        assert float(spread[-1]) == pytest.approx(3.0, abs=0.15)
        # After half a second it is nearly right.
        assert float(middle[50]) == pytest.approx(80.0, abs=2.0)

    def test_single_wrong_octaves_do_not_move_it(self):
        pitch = torch.full((200,), 80.0, dtype=torch.float64)
        pitch[::10] += 12
        counts = counted(fresh(), pitch, torch.ones(200, dtype=torch.bool))
        assert float(register(counts)[0][-1]) == pytest.approx(80.0, abs=0.3)

    def test_what_is_unvoiced_does_not_count(self):
        nothing = counted(fresh(), torch.full((9,), 70.0), torch.zeros(9, dtype=torch.bool))
        assert torch.equal(nothing[-1], fresh())


class TestContour:
    def test_a_gap_is_held_and_then_bridged(self):
        hz = [110.0] * 20 + [0.0] * 40 + [220.0] * 20
        place = followed(hz, stated=110.0)[0]
        assert place[:20] == pytest.approx(0.0, abs=1e-4)
        held = 60 - AHEAD - 1
        assert place[20 : held + 1] == pytest.approx(0.0, abs=1e-4)
        bridge = place[held:61]
        assert bridge.diff() == pytest.approx(12 / (AHEAD + 1), abs=1e-3)
        assert place[60:] == pytest.approx(12.0, abs=1e-4)

    def test_a_short_gap_is_one_line(self):
        place = followed([110.0] * 5 + [0.0] * 3 + [220.0] * 5, stated=110.0)[0]
        assert place[4:9] == pytest.approx([0, 3, 6, 9, 12], abs=1e-3)

    def test_what_has_no_pitch_at_all_lies_in_the_middle(self):
        assert followed([0.0] * 30)[0] == pytest.approx(0.0)

    def test_before_the_first_pitch_it_rises_from_the_middle(self):
        place = followed([0.0] * 30 + [220.0] * 5, stated=110.0)[0]
        assert place[: 30 - AHEAD] == pytest.approx(0.0)
        assert place[30 - AHEAD : 31].diff().min() > 0

    def test_the_median_is_learned_and_may_be_stated(self):
        hz = [110.0] * 600
        assert float(followed(hz)[0, -1]) == pytest.approx(0.0, abs=0.3)
        assert float(followed(hz, stated=55.0)[0, -1]) == pytest.approx(12.0, abs=1e-3)
        assert semitones(torch.tensor(110.0)) == pytest.approx(HZ, abs=1e-4)

    def test_a_stream_is_the_whole(self):
        rng = np.random.default_rng(3)
        hz = 110 * 2 ** (rng.normal(0, 3, 3000).cumsum() * 0.05 / 12)
        hz[np.sin(np.arange(3000) / 17) > 0.3] = 0
        whole = followed(hz)
        for _ in range(20):
            sizes = rng.integers(0, 300, 25)
            sizes = sizes[np.cumsum(sizes) <= 3000]
            assert (followed(hz, sizes) - whole).abs().max() < 1e-5
        assert (followed(hz, [1] * 2999) - whole).abs().max() < 1e-5
