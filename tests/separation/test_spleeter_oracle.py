"""Deezer's own Spleeter and ours, with the same random weights (the full run is
`benchmarks/separation_oracle.py`). Needs `audiopipe engines install spleeter`."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from audiopipe.engines.environments import Environments
from audiopipe.nets import spleeter as nets
from benchmarks.separation_oracle import BOUND, deezers, made_sound, model, stems

FILTERS = (4, 6, 8, 8, 12, 16)
SOUNDS = (made_sound(3, 1), made_sound(3, 2), made_sound(12.5, 2))

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.slow,
    pytest.mark.skipif(
        Environments().state("spleeter") != "installed",
        reason="needs: audiopipe engines install spleeter",
    ),
]


@pytest.fixture(scope="module", params=["2stems", "4stems", "5stems", "2stems-16kHz"])
def compared(request, tmp_path_factory):
    """A model of few filters, and what Deezer's program makes of the sounds with it."""
    work = tmp_path_factory.mktemp(request.param)
    folder = model(request.param, work / "model", FILTERS)
    return str(folder), deezers(folder, SOUNDS, work)


@pytest.mark.parametrize("which", range(len(SOUNDS)))
def test_stems_are_equal(compared, which):
    folder, theirs = compared
    ours = stems(folder, SOUNDS[which])
    assert ours.shape == theirs[which].shape
    assert np.abs(ours - theirs[which]).max() < BOUND
    # It is not equal for want of anything to compare: stems differ from one another.
    assert theirs[which].std(0).max() > 0.01


def test_deezers_networks_in_our_frames(compared):
    """The engine `spleeter`: it is equal, too."""
    folder, theirs = compared
    card = Path(folder) / "card.toml"
    text = card.read_text()
    card.write_text(text.replace("[settings]", '[settings]\nengine = "spleeter"'))
    try:
        assert np.abs(stems(folder, SOUNDS[2]) - theirs[2]).max() < BOUND
    finally:
        card.write_text(text)


@pytest.mark.parametrize("detail", ["padding", "epsilon", "activation"])
def test_a_wrong_detail_is_found(compared, detail, monkeypatch):
    folder, theirs = compared
    functional = dict(vars(nets.functional))
    if detail == "padding":
        functional["pad"] = lambda hidden, edges: nets.nn.functional.pad(hidden, edges[::-1])
    elif detail == "activation":
        functional["elu"] = lambda hidden, inplace: nets.nn.functional.elu(hidden, 0.9)
        functional["leaky_relu"] = lambda hidden, slope, inplace: hidden.clamp_min(0)
    monkeypatch.setattr(nets, "functional", SimpleNamespace(**functional))
    if detail == "epsilon":
        made = nets.nn.BatchNorm2d
        monkeypatch.setattr(nets.nn, "BatchNorm2d", lambda n, eps: made(n, eps=1e-5))
    assert np.abs(stems(folder, SOUNDS[1]) - theirs[1]).max() > BOUND
