"""The recipe of the converter: frames are moved where they should be, pieces are of whom they say,
and a step teaches something."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file
from torch import Tensor

from audiopipe.nets.converter import Converter
from audiopipe.nets.frames import MelConfig, Reach
from audiopipe.nets.listening import Content

pytest.importorskip("parselmouth", reason="pip install 'audiopipe[train]'")

from training.clone import content as ear
from training.clone import prepare, train
from training.clone.blend import blend
from training.clone.data import QUIET, Crops, Utterance, Voices
from training.clone.disturb import Warp, disturbed
from training.clone.hear import heard
from training.clone.pairs import Pairs
from training.clone.phones import cepstra, ids_of
from training.clone.run import converted, likeness_of, load_converter

EAR = {"width": 16, "expansion": 2, "ahead": [3, 1, 0], "neck": 8}
SETTINGS = {
    "width": 16, "expansion": 2, "heard": [3, 1, 0], "said": [3, 1, 0], "neck": 8, "identity": 8,
    "heads": 2,
}  # fmt: skip


def people(count: int = 3, each: int = 2, frames: int = 130) -> Voices:
    """Utterances of several people, who differ in colour and pitch."""
    generator = torch.Generator().manual_seed(1)
    made = []
    for who in range(count):
        for number in range(each):
            mel = torch.randn(frames, 100, generator=generator) + 0.5 * who
            hz = 120.0 * 2 ** (who / 3) * (torch.arange(frames) % 30 > 5)
            bands = 100 if who else 85
            mel[:, bands:] = QUIET
            name = f"set/{who}/{number}"
            one = Utterance(name, f"set/{who}", "", bands, mel.half(), hz.half())
            made.append(one)
    return Voices.of(made)


def tone(mel_of: float) -> Tensor:
    """Frames with one peak at so many Hz."""
    centres = Warp(MelConfig()).centres
    width = 0.04 * mel_of
    return (-((centres - mel_of) ** 2) / (2 * width**2)).clamp(min=-10)[None, None].float()


def test_a_warp_moves_frequencies() -> None:
    warp, mel, bands = Warp(MelConfig()), tone(2000.0), torch.tensor([100])
    same, known = warp(mel, torch.ones(1), bands)
    assert torch.allclose(same, mel, atol=1e-4)
    assert known.all()
    for factor in (0.8, 1.25):
        moved, known = warp(mel, torch.tensor([factor]), bands)
        peak = warp.centres[moved[0, 0].argmax()].item()
        assert peak == pytest.approx(2000 * factor, rel=0.03)
        assert known.all() == (factor > 1)


def test_what_a_recording_does_not_have_is_not_known() -> None:
    _, known = Warp(MelConfig())(tone(500.0), torch.tensor([1.0]), torch.tensor([85]))
    assert known[0].tolist() == [True] * 85 + [False] * 15


def test_frames_are_disturbed_within_limits() -> None:
    generator = torch.Generator().manual_seed(3)
    mel = tone(1000.0).expand(6, 4, -1)
    made = disturbed(mel, torch.full((6,), 100), Warp(MelConfig()), generator)
    assert made.shape == mel.shape
    assert made.min() >= QUIET - 1e-4
    assert torch.allclose(made[:, 0], made[:, 3])  # nothing changes within an utterance
    assert (made[0, 0] - made[1, 0]).abs().max() > 0.1
    peaks = Warp(MelConfig()).centres[made[:, 0].argmax(dim=1)]
    assert ((peaks > 700) & (peaks < 1400)).all()


def test_voices_are_read_as_they_were_written(tmp_path: Path) -> None:
    voices = people()
    voices.save(tmp_path / "train.safetensors")
    found = Voices.load(tmp_path / "train.safetensors")
    assert (found.names, found.speakers, found.bands) == (
        voices.names, voices.speakers, voices.bands,
    )  # fmt: skip
    assert torch.equal(found[3].mel, voices[3].mel)
    assert torch.equal(found[3].hz, voices[3].hz)


def test_around_an_utterance_is_silence_not_its_neighbour() -> None:
    voices = people()
    crop = Crops(voices, Reach(7, 5), 150).of(torch.tensor([2]), torch.Generator().manual_seed(0))
    assert crop.mel.shape == (1, 162, 100)
    assert (crop.mel[0, :7] == QUIET).all()
    assert (crop.mel[0, 7 + 130 :] == QUIET).all()
    assert crop.inside[0].tolist() == [True] * 130 + [False] * 20
    assert torch.equal(crop.mel[0, 7:137], voices[2].mel.float())


def test_pieces_come_with_others_of_the_same_person() -> None:
    voices = people()
    content = torch.arange(len(voices.mel)).half()[None, :, None].expand(2, -1, 8)
    pairs = Pairs(voices, content, Reach(4, 3), 64, 20, seed=0)
    batch = pairs.draw(12)
    assert batch.mel.shape == (12, 64, 100)
    assert batch.content.shape == (12, 71, 8)
    assert batch.level.shape == batch.pitch.shape == (12, 71)
    assert batch.other.shape == (12, 40, 100)
    owner = torch.searchsorted(voices.spans[:, 1], batch.content[:, 10, 0].long(), right=True)
    other = torch.searchsorted(voices.spans[:, 1], batch.other_content[:, 0, 0].long(), right=True)
    assert torch.equal(owner // 2, other // 2)
    assert (owner != other).all()
    assert torch.equal(batch.who % 3, owner // 2)
    # Each of them speaks on one note, wherever it was moved to.
    assert batch.pitch.abs().max() < 0.1
    own = 12 * math.log2(120) + 4 * (owner // 2)
    moved = batch.f0 - own
    assert torch.allclose(moved[batch.who < 3], torch.zeros(()), atol=0.1)
    assert (moved[batch.who >= 3].abs() > 0).all()


def test_texts_are_found_and_letters_stay_letters(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "a.transcription").write_text("<s> ENTER P A </s> (an1-x)\n")
    (tmp_path / "metadata.csv").write_text("file,text\nb.wav,WE CALL\nc.wav,It is\n")
    assert dict(prepare.texts_of(tmp_path)) == {
        "b.wav": "we call", "c.wav": "It is", "an1-x": "enter P A",
    }  # fmt: skip


def test_a_recording_is_described(tmp_path: Path) -> None:
    time = np.arange(2 * 16_000) / 16_000
    wave = 0.1 * sum(np.sin(2 * math.pi * 150 * k * time) / k for k in range(1, 20))
    soundfile.write(tmp_path / "a.wav", wave * (time > 0.5), 16_000)
    source = prepare.Source(tmp_path / "a.wav", "set/a", "set/", "", held_out=False)
    found = prepare.describe(source)
    assert found is not None
    bands, mel, hz = found
    assert bands == 85
    assert len(mel) == len(hz)
    assert 140 <= len(mel) <= 160  # the quiet half second is gone, but for a little
    assert np.median(hz[hz > 0]) == pytest.approx(150, rel=0.01)


def test_cepstra_have_no_mean_and_texts_become_tokens() -> None:
    rows = cepstra(people()[0].mel)
    assert rows.shape == (130, 39)
    assert rows[:, :13].mean(0).abs().max() < 1e-4
    names = ("^", ".", "j", "ˈɛ", "s")
    found = ids_of("yes", names)
    assert found is not None
    assert [names[k] for k in found.tolist()] == ["^", "j", "ˈɛ", "s", "."]


def test_the_ear_learns_what_it_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ear, "SETTINGS", EAR)
    monkeypatch.setattr(ear, "BATCH", 4)
    monkeypatch.setattr(ear, "FRAMES", 64)
    torch.manual_seed(0)
    voices = people()
    classes = 3 * (voices.mel[:, :40].float().mean(1) > 0.5).short()
    training = ear.Training(voices, classes, 6)
    losses = [training.step(0.2)["loss"] for _ in range(25)]
    assert losses[-1] < losses[0] - 0.2
    training.save(tmp_path / "ear", 3.0)
    again = ear.Training(voices, classes, 6, seed=5)
    assert again.resume(tmp_path / "ear") == 3.0
    assert again.steps == 25
    content, about = ear.load_content(tmp_path)
    assert about["steps"] == 25
    assert heard(content, voices, 1, seed=0).shape == (2, len(voices.mel), 8)


def test_the_converter_learns_and_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(train, "SETTINGS", SETTINGS)
    monkeypatch.setattr(ear, "SETTINGS", EAR)
    for name, size in {"BATCH": 6, "EXCHANGED": 2, "FRAMES": 100, "OTHERS": 40}.items():
        monkeypatch.setattr(train, name, size)
    voices = people()
    torch.manual_seed(0)
    ear.Training(voices, torch.zeros(len(voices.mel)).short(), 3).save(tmp_path / "ear", 1.0)
    content = heard(ear.load_content(tmp_path)[0], voices, 1, seed=0)
    training = train.Training(voices, content, tmp_path)
    before = {name: value.clone() for name, value in training.net.content.state_dict().items()}
    first = [training.step(0.2)["mel"] for _ in range(12)]
    assert first[-1] < first[0]
    figures = training.step(0.9) | training.step(0.9)  # the critic comes every other time
    assert {"likeness", "words", "adversarial", "critic"} <= figures.keys()
    assert all(math.isfinite(value) for value in figures.values())
    after = training.net.content.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    training.save(tmp_path, 7.0)
    again = train.Training(voices, content, tmp_path, seed=4)
    assert (again.resume(tmp_path), again.steps) == (7.0, 14)

    converter, about = load_converter(tmp_path / "weights.safetensors")
    assert isinstance(converter, Converter)
    assert isinstance(converter.content, Content)
    assert json.dumps(about["settings"]) == json.dumps(SETTINGS)

    training.step(0.3)
    training.save(tmp_path / "plain", 9.0)
    about = blend(tmp_path, tmp_path / "plain", tmp_path / "blend", share=0.25)
    assert (about["seconds"], about["seconds_plain"]) == (7, 9)
    ours, theirs, between = (
        load_file(folder / "weights.safetensors")["conditions.weight"].float()
        for folder in (tmp_path, tmp_path / "plain", tmp_path / "blend")
    )
    assert not torch.equal(ours, theirs)
    assert torch.allclose(between, ours / 4 + theirs * 3 / 4, atol=1e-3)

    wave = torch.sin(2 * math.pi * 200 * torch.arange(24_000) / 24_000) * 0.1
    mel, hz = converted(converter, wave, likeness_of(converter, wave))
    assert mel.shape == (100, 94)
    assert hz.shape == (94,)
    assert hz.median().item() == pytest.approx(200, rel=0.02)
