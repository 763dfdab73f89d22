"""The recipe of the keyword network: clips, augmentation, and a run of a few steps."""

import json
import sys

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file

from audiopipe.cards import read_card
from audiopipe.nets.keywords import KeywordNet
from audiopipe.recognizers import keyword_net
from training.keywords import __main__ as recipe
from training.keywords import augment, card, prepare, train
from training.keywords.batches import Batches, Source
from training.keywords.clips import LABELS, RATE, UNKNOWN, WORDS, extent, find_clips, split_of
from training.keywords.evaluate import evaluate, validation


@pytest.fixture
def random():
    return torch.Generator().manual_seed(0)


def write(path, samples):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, RATE)


@pytest.fixture
def folder(tmp_path):
    """Each word is a tone of its own; two speakers, one of them held out."""
    generator = np.random.default_rng(0)
    time = np.arange(RATE // 2) / RATE
    for number, word in enumerate((*WORDS, "cat")):
        sound = 0.3 * np.sin(2 * np.pi * (200 + 150 * number) * time)
        for split in ("train", "val"):
            for take in range(2):
                path = tmp_path / split / word / f"speaker{split}_nohash_{take}.wav"
                write(path, np.pad(sound, 2000) + 1e-3 * generator.standard_normal(12000))
    write(tmp_path / "train" / "_noise_" / "hiss.wav", 0.1 * generator.standard_normal(5 * RATE))
    write(tmp_path / "train" / "_speech_" / "a.wav", 0.1 * generator.standard_normal(5 * RATE))
    write(tmp_path / "train" / "_speech_" / "b.wav", 0.1 * generator.standard_normal(5 * RATE))
    lines = "file,text\na.wav,A quiet evening.\nb.wav,Turn right!\n"
    (tmp_path / "train" / "_speech_" / "metadata.csv").write_text(lines)
    return tmp_path


def test_clips_know_word_speaker_and_split(folder):
    clips = {clip.path.name: clip for clip in find_clips(folder / "val" / "seven")}
    assert {(c.word, c.speaker) for c in clips.values()} == {("seven", "speakerval")}
    found = list(find_clips(folder))
    assert {c.split for c in found if c.path.parts[-3] == "val"} == {"val"}
    assert {c.label for c in found if c.word == "cat"} == {UNKNOWN}


def test_speech_that_holds_a_word_is_left_out(folder):
    names = {clip.path.name for clip in find_clips(folder) if clip.word == "_speech_"}
    assert names == {"a.wav"}


@pytest.mark.parametrize(
    ("speaker", "split"),
    [("00000002", "test"), ("439c84f4", "val"), ("2f813234", "train")],
)
def test_splits_are_those_of_speech_commands(speaker, split):
    assert split_of(speaker) == split


def test_only_speech_commands_has_a_test_split():
    names = [f"am{number:02}" for number in range(200)]
    assert {split_of(name) for name in names} == {"train", "val"}


def test_the_extent_of_a_word_is_found():
    word = np.zeros(RATE, np.float32)
    word[5000:9000] = 0.5 * np.sin(np.arange(4000) / 5)
    word += 0.001 * np.random.default_rng(0).standard_normal(RATE).astype("f4")
    start, stop = extent(word)
    assert 5000 - 800 <= start <= 5000
    assert 9000 <= stop <= 9000 + 800


def test_a_placed_word_is_whole(random):
    clips = torch.zeros(64, 20800)
    clips[:, 4000:10000] = 1
    start, stop = torch.full((64,), 4000.0), torch.full((64,), 10000.0)
    placed = augment.place(clips, start, stop, torch.ones(64), 0.0, random)
    assert placed.shape == (64, RATE)
    assert (placed.sum(1) - 6000).abs().max() <= 2
    first = placed.argmax(1)
    assert int(first.min()) < 1500
    assert int(first.max()) > 8500  # all over the second


def test_a_faster_word_is_shorter(random):
    clips = torch.zeros(1, 20800)
    clips[:, 4000:10000] = 1
    placed = augment.place(
        clips, torch.tensor([4000.0]), torch.tensor([10000.0]), torch.tensor([1.25]), 0.0, random
    )
    assert float(placed.sum()) == pytest.approx(6000 / 1.25, abs=3)


def test_noise_has_the_level_that_is_asked_for(random):
    clips = torch.randn(3, RATE, generator=random)
    noise = torch.randn(3, RATE, generator=random) * 7
    snr = torch.tensor([0.0, 10.0, 20.0])
    added = augment.add_noise(clips, noise, snr) - clips
    level = added.square().mean(1).sqrt() / augment.active_level(clips)[:, 0]
    assert torch.allclose(-20 * level.log10(), snr, atol=0.05)


def test_a_microphone_limits_the_band(random):
    responses = augment.microphones(400, random)
    bins = torch.linspace(0, 8000, responses.shape[1])
    low = responses[:, (bins > 500) & (bins < 2000)].mean(1)
    high = responses[:, bins > 7600].mean(1)
    limited = (high / low < 10 ** (-20 / 20)).float().mean()
    assert 0.2 < float(limited) < 0.8


def test_rooms_ring_as_long_as_they_should(random):
    spectra = augment.rooms(100, random)
    assert spectra.shape == (100, augment.SIZE // 2 + 1)
    response = torch.fft.irfft(spectra, n=augment.SIZE)
    assert float(response[:, 0].min()) > 0.3
    late = response[:, 4800:6400].square().sum(1) / response[:, 1:].square().sum(1)
    assert float(late.median()) < 0.05


def run(module, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", [module.__name__, *map(str, arguments)])
    module.main()


@pytest.mark.slow
def test_from_recordings_to_a_card(folder, tmp_path, monkeypatch):
    data, out, to = tmp_path / "data", tmp_path / "run", tmp_path / "words"
    run(prepare, monkeypatch, f"shared={folder}", "--to", data)
    options = ("--data", data, "--out", out, "--minutes", 0.1)
    threads = torch.get_num_threads()
    try:
        run(train, monkeypatch, "shared=1", *options)
    finally:
        torch.set_num_threads(threads)
    steps = json.loads((out / "last.json").read_text())["step"]
    assert steps >= 2
    run(train, monkeypatch, "shared=1", *options[:-1], 0.12)
    assert json.loads((out / "last.json").read_text())["step"] > steps  # it went on
    run(card, monkeypatch, out, "--to", to)
    made = read_card(to)
    assert made.labels == LABELS
    assert made.settings["channels"] == 96
    assert [each.licence for each in made.data] == ["CC BY 4.0"]
    trained, shipped = (
        load_file(f)["head.bias"] for f in (out / "last.safetensors", to / made.files[0].name)
    )
    lowered = trained - shipped
    assert float(lowered[LABELS.index(UNKNOWN)]) == pytest.approx(card.DOUBT, abs=1e-6)
    assert int((lowered != 0).sum()) == 1


def test_batches_are_the_same_for_the_same_seed(folder, tmp_path, monkeypatch):
    run(prepare, monkeypatch, f"shared={folder}", "--to", tmp_path / "data")
    source = Source.load(tmp_path / "data" / "shared.npz", 1.0)

    def batch():
        return Batches([source], torch.Generator().manual_seed(5)).next(32)

    (spectra, targets), (again, targets_again) = batch(), batch()
    assert spectra.shape == (32, 40, 100)
    assert spectra.isfinite().all()
    assert torch.allclose(targets.sum(1), torch.ones(32))
    assert torch.equal(spectra, again)
    assert torch.equal(targets, targets_again)


def test_held_out_speakers_are_counted_by_group(folder, tmp_path, monkeypatch):
    run(prepare, monkeypatch, f"shared={folder}", "--to", tmp_path / "data")
    held_out = validation([Source.load(tmp_path / "data" / "shared.npz", 1.0)])
    figures = evaluate(KeywordNet(len(LABELS)), held_out)
    assert figures.count == {"digits": 20, "commands": 16, "unknown": 2}
    assert int(figures.confusion.sum()) == 38


def test_narrow_recordings_have_nothing_above(random):
    levels = torch.full((400, 40, 3), 50.0)
    narrow = augment.narrow(levels, random)
    dead = (narrow == 0).all(2)
    assert 0.1 < float(dead.any(1).float().mean()) < 0.26
    assert not dead[:, :25].any()  # below 3 kHz everything stays
    assert dead[dead.any(1)][:, -1].all()


def test_what_was_taken_for_a_word_comes_again(folder, tmp_path, monkeypatch):
    run(prepare, monkeypatch, f"shared={folder}", "--to", tmp_path / "data")
    source = Source.load(tmp_path / "data" / "shared.npz", 1.0)
    batches = Batches([source], torch.Generator().manual_seed(5))
    batches.next(64)
    batches.remember(torch.ones(64, dtype=torch.bool))
    remembered = len(batches.hard)
    assert 0 < remembered < 40  # the unknown ones, and no words
    again = {clip.tobytes() for clip, _, _ in batches.hard}
    batches.speech.clear()
    seen = set()
    for _ in range(3):
        batches.next(64)
        seen |= {clip.tobytes() for clip in batches.drawn[0]}
    assert again & seen


@pytest.mark.slow
def test_one_command_makes_a_model(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")  # without synthesisers
    monkeypatch.setattr(recipe.importlib.util, "find_spec", lambda name: None)
    to, work = tmp_path / "words", tmp_path / "work"
    run(recipe, monkeypatch, folder, "--to", to, "--work", work, "--minutes", 0.05)
    made = read_card(to)
    assert [file.name for file in made.files] == ["weights.safetensors", "others.safetensors"]
    assert keyword_net(str(to)).head.out_features == len(LABELS)
