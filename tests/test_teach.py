"""A taught model: what it can do, what it says of itself, and how it is written."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from teaching import HERTZ, make_base, make_examples, put, tone

import audiopipe
from audiopipe.cards import read_card
from audiopipe.errors import ModelError, OutputError
from audiopipe.models import load_weights
from audiopipe.recognizers import keyword_net
from audiopipe.stages.keywords import log_mel
from audiopipe.teaching.base import Base


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return make_base(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture(scope="module")
def taught(base, tmp_path_factory):
    """Three labels of six recordings and a room, taught once."""
    folder = tmp_path_factory.mktemp("taught")
    make_examples(folder / "clips", ("low", "middle", "high"), 6, background=True)
    return audiopipe.teach(folder / "clips", folder / "my-words", base=base)


def guess(model, samples):
    second = torch.tensor(np.pad(samples[:, 0], (4800, 4800)), dtype=torch.float32)[None]
    scores = keyword_net(str(model))(log_mel(second)).softmax(1)[0]
    return read_card(model).labels[int(scores.argmax())]


def test_sounds_that_it_was_not_taught_with_are_told_apart(taught):
    for label, hz in HERTZ.items():
        assert [guess(taught.folder, tone(hz, 1000 + k)) for k in range(3)] == [label] * 3
    noise = 0.01 * np.random.default_rng(9).standard_normal((6400, 1))
    assert guess(taught.folder, noise) == "_background_"


def test_the_figures(taught):
    assert taught.labels == ("high", "low", "middle", "_background_")
    assert taught.clips == {"low": 6, "middle": 6, "high": 6, "_background_": 12}
    assert taught.accuracy >= 16 / 18
    assert taught.interval.low < taught.accuracy <= taught.interval.high
    assert taught.confusion.counts[:3].sum() == 18
    assert taught.confusion.total > 18 + 12
    assert set(taught.recall) == set(taught.precision) == {"low", "middle", "high"}
    assert 0.3 <= taught.threshold <= 0.95
    assert taught.false["_background_"] < 0.1
    assert not taught.by_speaker
    assert taught.seconds > 0


def test_only_the_last_layer_is_new(base, taught):
    old = load_weights(f"{base}/weights.safetensors")
    new = load_weights(taught.folder / "weights.safetensors")
    assert old.keys() == new.keys()
    changed = {name for name in old if not torch.equal(old[name], new[name])}
    assert changed == {"head.weight", "head.bias"}
    assert new["head.weight"].shape == (4, 48)


def test_the_card_tells_where_all_of_it_comes_from(base, taught):
    card = read_card(taught.folder)
    assert (card.name, card.task, card.network, card.rate) == (
        "my-words", "keywords", "keyword-net", 16000,
    )  # fmt: skip
    assert card.labels == taught.labels
    assert card.settings == {
        "bands": 40, "channels": 24, "blocks": 1, "kernel": 5, "threshold": taught.threshold,
    }  # fmt: skip
    assert [(d.name, d.licence) for d in card.data] == [
        ("own recordings", "LicenseRef-own-recordings"), ("Speech Commands", "CC-BY-4.0"),
    ]  # fmt: skip
    assert card.licence == Base.load(base).card.licence
    assert "base" in card.recipe
    assert card.figures["recordings of low"] == 6
    assert card.figures["seconds of _background_"] == 12
    assert card.figures["accuracy"].endswith("of 18")


def test_it_works_in_the_stage(taught):
    sounds = [np.zeros((8000, 1)), tone(300, 2000), np.zeros((12000, 1)), tone(3000, 2001)]
    wave = np.concatenate([*sounds, np.zeros((16000, 1))])[:, 0]
    noise = 0.001 * np.random.default_rng(0).standard_normal(len(wave))
    text = f"""
audiopipe: 1
stages:
  - {{use: keywords, model: "{taught.folder}"}}
outputs: {{words.csv: keywords}}
"""
    heard = audiopipe.parse(text).run(audiopipe.Audio(wave + noise, 16000))["words.csv"]
    assert [event.label for event in heard] == ["low", "high"]


def test_the_same_examples_give_the_same_model(base, tmp_path):
    clips = make_examples(tmp_path / "clips")
    for name in ("a", "b"):
        audiopipe.teach(clips, tmp_path / name, base=base)
    first, second = ((tmp_path / name / "weights.safetensors").read_bytes() for name in ("a", "b"))
    assert first == second


def test_one_label_without_background_is_a_wake_word(base, tmp_path):
    taught = audiopipe.teach(
        make_examples(tmp_path / "clips", ("high",)), tmp_path / "wake", base=base
    )
    assert taught.labels == ("high", "_background_")
    assert any("there is no _background_" in warning for warning in taught.warnings)
    assert any("brings no sounds of others" in warning for warning in taught.warnings)
    assert guess(tmp_path / "wake", tone(3000, 77)) == "high"
    assert guess(tmp_path / "wake", 0.01 * np.random.default_rng(3).standard_normal((6400, 1))) == (
        "_background_"
    )


def features(base, hz, count):
    seconds = np.stack([np.pad(tone(hz, 500 + k)[:, 0], (4800, 4800)) for k in range(count)])
    return Base.load(base).hear(torch.tensor(seconds, dtype=torch.float32))


def test_other_sounds_of_the_base_are_told_from_labels(base, tmp_path):
    """`middle` lies between the labels; only who knows it does not take it for one of them."""
    clips = make_examples(tmp_path / "clips", background=True)
    others = {f"word {k}": features(base, 1000 + 20 * k, 2) for k in range(12)}
    knowing = make_base(tmp_path / "knowing", others | {"_noise_": features(base, 60, 4)})
    taught = audiopipe.teach(clips, tmp_path / "with", base=knowing)
    assert taught.labels == ("high", "low", "_background_", "_unknown_")
    assert guess(tmp_path / "with", tone(1000, 4)) == "_unknown_"
    assert taught.false["_unknown_"] < 0.2
    audiopipe.teach(clips, tmp_path / "without", base=base)
    assert guess(tmp_path / "without", tone(1000, 4)) != "_unknown_"


def test_a_word_that_is_taught_is_none_of_the_others(base, tmp_path):
    others = {"High": features(base, 3000, 12)}
    others |= {f"word {k}": features(base, 1000, 1) for k in range(5)}
    knowing = make_base(tmp_path / "knowing", others)
    clips = make_examples(tmp_path / "clips", background=True)
    taught = audiopipe.teach(clips, tmp_path / "model", base=knowing)
    assert taught.confusion.counts[taught.labels.index("_unknown_")].sum() == 5


def test_all_of_the_others_may_be_taught(base, tmp_path):
    knowing = make_base(tmp_path / "knowing", {"high": features(base, 3000, 5)})
    taught = audiopipe.teach(make_examples(tmp_path / "clips"), tmp_path / "model", base=knowing)
    assert taught.labels == ("high", "low", "_background_")


def test_others_that_do_not_fit_are_refused(tmp_path):
    wrong = make_base(tmp_path / "wrong", {"word": torch.zeros(3, 7)})
    with pytest.raises(ModelError, match="do not fit its weights"):
        Base.load(wrong)


class TestPlaces:
    """Where a model may be written."""

    def test_a_model_that_is_there_is_kept(self, base, tmp_path):
        clips = make_examples(tmp_path / "clips")
        audiopipe.teach(clips, tmp_path / "model", base=base)
        before = (tmp_path / "model/card.toml").read_bytes()
        with pytest.raises(OutputError, match="is there already; use --force"):
            audiopipe.teach(clips, tmp_path / "model", base=base)
        assert (tmp_path / "model/card.toml").read_bytes() == before

    def test_or_replaced(self, base, tmp_path):
        audiopipe.teach(make_examples(tmp_path / "a"), tmp_path / "model", base=base)
        audiopipe.teach(
            make_examples(tmp_path / "b", ("high",)), tmp_path / "model", base=base, overwrite=True
        )
        assert read_card(tmp_path / "model").labels == ("high", "_background_")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "model"]

    def test_what_is_no_model_is_never_replaced(self, base, tmp_path):
        clips = make_examples(tmp_path / "clips")
        with pytest.raises(OutputError, match="is no model"):
            audiopipe.teach(clips, clips, base=base, overwrite=True)
        assert len(list(clips.rglob("*.wav"))) == 10

    def test_what_lies_beside_a_model_is_not_lost(self, base, tmp_path):
        clips = make_examples(tmp_path / "clips")
        audiopipe.teach(clips, tmp_path / "model", base=base)
        (tmp_path / "model/notes.txt").write_text("mine")
        with pytest.raises(OutputError, match="holds more than a model"):
            audiopipe.teach(clips, tmp_path / "model", base=base, overwrite=True)
        assert (tmp_path / "model/notes.txt").read_text() == "mine"

    def test_it_is_found_before_the_work(self, tmp_path):
        with pytest.raises(OutputError, match="create it first"):
            audiopipe.teach("no-clips", tmp_path / "no/where", base="no-base")
        with pytest.raises(ValueError, match="a licence must have a name"):
            audiopipe.teach("no-clips", tmp_path / "model", base="no-base", licence="")

    @pytest.mark.parametrize("name", ["x" * 300, "x" * 250])
    def test_so_is_a_name_that_is_too_long(self, tmp_path, name):
        with pytest.raises(OutputError, match="name is too long"):
            audiopipe.teach("no-clips", tmp_path / name, base="no-base")

    def test_and_a_place_where_nothing_can_be_made(self, tmp_path):
        with pytest.raises(OutputError, match="/proc/model: "):
            audiopipe.teach("no-clips", "/proc/model", base="no-base")

    def test_a_fault_while_writing_leaves_nothing(self, base, tmp_path, monkeypatch):
        clips = make_examples(tmp_path / "clips")
        audiopipe.teach(clips, tmp_path / "model", base=base)
        before = (tmp_path / "model/card.toml").read_bytes()

        def full(path, content):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("pathlib.Path.write_bytes", full)
        with pytest.raises(OutputError, match="disk is full"):
            audiopipe.teach(clips, tmp_path / "model", base=base, overwrite=True)
        assert (tmp_path / "model/card.toml").read_bytes() == before
        assert sorted(path.name for path in tmp_path.iterdir()) == ["clips", "model"]


def test_progress_is_told(base, tmp_path):
    told = []
    audiopipe.teach(
        make_examples(tmp_path / "clips"), tmp_path / "model", base=base,
        progress=lambda *so_far: told.append(so_far),
    )  # fmt: skip
    for step in ("reading", "listening", "checking"):
        counts = [(done, total) for name, done, total in told if name == step]
        assert counts[0][0] == 0
        assert counts[-1][0] == counts[-1][1] > 0


def test_odd_names_and_formats(base, tmp_path):
    """Stereo at 44.1 kHz, 8 bits, MP3, a label with a blank and an umlaut."""
    clips = tmp_path / "clips"
    for k in range(2):
        put(clips / "Tür auf" / f"{k}.wav", tone(300, k, rate=44100, channels=2), 44100)
        put(clips / "Tür auf" / f"{k}.flac", tone(300, 10 + k, rate=8000), 8000)
        put(clips / "Tür auf" / f"{k}.mp3", tone(300, 20 + k, rate=48000), 48000)
        put(clips / "Tür auf" / f"{k}.ogg", tone(300, 30 + k, rate=22050), 22050)
    taught = audiopipe.teach(clips, tmp_path / "meine Wörter", base=base)
    assert taught.clips["Tür auf"] == 8
    card = read_card(tmp_path / "meine Wörter")
    assert (card.name, card.labels[0]) == ("meine-W-rter", "Tür auf")


def test_importing_audiopipe_stays_light():
    program = "import sys, audiopipe; audiopipe.teach; print('torch' in sys.modules)"
    light = "import sys, audiopipe, audiopipe.cli; print('torch' in sys.modules)"
    for text, loaded in ((program, "True"), (light, "False")):
        done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True)
        assert done.stdout.strip() == loaded
