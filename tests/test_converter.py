"""The converter: windows make the whole, more of a voice changes what is looked up, sizes have
bounds, and it learns."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from audiopipe.nets import converter as module
from audiopipe.nets.converter import MIDDLE, Converter, Likeness, bridged
from audiopipe.nets.listening import BANDS, audible, loudness

SIZES = {
    "width": 16, "expansion": 2, "heard": [3, 2, 0], "said": [3, 1, 0], "neck": 6, "identity": 12,
    "heads": 3,
}  # fmt: skip
QUIET = math.log(1e-5)


def small(**others: object) -> Converter:
    torch.manual_seed(1)
    return Converter.of(**{**SIZES, **others}).eval()  # type: ignore[arg-type]


def speech(frames: int, seed: int = 2) -> tuple[Tensor, Tensor]:
    """Log-mels [bins, frames] and f0 [frames] of something that changes slowly."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(1, 100, frames // 5 + 2, generator=generator)
    mel = functional.interpolate(coarse, frames, mode="linear")[0] - 2
    hz = 180 + 40 * torch.sin(torch.arange(frames) / 9)
    return mel, hz * (torch.arange(frames) % 20 > 4)


@pytest.fixture(scope="module")
def converter() -> Converter:
    return small()


@pytest.fixture(scope="module")
def likeness(converter: Converter) -> Likeness:
    return converter.likeness(*speech(200, seed=3))


def test_as_many_frames_come_out_as_the_reach_leaves(
    converter: Converter, likeness: Likeness
) -> None:
    past, ahead = converter.reach
    assert (past, ahead) == (3 + 2 * (4 + 6) + 3 + 5 + 6, 3 + 2 * 2 + 3 + 1)
    mel, _ = speech(past + 7 + ahead)
    with torch.no_grad():
        made = converter(mel[None], torch.zeros(1, mel.shape[1]), likeness)
    assert made.shape == (1, 100, 7)


@pytest.mark.parametrize("step", [1, 10, 33])
def test_windows_make_the_whole(converter: Converter, likeness: Likeness, step: int) -> None:
    past, ahead = converter.reach
    mel, _ = speech(past + 66 + ahead)
    pitch = torch.linspace(-4, 4, mel.shape[1])[None]
    with torch.no_grad():
        whole = converter(mel[None], pitch, likeness)
        parts = [
            converter(mel[None, :, window], pitch[:, window], likeness)
            for first in range(0, 66, step)
            for window in [slice(first, first + past + step + ahead)]
        ]
    assert torch.allclose(torch.cat(parts, dim=2)[..., :66], whole, atol=1e-5)


@pytest.mark.parametrize("side", ["past", "ahead"])
def test_the_reach_is_heard_to_its_end_and_no_frame_more(
    converter: Converter, likeness: Likeness, side: str
) -> None:
    past, ahead = converter.reach
    mel, _ = speech(past + 3 + ahead)
    other = mel.clone()
    # The first frame is of the past of frame 0 alone, the last of the future of frame 2 alone.
    other[:, 0 if side == "past" else -1] += 30.0
    pitch = torch.zeros(1, mel.shape[1])
    with torch.no_grad():
        change = (
            converter(other[None], pitch, likeness) - converter(mel[None], pitch, likeness)
        ).abs()
    moved = change[0].amax(dim=0)
    assert moved[0 if side == "past" else 2] > 0
    assert (moved[1:] if side == "past" else moved[:2]).max() == 0


def test_training_on_every_other_frame_is_the_same_network(converter: Converter) -> None:
    mel, _ = speech(121)
    with torch.no_grad():
        whole = converter.content(mel.T[None, :, :BANDS])
        half = converter.content(mel.T[None, :, :BANDS], every=2)
    assert torch.allclose(whole[:, ::2], half, atol=1e-5)


def test_a_likeness_tells_the_pitch_and_leaves_out_what_is_quiet(converter: Converter) -> None:
    mel, hz = speech(100)
    gap = torch.full((100, 50), QUIET)
    found = converter.likeness(torch.cat([mel, gap], 1), torch.cat([hz, torch.zeros(50)]))
    assert found.keys.shape == (1, 100, 12)
    assert found.values.shape == (1, 100, 12)
    assert found.identity.norm().item() == pytest.approx(1.0, abs=1e-5)
    median = (12 * hz[hz > 0].log2()).median()
    assert found.f0.item() == pytest.approx(median.item(), abs=0.1)
    assert 0.5 < found.spread.item() < 4.0


def test_lines_are_drawn_through_what_has_no_f0() -> None:
    found = bridged(torch.tensor([0.0, 100.0, 0.0, 0.0, 0.0, 400.0, 0.0]))
    low, octave = 12 * math.log2(100), 12.0
    wanted = torch.tensor([0, 0, 0.5, 1, 1.5, 2, 2]) * octave + low
    assert torch.allclose(found, wanted, atol=1e-3)


def test_a_reference_without_f0_has_that_of_the_middle(converter: Converter) -> None:
    mel, _ = speech(60)
    found = converter.likeness(mel, torch.zeros(60))
    assert (found.f0.item(), found.spread.item()) == (MIDDLE, 0.0)


def test_silence_as_a_reference_is_no_error_but_nothing_is(converter: Converter) -> None:
    found = converter.likeness(torch.full((100, 40), QUIET), torch.zeros(40))
    assert all(torch.isfinite(value).all() for value in found)
    with pytest.raises(ValueError, match="without a frame"):
        converter.likeness(torch.zeros(100, 0), torch.zeros(0))


def test_the_level_of_a_reference_does_not_matter(converter: Converter) -> None:
    mel, hz = speech(160)
    for one, other in zip(
        converter.likeness(mel, hz), converter.likeness(mel + 1.0, hz), strict=True
    ):
        assert torch.allclose(one, other, atol=1e-3)


def test_the_colour_is_what_is_missing_in_the_mean(converter: Converter) -> None:
    mel, hz = speech(300)
    brighter = torch.linspace(-1, 1, 100)[:, None]
    plain, changed = converter.likeness(mel, hz), converter.likeness(mel + brighter, hz)
    assert plain.colour.shape == (1, 100)
    moved = (changed.colour - plain.colour)[0, :BANDS]
    # A network that has learned nothing makes the same of both, so all of it is missing, but for
    # the level.
    wanted = brighter[:BANDS, 0] - (brighter[:BANDS, 0] - moved).mean()
    assert torch.corrcoef(torch.stack([moved, wanted]))[0, 1] > 0.95
    assert changed.colour[0, BANDS:].unique().numel() == 1


def test_a_reference_too_short_to_be_halved_has_no_colour(converter: Converter) -> None:
    past, ahead = converter.decoder.reach
    assert not converter.likeness(*speech(2 * (past + ahead))).colour.any()
    assert converter.likeness(*speech(2 * (past + ahead) + 8)).colour.any()


def test_another_reference_makes_another_sound(converter: Converter, likeness: Likeness) -> None:
    past, ahead = converter.reach
    mel, _ = speech(past + 5 + ahead)
    other = converter.likeness(*speech(200, seed=9))
    pitch = torch.zeros(1, mel.shape[1])
    with torch.no_grad():
        change = converter(mel[None], pitch, other) - converter(mel[None], pitch, likeness)
        looked = converter.look_up(converter.content(mel.T[None, :, :BANDS]), likeness)
        elsewhere = converter.look_up(converter.content(mel.T[None, :, :BANDS]), other)
    assert change.abs().mean() > 1e-3
    assert (looked - elsewhere).abs().mean() > 1e-3


def test_long_references_are_thinned_out(
    converter: Converter, monkeypatch: pytest.MonkeyPatch
) -> None:
    mel, hz = speech(150)
    whole = converter.likeness(mel, hz)
    monkeypatch.setattr(module, "FRAMES", 60)
    found = converter.likeness(mel, hz)
    assert found.keys.shape[1] == found.values.shape[1] == 60
    assert torch.equal(found.keys[0, 0], whole.keys[0, 0])
    assert torch.equal(found.keys[0, -1], whole.keys[0, -1])
    assert torch.equal(found.identity, whole.identity)


@pytest.mark.parametrize(
    ("name", "value"),
    [("width", 0), ("expansion", 4096), ("identity", 10), ("heads", 0), ("heard", [3]),
     ("said", [3, 7])],
)  # fmt: skip
def test_sizes_that_make_no_network_are_refused(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name if name != "identity" else "heads 3"):
        small(**{name: value})


def test_loudness_and_what_is_audible() -> None:
    mel = torch.full((1, 3, 100), QUIET)
    mel[0, 1, 10], mel[0, 2, 10] = 1.0, -4.0
    assert loudness(mel)[0, 1].item() == pytest.approx(1.0, abs=1e-3)
    assert audible(mel)[0].tolist() == [False, True, False]


def test_it_learns_to_say_in_the_other_voice() -> None:
    converter = small()
    mel = speech(120)[0]
    past, ahead = converter.reach
    target = mel[None, :, past : 120 - ahead] + 0.5
    heard, own = torch.ones(1, 90, dtype=torch.bool), mel.T[None, 20:110]
    optimizer = torch.optim.Adam(converter.parameters(), lr=5e-3)
    distances = []
    for _ in range(30):
        content = converter.content(mel.T[None, :, :BANDS])
        found = converter.describe(own, content, heard, torch.tensor([90.0]), torch.tensor([2.0]))
        made = converter(mel[None], torch.zeros(1, 120), found)
        loss = (made - target).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        distances.append(loss.item())
    assert distances[-1] < 0.8 * distances[0]
