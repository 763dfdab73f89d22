"""The pitch network: what it is fed, its reach, and cards that do not fit."""

import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from audiopipe.errors import ModelError, ModelVerificationError
from audiopipe.evidence import (
    BEFORE,
    LEVEL,
    OCTAVE,
    PITCHES,
    POWER,
    RATE,
    SIZE,
    TONE,
    VIEWS,
    WINDOW,
    Tables,
    evidence,
)
from audiopipe.evidence.tables import pitches
from audiopipe.models import embedded
from audiopipe.nets.pitch import AHEAD, BEHIND, CONTEXT, PitchNet
from audiopipe.pitch_models import pitch_net
from audiopipe.sharpen import sharpened


def windows(hz, harmonics=range(1, 12)):
    """A window of a tone [1, WINDOW]."""
    time = torch.arange(WINDOW, dtype=torch.float64) / RATE
    parts = [torch.sin(2 * torch.pi * hz * h * time + h * h) / h for h in harmonics]
    return torch.stack(parts).sum(0)[None].float()


# Evidence


@pytest.mark.parametrize("hz", [55.0, 110.0, 247.0, 440.0, 990.0])
def test_views_speak_for_the_pitch(hz):
    (found,) = evidence(windows(hz), Tables.usual())
    assert found.shape == (SIZE,)
    place = round(OCTAVE * float(np.log2(hz / 27.5)))
    for name in ("correlation", "compressed", "brief_correlation"):
        if hz < 100 and name == "brief_correlation":
            continue  # two periods are too few
        view = found[VIEWS[name].columns]
        near = view[max(0, place - 12) : place + 13]
        assert abs(int(near.argmax()) - min(place, 12)) <= 1, name
    contrast = found[VIEWS["contrast"].columns]
    assert contrast[place] > 0
    assert contrast[place + OCTAVE] > 0


def test_who_looks_past_a_view_finds_nothing():
    seen = torch.zeros(SIZE, dtype=torch.bool)
    for view in VIEWS.values():
        seen[view.columns] = True
    found = evidence(torch.randn(3, WINDOW), Tables.usual())
    assert not found[:, : TONE.start][:, ~seen[: TONE.start]].any()
    for first in PitchNet().taps.tolist():
        looked = range(max(0, first), min(first + PITCHES, TONE.start))
        assert len(looked) == PITCHES
        assert sum(v.first < looked.stop and v.columns.stop > first for v in VIEWS.values()) == 1


def test_an_octave_higher_is_the_same_picture_moved_up():
    low, high = (evidence(windows(hz, [1]), Tables.usual())[0] for hz in (440.0, 880.0))
    first = VIEWS["correlation"].columns
    at = round(OCTAVE * float(np.log2(440 / 27.5)))
    around = slice(at - 10, at + 11)
    moved = slice(at + OCTAVE - 10, at + OCTAVE + 11)
    assert torch.allclose(low[first][around], high[first][moved], atol=0.02)


def test_level_offset_and_what_is_no_number():
    hiss = 0.01 * torch.randn(1, WINDOW, generator=torch.Generator().manual_seed(0))
    tables, tone = Tables.usual(), 0.1 * windows(220.0) + hiss  # no band is empty
    plain, sound = evidence(tone, tables), slice(LEVEL)
    assert torch.allclose(evidence(100 * tone, tables)[:, sound], plain[:, sound], atol=1e-2)
    assert torch.allclose(evidence(tone + 0.5, tables), plain, atol=1e-2)
    tone[0, BEFORE] = torch.nan
    assert evidence(tone, tables).isfinite().all()
    silence = evidence(torch.full((1, WINDOW), 0.7), tables)
    assert torch.allclose(silence, evidence(torch.zeros(1, WINDOW), tables), atol=1e-3)
    assert silence[:, POWER].max() < 2e-9


def test_frames_do_not_depend_on_their_batch():
    many = torch.cat([windows(hz) for hz in np.geomspace(50, 2000, 40)])
    together = evidence(many, Tables.usual())
    alone = torch.cat([evidence(one[None], Tables.usual()) for one in many])
    assert torch.allclose(together, alone, atol=1e-4)


# The network


def heard(net, frames):
    """What the network makes of evidence [batch, BEHIND + frames + AHEAD, SIZE]."""
    near = BEHIND - CONTEXT
    return net(frames[:, near:], frames[:, :near, LEVEL])


def test_reach_is_what_is_declared():
    net = PitchNet().eval()
    random = torch.Generator().manual_seed(0)
    frames = torch.randn(1, BEHIND + 40 + AHEAD, SIZE, generator=random)
    pitch, voicing = heard(net, frames)
    for changed in (5, BEHIND + 10, BEHIND + 39):
        other = frames.clone()
        other[:, changed] += 3 * torch.randn(SIZE, generator=random)
        other[:, changed, LEVEL] += 20  # the loudest
        ours = heard(net, other)
        differ = ((ours[0] - pitch).abs().amax(2) + (ours[1] - voicing).abs())[0] > 1e-6
        output = changed - BEHIND  # what is decided about the changed frame itself
        found = differ.nonzero()[:, 0]
        assert found.min() >= max(0, output - AHEAD)
        assert found.max() <= output + BEHIND


def test_pieces_are_the_whole():
    net = PitchNet().eval()
    frames = torch.randn(1, BEHIND + 50 + AHEAD, SIZE, generator=torch.Generator().manual_seed(1))
    whole = heard(net, frames)
    pieces = [heard(net, frames[:, at : at + BEHIND + 10 + AHEAD]) for at in range(0, 50, 10)]
    for ours, theirs in zip(zip(*pieces, strict=True), whole, strict=True):
        assert torch.allclose(torch.cat(ours, 1), theirs, atol=1e-5)


def test_it_is_small():
    assert sum(weight.numel() for weight in PitchNet().parameters()) < 150_000


# Sharpening


@pytest.mark.parametrize("hz", [82.41, 220.0, 441.3, 1318.5, 3000.0])
@pytest.mark.parametrize("off", [-12, 0, 12])
def test_a_tone_is_known_to_a_fraction_of_a_cent(hz, off):
    tone = windows(hz, [h for h in range(1, 12) if h * hz < 7500])
    power = evidence(tone, Tables.usual())[:, POWER]
    guess = torch.tensor([hz * 2 ** (off / 1200)])
    found = float(sharpened(guess, power))
    assert abs(1200 * np.log2(found / hz)) < 1.5


def test_what_is_not_periodic_stays_as_it_was():
    noise = torch.randn(20, WINDOW, generator=torch.Generator().manual_seed(2))
    power = evidence(noise, Tables.usual())[:, POWER]
    guess = pitches(PITCHES)[20:160:7].float()
    assert torch.equal(sharpened(guess, power), guess)


# Cards


@pytest.fixture
def folder(tmp_path):
    """The model that comes with audiopipe, to be changed."""
    shutil.copytree(embedded() / "pitch", tmp_path / "mine")
    card = tmp_path / "mine" / "card.toml"
    card.write_text(card.read_text().replace('name = "pitch"', 'name = "mine"', 1))
    return tmp_path / "mine"


def change(folder, old, new):
    card = folder / "card.toml"
    assert old in card.read_text()
    card.write_text(card.read_text().replace(old, new, 1))


def test_a_folder_is_a_model(folder):
    assert not pitch_net(str(folder)).training


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('task = "pitch"', 'task = "keywords"', "tracks no pitch: .* task keywords, not pitch"),
        ("rate = 16000", "rate = 22050", "rate 22050, not 16000"),
        ("channels = 16", "channels = 24", "weights do not fit its card"),
        ("channels = 16", "channels = 100000", "at most 256 are possible"),
        ("channels = 16", "colours = 3", "weights do not fit its card"),
    ],
)
def test_a_card_that_does_not_fit_is_said(folder, old, new, says):
    change(folder, old, new)
    with pytest.raises(ModelError, match=says):
        pitch_net(str(folder))


def test_weights_that_were_changed_are_refused(folder):
    weights = load_file(folder / "weights.safetensors")
    weights["pitch.bias"] += 1
    save_file(weights, folder / "weights.safetensors")
    with pytest.raises(ModelVerificationError):
        pitch_net(str(folder))
