"""The recipe of the stems network: scores, songs, batches, losses, and a run of a few steps."""

import json
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from audiopipe.cards import read_card
from audiopipe.nets.stems import AHEAD, BINS, POINTS, StemsNet, look, pooled, spread
from training.separate import card, divide, scores, train
from training.separate.album import TABLE
from training.separate.batches import Batches
from training.separate.evaluate import evaluate, ratio, separated
from training.separate.losses import Targets, losses
from training.separate.songs import RATE, STEMS, read_song, write_song

TINY = {"channels": 4, "hidden": 8}


def tone(hertz, seconds=4.0, noise=0.0, seed=0):
    """A stereo tone, or noise, in 16 bits: [samples, 2]."""
    time = np.arange(int(seconds * RATE)) / RATE
    wave = np.sin(2 * np.pi * hertz * time)[:, None] * [0.8, 1.0] * (noise == 0)
    wave = wave + noise * np.random.default_rng(seed).normal(0, 0.3, (len(time), 2))
    return np.rint(8000 * wave).astype(np.int16)


@pytest.fixture
def data(tmp_path):
    """Two songs with all stems."""
    for number in range(2):
        parts = {
            ("vocals", "lead"): tone(700 + 50 * number),
            ("vocals", "back"): tone(900),
            ("drums", "kit"): tone(0, noise=1.0, seed=number),
            ("bass", "bass"): tone(60 + 10 * number),
            ("other", "keys"): tone(3000),
        }
        write_song(tmp_path / "songs" / str(number), parts)
    return tmp_path


def run(module, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["recipe", *map(str, arguments)])
    module.main()


# Songs


def test_a_stem_is_the_sum_of_its_parts(data):
    song = read_song(data / "songs" / "0")
    both = tone(700).astype(np.float32) + tone(900)
    np.testing.assert_allclose(song.stem("vocals", 100, 500), both[100:600] / 32768, atol=1e-6)
    assert song.samples == 4 * RATE
    assert song.stem("vocals", song.samples - 10, 50)[10:].any() == np.False_


def test_no_song_is_both_taught_and_tested():
    sets = {song: about["set"] for song, about in TABLE.items()}
    assert {song for song, kind in sets.items() if kind == "test"} == {"Francium", "Lithium"}
    assert [song for song, kind in sets.items() if kind == "validation"] == ["Sodium"]
    for about in TABLE.values():
        parts = [part for stem in STEMS for part in about[stem]]
        assert len(parts) == len(set(parts))


def test_low_end_of_a_synthesiser_becomes_bass(tmp_path):
    low, high = tone(60), tone(1000) // 4
    parts = {("other", "synth"): low + high, ("other", "bell"): high, ("vocals", "lead"): high}
    write_song(tmp_path / "album" / "song", parts)
    found = divide.divided(tmp_path / "album" / "song")
    assert set(found) == {
        ("bass", "synth"),
        ("other", "synth"),
        ("other", "bell"),
        ("vocals", "lead"),
    }
    middle = slice(RATE, 3 * RATE)
    apart = found["bass", "synth"][middle].astype(float) - low[middle]
    assert np.abs(apart).max() < 0.02 * np.abs(low).max()
    whole = found["bass", "synth"].astype(int) + found["other", "synth"]
    assert np.abs(whole - (low + high)).max() <= 1


def test_scores_are_in_time_and_differ():
    first, again, other = (scores.compose(np.random.default_rng(s), 30) for s in (1, 1, 2))
    assert first == again
    assert first != other
    for score in (first, other):
        assert set(score.roles) == {"drums", "bass", "chords", "arpeggio", "pad", "lead"}
        for notes in score.roles.values():
            assert all(0 <= begin < end for begin, end, _, _ in notes)
            assert all(0 < velocity <= 127 for _, _, _, velocity in notes)
    assert max(key for _, _, key, _ in [*first.roles["bass"], *other.roles["bass"]]) < 64


# Batches


def test_batches_are_mixes_of_the_stems_and_repeat_with_their_seed(data):
    first, again, other = (Batches(data, {"songs": 1}, 20, seed) for seed in (0, 0, 1))
    stems = first.next(3)
    assert stems.shape == (3, len(STEMS), 2, BINS, 20)
    assert stems.dtype == torch.complex64
    assert stems.isfinite().all()
    assert torch.equal(stems, again.next(3))
    assert not torch.equal(stems, other.next(3))


def test_batches_find_new_songs(data):
    batches = Batches(data, {"songs": 1}, 20, 0)
    write_song(data / "songs" / "9", {("vocals", "new"): tone(500)})
    batches.look()
    assert set(batches.songs["songs"]) == {"0", "1", "9"}


def test_a_stem_of_a_batch_is_what_it_is_called(data):
    """Bass is below 100 Hz, whatever the mix does to it."""
    batches = Batches(data, {"songs": 1}, 20, 0)
    power = torch.stack([batches.next(1)[0] for _ in range(12)]).abs().square().sum((2, 4))
    bass = power[:, STEMS.index("bass")]
    heard = bass.sum(1) > 1e-3
    assert heard.sum() > 5
    assert (bass[heard, :14].sum(1) / bass[heard].sum(1)).median() > 0.9


def test_a_limiter_keeps_the_sum(data):
    batches = Batches(data, {"songs": 1}, 20, 0)
    stems = np.random.default_rng(0).normal(0, 0.3, (4, 2, batches.samples)).astype(np.float32)
    for _ in range(8):
        limited = batches.mastered(stems)
        gain = limited.sum(0) / stems.sum(0)
        np.testing.assert_allclose(limited, stems * gain, atol=1e-3)
        assert gain.max() < 1.01


# Losses


def spectra(seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.view_as_complex(torch.randn(2, 4, 2, BINS, 6, 2, generator=draw))


def test_the_error_from_sums_is_that_of_the_spectra():
    stems = spectra()
    stems[..., 736:, :] = stems[..., 736:737, :]
    targets = Targets(stems)
    masks = torch.rand(4, 2, 6, 2, POINTS)
    wrong = spread(masks) * stems.sum(1, keepdim=True) - stems
    power = pooled(wrong.abs().square().permute(1, 0, 4, 2, 3))
    sums = targets.stems + masks * (masks * targets.mix - 2 * targets.shared)
    torch.testing.assert_close(sums, power, atol=1e-2, rtol=1e-3)
    assert torch.equal(targets.views, look(stems.sum(1)))


def test_better_masks_lose_less():
    stems = spectra()
    stems[:, 0] *= 5
    targets = Targets(stems)
    even = torch.full((4, 2, 6, 2, POINTS), 0.25)
    right = targets.stems / targets.stems.sum(0)
    for better, worse in zip(losses(right, targets), losses(even, targets), strict=True):
        assert better < worse
    assert losses(even, targets)[0].isfinite()


def test_a_stem_that_is_not_there_must_be_silent():
    stems = spectra()
    stems[:, 0] = 0
    targets = Targets(stems)
    masks = torch.full((4, 2, 6, 2, POINTS), 1 / 3)
    masks[0] = 0
    leaking = torch.full((4, 2, 6, 2, POINTS), 0.25)
    assert losses(masks, targets)[1] < losses(leaking, targets)[1] - 2


# Evaluation


class Even(StemsNet):
    """Gives each stem a quarter."""

    def forward(self, spectra, state=None):
        before = spectra.new_zeros(*spectra.shape[:-1], AHEAD) if state is None else state[0]
        heard = torch.cat([before, spectra], -1)
        frames = spectra.shape[-1]
        stems = heard[:, None, ..., :frames].expand(-1, 4, -1, -1, -1) / 4
        return stems, (heard[..., frames:],)


@pytest.mark.parametrize("samples", [10_000, 44_100, 600_001])
def test_separated_stems_lie_where_they_were(samples):
    mix = torch.randn(2, samples, generator=torch.Generator().manual_seed(0))
    stems = separated(Even(**TINY), mix)
    assert stems.shape == (4, 2, samples)
    torch.testing.assert_close(stems[1], mix / 4, atol=1e-5, rtol=1e-4)


def test_ratio_is_the_plain_one():
    true = torch.ones(2, 100)
    assert ratio(true, 1.1 * true) == pytest.approx(20, abs=0.01)


def test_evaluation_leaves_out_stems_that_do_not_sound(tmp_path):
    write_song(tmp_path / "song", {("bass", "b"): tone(60, 31), ("other", "o"): tone(900, 31)})
    found = evaluate(Even(**TINY), [read_song(tmp_path / "song")])
    assert set(found) == {"bass", "bass-mix", "other", "other-mix"}
    assert len(found["bass"]) == 1


# A run


def test_a_run_learns_goes_on_and_gets_a_card(data, tmp_path, monkeypatch):
    monkeypatch.setattr(train, "SETTINGS", TINY)
    monkeypatch.setattr(train, "FRAMES", 12 + AHEAD)
    monkeypatch.setattr(train, "BATCH", 2)
    out = tmp_path / "run"
    torch.manual_seed(0)
    run(train, monkeypatch, "songs=1", "--data", data, "--out", out, "--minutes", 0.01)
    facts = json.loads((out / "last.json").read_text())
    assert facts["step"] >= 2
    run(train, monkeypatch, "songs=1", "--data", data, "--out", out, "--minutes", 0.02)
    assert json.loads((out / "last.json").read_text())["step"] > facts["step"]
    run(card, monkeypatch, out, "--to", tmp_path / "mine", "--sharpness", 0.5)
    told = read_card(tmp_path / "mine")
    assert (told.task, told.network, told.labels) == ("separate", "stems-net", STEMS)
    weights = load_file(tmp_path / "mine" / "weights.safetensors")
    assert all(weight.dtype == torch.float16 for weight in weights.values())
    StemsNet(**told.settings).load_state_dict(weights)
    trained = load_file(out / "last.safetensors")
    torch.testing.assert_close(weights["leave.0.weight"], trained["leave.0.weight"].half() / 2)
    torch.testing.assert_close(weights["last.weight"], trained["last.weight"].half())


def test_learning_lowers_the_loss(data):
    torch.manual_seed(0)
    stems = Batches(data, {"songs": 1}, 12 + AHEAD, 0).next(2)
    learner = train.Run.__new__(train.Run)
    learner.net, learner.average = StemsNet(**TINY), StemsNet(**TINY)
    learner.optimiser = torch.optim.AdamW(learner.net.parameters())
    learner.step = 0
    found = [learner.learn(stems, 1e-2) for _ in range(12)]
    assert found[-1][1] < found[0][1] - 0.5
    assert found[-1][0] < found[0][0]
