"""The recipe of the pitch network: sets, batches, voices, and a run of a few steps."""

import json
import sys

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file

from audiopipe.cards import read_card
from audiopipe.evidence import HOP, SIZE
from audiopipe.nets.pitch import AHEAD, BEHIND, CONTEXT, PitchNet
from audiopipe.pitch_models import pitch_net
from training.pitch import __main__ as recipe
from training.pitch import batches, card, evaluate, train
from training.pitch import tones as tones_recipe
from training.pitch.batches import ALL, FRAMES, Background, Batches, Source
from training.pitch.sets import RATE, About, SetError, read_set, write_set


def about(name="set", category="tones"):
    return About(name, category, "CC0-1.0", "this test", "made")


def glide(low, high, seconds=3.0, harmonics=8):
    """Sound and its f0 every 10 ms; a rest in the middle."""
    hz = low * (high / low) ** (np.arange(int(seconds * RATE)) / (seconds * RATE))
    phase = 2 * np.pi * np.cumsum(hz) / RATE
    parts = (np.sin(h * phase + h * h) / h for h in range(1, harmonics) if h * high < 7500)
    wave = 0.2 * np.sum(list(parts), axis=0)
    rest = slice(int(0.4 * len(hz)), int(0.6 * len(hz)))
    wave[rest] = 0
    hz[rest] = 0
    return wave, hz[::HOP]


@pytest.fixture
def data(tmp_path):
    """A set of glides, and a folder of noise."""
    write_set(tmp_path / "glides", [glide(100 * k, 160 * k) for k in range(1, 7)], about("glides"))
    noise = 0.1 * np.random.default_rng(0).standard_normal(10 * RATE)
    (tmp_path / "noises").mkdir()
    soundfile.write(tmp_path / "noises" / "hiss.wav", noise, RATE)
    return tmp_path


def made(folder, weight=1.0):
    source = Source(read_set(folder / "glides"), weight)
    return Batches([source], Background.load([folder / "noises"]), seed=0)


def run(module, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["recipe", *map(str, arguments)])
    module.main()


# Sets


def test_a_set_is_read_as_it_was_written(tmp_path):
    wave, f0 = glide(200, 400, seconds=1.003)
    seconds = write_set(tmp_path / "one", [(wave, f0), (2 * wave, -f0)], about())
    found = read_set(tmp_path / "one")
    assert len(found) == 2
    assert seconds == pytest.approx(2 * 1.01)
    sound, pitch = found.clip(1)
    assert np.array_equal(pitch, -f0.astype("f4"))
    assert np.abs(sound[: len(wave)] / 32767 - 2 * wave).max() < 1e-4
    assert not sound[len(wave) :].any()


@pytest.mark.parametrize(
    ("clips", "says"),
    [([], "no clips"), ([(np.zeros(1600), np.zeros(9))], "9 values of f0 for 10 frames")],
)
def test_what_makes_no_set_is_said(tmp_path, clips, says):
    with pytest.raises(SetError, match=says):
        write_set(tmp_path / "none", clips, about())
    assert not list(tmp_path.iterdir())


# Batches


def test_truth_stays_with_the_sound(data):
    source = Source(read_set(data / "glides"), 1.0)
    random = np.random.default_rng(1)
    for _ in range(5):
        sound, f0 = source.crop(random)
        assert len(f0) == ALL
        for k in np.flatnonzero(f0 > 0)[10:-10:40]:
            near = sound[batches.BEFORE + k * HOP - 400 : batches.BEFORE + k * HOP + 400]
            if np.abs(near).min() == 0 and (near == 0).mean() > 0.2:
                continue  # at the edge of a rest
            spectrum = np.abs(np.fft.rfft(near * np.hanning(800), 1 << 15))
            at = np.argmax(spectrum[: int(1.4 * f0[k] * (1 << 15) / RATE)]) * RATE / (1 << 15)
            assert abs(1200 * np.log2(at / f0[k])) < 25


def test_speech_changes_its_tempo_and_its_pitch_with_it(tmp_path):
    write_set(tmp_path / "voice", [glide(200, 200, 8.0)], about("voice", "speech"))
    source, random = Source(read_set(tmp_path / "voice"), 1.0), np.random.default_rng(0)
    found = {round(float(source.crop(random)[1].max()), 1) for _ in range(20)}
    assert 200.0 in found
    assert len(found) > 3


def test_batches_are_the_same_for_the_same_seed(data):
    first, second = made(data).next(3), made(data).next(3)
    assert first[0].shape == (3, CONTEXT + FRAMES + AHEAD, SIZE)
    assert first[1].shape == (3, BEHIND - CONTEXT)
    assert first[2].shape == (3, FRAMES)
    for ours, theirs in zip(first, second, strict=True):
        assert torch.equal(ours.nan_to_num(-1), theirs.nan_to_num(-1))
    assert all(torch.isfinite(heard).all() for heard in first[:2])


def test_a_pause_is_silent_and_has_no_pitch():
    sound, f0 = np.ones(batches.LENGTH, np.float32), np.full(ALL, 200.0)
    random = np.random.default_rng(3)
    for _ in range(20):
        made, pitch = batches.paused(sound, f0, random)
        silent = np.flatnonzero(pitch == 0)
        assert len(silent) >= 9
        assert (np.diff(silent) == 1).all()
        first, last = (batches.BEFORE + k * HOP for k in (silent[0], silent[-1]))
        assert made[first : last + 1].max() == 0
        edges = np.flatnonzero(np.isnan(pitch))
        assert set(edges) <= set(range(silent[0] - 3, silent[-1] + 4))
        assert ((pitch == 200) | (pitch == 0) | np.isnan(pitch)).all()


def test_what_leaks_is_soft_and_changes_no_truth(data, monkeypatch):
    monkeypatch.setattr(batches, "BLEEDS", 1.0)
    bleed = made(data)._bleed(np.ones(batches.LENGTH, np.float32))
    level = 10 * np.log10(np.square(bleed).mean())
    assert -58.1 < level < -29.9


def test_of_what_a_microphone_takes_away_nothing_is_asked(monkeypatch):
    time = np.arange(batches.LENGTH) / RATE
    first = 2 * len(time) // 3
    wave = np.where(
        np.arange(len(time)) < first, *(np.sin(2 * np.pi * f * time) for f in (3e3, 1e2))
    )
    clips = torch.from_numpy(np.stack([wave] * 8)).float()
    f0 = torch.where(torch.arange(ALL) < first // HOP, 3000.0, 100.0).expand(8, ALL)

    def deaf(count, random, size):
        return (torch.linspace(0, 8000, size // 2 + 1) > 1000).float().expand(count, -1)

    monkeypatch.setattr(batches, "microphones", deaf)
    random = torch.Generator().manual_seed(1)
    noises = torch.randn(8, batches.LENGTH, generator=random), torch.full((8,), 30.0)
    _, truth = batches.spoiled(clips, f0, noises, random)
    lost = truth.isnan()
    assert not lost[:, : first // HOP - 10].any()
    everything = lost[:, first // HOP + 5 :].all(1)
    assert everything.any()
    assert not everything.all()


# Training


def test_losses_are_least_for_the_truth():
    f0 = torch.tensor([[0.0, 220.0, -440.0, torch.nan]])
    place = train.OCTAVE * torch.log2(torch.tensor([1.0, 220, 440, 1]) / train.LOWEST)
    bins = torch.arange(train.PITCHES)
    right = -0.5 * ((bins - place[:, None]) / train.WIDTH).square()[None]
    sure = torch.tensor([[-9.0, 9.0, -9.0, 9.0]])  # of the last two nothing is asked
    best = train.losses(right, sure, f0)
    for logits, voicing in ((right.roll(1, 2), sure), (right, -sure), (0 * right, 0 * sure)):
        worse = train.losses(logits, voicing, f0)
        assert sum(worse) > sum(best) + 0.1
    assert best[1] < 1e-3
    assert best[2] < 1e-3


def test_figures_are_those_of_mirex():
    f0 = np.array([0, 0, 100, 100, 100, 100, np.nan, -100])
    hz = np.array([50, 50, 100, 102, 200, 100, 1, 1.0])
    voiced = np.array([0, 1, 1, 1, 1, 0, 1, 1], bool)
    found = evaluate.figures(f0, hz, voiced)
    assert found.overall == 3 / 6
    assert found.pitch == 3 / 4
    assert found.recall == 3 / 4
    assert found.alarm == 1 / 2
    assert found.cents == pytest.approx(600 * np.log2(1.02), abs=0.01)  # the median of 0 and 34


def test_from_a_set_to_a_card(data, tmp_path, monkeypatch):
    out, to = tmp_path / "run", tmp_path / "my-pitch"
    monkeypatch.setattr(train, "BATCH", 2)
    given = ["glides=1", "--data", data, "--out", out, "--backgrounds", data / "noises"]
    given += ["--held-out", "glides", "--every", 0.02]
    run(train, monkeypatch, *given, "--minutes", 0.03)
    first = json.loads((out / "last.json").read_text())
    run(train, monkeypatch, *given, "--minutes", 0.06)
    second = json.loads((out / "last.json").read_text())
    assert second["step"] > first["step"] > 0
    figures = tmp_path / "figures.json"
    figures.write_text('{"speech, clean": 91.5}')
    run(card, monkeypatch, out, "--to", to, "--figures", figures)
    found = read_card(to)
    assert (found.task, found.network, found.rate) == ("pitch", "pitch-net", 16000)
    assert found.figures["speech, clean"] == 91.5
    assert found.figures["parameters"] == sum(p.numel() for p in PitchNet().parameters())
    net = pitch_net(str(to))
    weights = load_file(out / "last.safetensors")
    assert all(torch.equal(weight, weights[name]) for name, weight in net.state_dict().items())


# What the sets are made of


def test_tones_are_the_same_for_the_same_seed(tmp_path, monkeypatch):
    for name in ("a", "b"):
        run(tones_recipe, monkeypatch, tmp_path / name, "--seconds", 8, "--seed", 3)
    first, second = read_set(tmp_path / "a"), read_set(tmp_path / "b")
    assert np.array_equal(first.sound, second.sound)
    assert np.array_equal(first.f0, second.f0, equal_nan=True)
    assert (first.f0 > 0).mean() > 0.3


@pytest.fixture
def speech(tmp_path):
    """Something like a voice, long enough for the recipe."""
    pytest.importorskip("pyworld", reason="pip install 'audiopipe[train]'")
    time = np.arange(3 * RATE) / RATE
    hz = 150 * 2 ** (0.3 * np.sin(2 * np.pi * 0.7 * time))
    phase = 2 * np.pi * np.cumsum(hz) / RATE
    wave = sum(np.sin(h * phase) / h for h in range(1, 30))
    wave = 0.1 * wave * (np.sin(2 * np.pi * 1.3 * time) > -0.6)
    (tmp_path / "speech").mkdir()
    for number in range(40):
        soundfile.write(tmp_path / "speech" / f"s{number}_1.wav", wave, RATE)
    return tmp_path / "speech"


@pytest.mark.slow
@pytest.mark.parametrize("singing", [[], ["--sung"]], ids=["spoken", "sung"])
def test_voices_have_the_pitch_that_they_were_given(speech, tmp_path, monkeypatch, singing):
    from training.pitch import voices

    run(voices, monkeypatch, speech, "--to", tmp_path / "made", "--seconds", 20, *singing)
    found = read_set(tmp_path / "made")
    net, tables = pitch_net("pitch"), evaluate.Tables.usual()
    truth, hz = [], []
    for sound, f0 in found:
        pitch, _ = evaluate.tracked(net, torch.from_numpy(sound / np.float32(32767)), tables)
        truth.append(f0)
        hz.append(pitch.numpy()[: len(f0)])
    truth, hz = np.concatenate(truth), np.concatenate(hz)
    voiced = truth > 0
    assert voiced.mean() > 0.4
    cents = 1200 * np.abs(np.log2(hz[voiced] / truth[voiced]))
    assert np.mean(cents < 50) > 0.9
    # At no other time does it fit better: sound and truth begin together.
    shifted = (np.roll(hz, k)[voiced] for k in (-2, -1, 0, 1, 2))
    errors = [np.median(np.abs(np.log2(found / truth[voiced]))) for found in shifted]
    assert np.argmin(errors) == 2


def test_held_out_speakers_are_in_no_other_set(speech):
    from training.pitch.voices import recordings, speaker

    held, others = ({speaker(p) for p in recordings([speech], h, 0)} for h in (True, False))
    assert held
    assert others
    assert not held & others


# The one command


def test_one_command_makes_what_is_not_there_and_trains_on_it(tmp_path, monkeypatch):
    work, steps = tmp_path / "work", []

    def step(name, *words):
        steps.append((str(name), [str(word) for word in words]))

    monkeypatch.setattr(recipe, "run", step)
    monkeypatch.setattr(recipe.shutil, "which", lambda program: f"/bin/{program}")
    write_set(work / "data" / "tones", [glide(200, 300)], about("tones"))
    given = ["speech", "--to", tmp_path / "mine", "--work", work, "--backgrounds", "noises"]
    run(recipe, monkeypatch, *given, "--notes", "notes", "--noises", "rain")
    made = [name for name, _ in steps]
    assert made[-2:] == ["train", "card"]
    assert made.count("tones") == 1  # the held-out ones: the others are there
    assert {"plain", "voices", "agreed", "instruments", "notes", "codecs"} <= set(made)
    _, words = steps[-2]
    sources = {word.partition("=")[0] for word in words if "=" in word and word[0] != "-"}
    outputs = {word for _, words in steps[:-2] for word in words}
    assert "tones" in sources
    for name in sources - {"tones"}:
        assert str(work / "data" / name) in outputs, name
    assert "speech-val" in words[words.index("--held-out") :]
    assert "speech-val" not in sources
