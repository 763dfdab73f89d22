"""The recipe of a voice: its steps on very little data."""

import math
import re
import tomllib

import pytest
import soundfile
import torch

from audiopipe.nets.frames import LogMel, MelConfig, Reach
from audiopipe.voices.tokens import END, JOINT, PAUSE, START, labels

pytest.importorskip("pyworld")

from training.speak import align, corpus, data, prepare, render, train
from training.speak.critic import CROP, MelCritic, crops
from training.vocoder import prepare as vocoder_prepare
from training.vocoder.data import Rendered

NAMES = labels("en")
NUMBER = {name: k for k, name in enumerate(NAMES)}
RATE = MelConfig.rate


def ids(*names):
    return torch.tensor([NUMBER[name] for name in names])


def sung(generator):
    """A "sentence" of tones, one pitch a vowel: samples, tokens, and when each begins (samples)."""
    pitches = {"i": 2500, "u": 300, "ˈɑ": 1000, "s": 6000}
    row = [START]
    for k in torch.randint(0, 4, (8,), generator=generator).tolist():
        row += [JOINT] if len(row) % 3 == 0 else []
        row.append(list(pitches)[k])
    row.append(END)
    parts, starts, at = [], [], 0
    for name in row:
        joint = name == JOINT and torch.rand(1, generator=generator) < 0.5
        size = 0 if joint else int(torch.randint(1500, 4000, (1,), generator=generator))
        wave = torch.sin(2 * math.pi * pitches.get(name, 0) / RATE * torch.arange(size))
        parts.append(0.3 * wave + 0.001 * torch.randn(size, generator=generator))
        starts.append(at)
        at += size
    return torch.cat(parts), ids(*row), torch.tensor([*starts, at])


def test_the_aligner_finds_where_sounds_begin():
    generator = torch.Generator().manual_seed(0)
    sets = [sung(generator) for _ in range(24)]
    frames = [align.cepstra(audio) for audio, _, _ in sets]
    rows = [row for _, row, _ in sets]
    aligner = align.Aligner(NAMES)
    rounds = list(aligner.train(frames, rows))
    assert rounds[4] > rounds[0]
    found = aligner.align(frames, rows)
    pairs = zip(found, sets, strict=True)
    late = torch.cat([
        (edges * align.HOP - starts).abs() for edges, (_, _, starts) in pairs
    ]).float()  # fmt: skip
    assert late.quantile(0.9) <= 0.02 * RATE


def test_sounds_last_and_short_silences_do_not():
    names = [START, "t", JOINT, "k", "i", JOINT, "s", PAUSE, END]
    fine = torch.tensor([0, 20, 40, 44, 44, 60, 64, 90, 120, 130])
    edges = prepare.whole_frames(fine, names, 256)
    lengths = dict(zip(range(9), edges.diff().tolist(), strict=True))
    assert lengths[2] == lengths[5] == 0
    assert lengths[7] == 15
    assert all(lengths[k] >= 1 for k in (1, 3, 4, 6))
    assert edges[3] == edges[2] == 20  # what was quiet before a stop is the stop's own


def test_f0_is_found_and_stands_on_the_frames():
    time = torch.arange(RATE) / RATE
    audio = sum(torch.sin(2 * math.pi * 200 * k * time) / k for k in range(1, 8)) * 0.1
    audio[: RATE // 2] = 0.0
    hz = prepare.f0_of(audio, MelConfig(), (90.0, 400.0))
    assert hz[60:85].median().item() == pytest.approx(200, rel=0.01)
    assert not hz[:40].any()


def test_prosody_of_a_token_is_of_its_own_frames():
    values, edges = torch.tensor([1.0, 3.0, 9.0, 5.0]), torch.tensor([0, 2, 2, 4])
    chosen = torch.tensor([True, True, False, True])
    assert prepare.by_token(values, edges, chosen).tolist() == [2.0, 9.0, 5.0]
    assert prepare.through(values, chosen).tolist() == [1.0, 3.0, 4.0, 5.0]


def test_recordings_come_at_one_level():
    generator = torch.Generator().manual_seed(0)
    speech = torch.cat([torch.zeros(RATE), 0.01 * torch.randn(RATE, generator=generator)])
    level = 20 * corpus.levelled(speech)[RATE:].square().mean().sqrt().log10()
    assert level.item() == pytest.approx(corpus.LEVEL, abs=0.2)


@pytest.mark.parametrize(
    ("name", "held", "learned"),
    [
        ("kathleen", "arctic_b0450_1.opus arctic_b0539_2.opus", "arctic_b0449_1.opus"),
        ("kathleen", "arctic_b0599_1.opus", "arctic_a0450_1.opus"),
        ("kerstin", "de_rhasspy-0050.flac de_rhasspy-1300.flac", "de_rhasspy-0505.flac"),
    ],
)
def test_the_held_out_sentences_are_known(name, held, learned):
    found = re.compile(corpus.Source.of(f"{name}=anywhere").held_out).search
    assert all(map(found, held.split()))
    assert not any(map(found, learned.split()))


def test_the_vocoder_holds_out_the_same():
    ours, theirs = (
        tomllib.loads(path.read_text("utf-8")) for path in (corpus.SETS, vocoder_prepare.SETS)
    )
    for name, facts in ours.items():
        heard = facts.get("made", {}).get("of", name)
        assert facts["recordings"]["held_out"] == theirs[heard]["held_out"]


def recorded(folder, names):
    folder.mkdir()
    for name in names:
        soundfile.write(folder / name, [0.0] * 480, 48_000)


def test_texts_are_read_as_the_set_has_them(tmp_path):
    recorded(tmp_path / "kathleen", ["arctic_a0001.flac", "arctic_b0451.flac"])
    (tmp_path / "kathleen/metadata.csv").write_text(
        'file,text\narctic_a0001.flac,"Yes, please."\narctic_b0451.flac,No.\n'
    )
    recorded(tmp_path / "verified", ["de-0001.flac", "de-0050.flac", "de-0003.flac"])
    (tmp_path / "verified/metadata.csv").write_text(
        "de-0001|Das Haus ist groß.\nde-0050|Ja.\nde-0003|Ja. Nein.\n", "utf-8"
    )
    english = corpus.read_corpus(corpus.Source.of(str(tmp_path / "kathleen")))
    assert [(one.name, one.text, one.held_out) for one in english] == [
        ("arctic_a0001", "Yes, please.", False),
        ("arctic_b0451", "No.", True),
    ]
    german = corpus.Source.of(f"kerstin={tmp_path / 'verified'}")
    (one,) = corpus.read_corpus(german, held_out=False)  # two sentences are left out
    names = labels("de")
    assert [names[k] for k in one.ids.tolist()][-5:] == ["g", "ʁ", "ˈoː", "s", END]
    assert one.samples().shape == (240,)
    with pytest.raises(ValueError, match="none of kathleen, kerstin, keith"):
        corpus.Source.of("nobody=anywhere")


def sentences(count=6):
    generator = torch.Generator().manual_seed(3)
    made = []
    for n in range(count):
        row = ids(START, *("i", "s", "ˈɑ", JOINT, "u", "i")[: 3 + n % 4], END)
        frames = torch.randint(6, 14, (len(row),), generator=generator)
        total = int(frames.sum())
        sounds = row.repeat_interleave(frames)[:, None]
        mel = torch.sin(sounds * torch.arange(100)) - 5.0
        zero = torch.zeros(len(row))
        made.append(
            data.Spoken(
                f"s{n}", n, row, frames, zero + 90, zero - 20, mel, torch.full((total,), 180.0)
            )
        )
    return made


def test_what_is_saved_is_loaded_relative_to_the_voice(tmp_path):
    made = sentences()
    voice = data.Voice.measured(made)
    assert voice.f0 == pytest.approx(12 * math.log2(180), abs=1e-3)
    data.save(made, voice, "en", tmp_path / "train.safetensors")
    found, again, language = data.load(tmp_path / "train.safetensors")
    assert language == "en"
    assert [one.name for one in found] == [one.name for one in made]
    assert [one.first for one in found] == list(range(len(made)))
    assert torch.equal(found[2].ids, made[2].ids)
    assert torch.allclose(found[2].mel, made[2].mel, atol=1e-2)
    assert torch.allclose(found[0].f0, made[0].f0 - voice.f0, atol=1e-4)
    assert torch.allclose(again.deviation, voice.deviation)


def test_a_batch_holds_all_and_pads_with_nothing():
    made = sentences()
    batch = data.Batch.of(made)
    assert batch.inside.sum() == sum(len(one.mel) for one in made)
    assert torch.equal(batch.frames.sum(1), batch.inside.sum((1, 2)).long())
    assert not (batch.mel * (1 - batch.inside)).any()
    seen = [next(data.batches(made, 4, torch.Generator().manual_seed(n))) for n in range(2)]
    assert {len(batch.ids) for batch in seen} <= {2, 4}


def test_crops_are_the_same_of_both():
    wave = torch.arange(300.0)[None, :, None].expand(2, -1, 5)
    made, real = crops(wave, wave + 0.5, torch.tensor([300, 60]), torch.Generator().manual_seed(0))
    assert made.shape == (2, CROP, 5)
    assert torch.allclose(real - made, torch.full_like(made, 0.5))
    assert made[1, 0, 0] == 0
    score, activations = MelCritic(4)(torch.zeros(2, CROP, 100))
    assert score.shape[:2] == (2, 1)
    assert len(activations) == 4


def tiny_training(tmp_path):
    made = sentences()
    voice = data.Voice.measured(made)
    data.save(made, voice, "en", tmp_path / "train.safetensors")
    settings = {"width": 16, "expansion": 2, "kernel": 3, "encoder": 1, "decoder": 2}
    return train.Training(*data.load(tmp_path / "train.safetensors"), settings)


def test_training_learns_and_goes_on_where_it_stopped(tmp_path):
    training = tiny_training(tmp_path)
    early = [training.step(0.1) for _ in range(40)]
    assert early[-1]["mel"] < 0.8 * early[0]["mel"]
    assert early[-1]["tune"] < early[0]["tune"]
    assert early[-1]["length"] < 0.7 * early[0]["length"]
    late = training.step(0.9)
    assert {"critic", "adversarial", "matching"} <= late.keys() - early[0].keys()
    training.save(tmp_path, 12.0)
    again = tiny_training(tmp_path)
    assert again.resume(tmp_path) == 12.0
    assert again.steps == training.steps == 41
    weights = zip(training.net.parameters(), again.net.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in weights)


def test_rendered_frames_keep_to_their_samples(tmp_path):
    config = MelConfig()
    tones = [torch.sin(2 * math.pi * hz / RATE * torch.arange(90 * 256)) for hz in (440, 3000)]
    listen = LogMel(config)
    hz = torch.arange(90.0)
    parts = [(listen(0.2 * tone[None])[0], 100 + hz, 0.2 * tone) for tone in tones]
    Rendered.of(parts, config).save(tmp_path / "rendered.safetensors")
    torch.manual_seed(0)
    rendered = Rendered.load(tmp_path / "rendered.safetensors")
    mel, hz, samples = rendered.draw(8, Reach(30, 10), 40)
    assert mel.shape == (8, 100, 80)
    assert hz.shape == (8, 80)
    # Within a sentence the pitch rises by one hertz a frame, as it was made.
    assert (hz[:, 31:69].diff() == 1).all()
    assert samples.shape == (8, 40 * 256)
    # What the samples sound like is what the frames say, gain included.
    heard = listen(samples)[..., 2:-2]
    loud = heard > heard.amax((1, 2), keepdim=True) - 3
    assert torch.allclose(heard[loud], mel[..., 32:68][loud], atol=0.05)


def test_a_sentence_is_rendered_over_its_own_recording(tmp_path):
    training = tiny_training(tmp_path)
    one = data.load(tmp_path / "train.safetensors")[0][2]
    recording = torch.arange(100_000.0)
    mel, hz, samples = render.rendered(training.net.eval(), one, recording)
    assert mel.shape == (100, len(one.mel))
    assert len(hz) == len(one.mel)
    assert samples.tolist()[:2] == [one.first * 256, one.first * 256 + 1]
    assert len(samples) == len(one.mel) * 256
