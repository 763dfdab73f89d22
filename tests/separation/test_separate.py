"""The stage `separate`: rates and channels, which stems come out, what becomes of the remainder."""

import logging

import pytest
import torch
from separators import music, stems_model, write_card

from audiopipe import Audio, Pipeline
from audiopipe.errors import DefinitionError, ModelError, PlanError
from audiopipe.pipeline import parse
from audiopipe.separators.balance import Balance
from audiopipe.stages.mix import down_mix
from audiopipe.stages.separate import Separate

STEMS = ["vocals", "drums", "bass", "other"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return stems_model(tmp_path_factory.mktemp("models") / "small")


def separate(audio, model, **options):
    return Pipeline([Separate(model=model, **options)]).run(audio)["separate"]


@pytest.mark.parametrize(
    ("rate", "channels", "given"),
    [(44100, 2, 2), (44100, 1, 1), (48000, 2, 2), (16000, 1, 1), (96000, 2, 2), (44100, 6, 2)],
)
def test_stems_are_like_their_source_and_add_up_to_it(model, rate, channels, given):
    source = music(0.5, rate, channels)
    stems = separate(source, model)
    assert list(stems) == STEMS
    for stem in stems.values():
        assert (stem.rate, stem.channels, len(stem)) == (rate, given, len(source))
    mix = down_mix(channels, given) @ source.samples
    torch.testing.assert_close(sum(s.samples for s in stems.values()), mix, atol=2e-6, rtol=0)


def test_resampling_and_mixing_are_shown(model):
    plan = Pipeline([Separate(model=model)]).plan(Audio.empty(48000, 1))
    inserted = [step.stage.name for step in plan.steps if step.why]
    # Once for the network, and back for each stem.
    assert inserted == ["mix", "resample"] + 4 * ["mix", "resample"]


def test_strict_forbids_what_would_be_inserted(model):
    pipeline = Pipeline([Separate(model=model)], strict=True)
    with pytest.raises(PlanError, match="strict"):
        pipeline.plan(Audio.empty(48000, 2))
    pipeline.plan(Audio.empty(44100, 2))


def test_channels_without_an_agreed_mix_are_refused(model):
    with pytest.raises(PlanError, match="mix to mono"):
        Pipeline([Separate(model=model)]).plan(Audio.empty(44100, 4))


def test_what_is_not_kept_is_summed(model):
    source = music(0.4)
    all_of_them = separate(source, model)
    alone = separate(source, model, stems=("vocals",))
    assert list(alone) == ["vocals", "accompaniment"]
    torch.testing.assert_close(alone["vocals"].samples, all_of_them["vocals"].samples)
    rest = sum(all_of_them[name].samples for name in STEMS[1:])
    torch.testing.assert_close(alone["accompaniment"].samples, rest, atol=1e-6, rtol=0)
    pair = separate(source, model, stems=("bass", "drums"))
    assert list(pair) == ["bass", "drums", "rest"]
    three = separate(source, model, stems=("drums", "bass", "vocals"))
    assert list(three) == ["drums", "bass", "vocals", "other"]


def test_a_stem_that_is_not_there_is_refused(model):
    definition = f"""
audiopipe: 1
stages:
  stems: {{use: separate, model: {model}, stems: [vocal]}}
"""
    with pytest.raises(
        DefinitionError, match=r"no stem 'vocal' in this model; did you mean 'vocals'"
    ):
        parse(definition)


def balanced(mix, stems, remainder, keep=(), model=None, rate=44100):
    stage = Balance(model=model, keep=keep, remainder=remainder)
    sources = [Audio(mix, rate), *(Audio(stem, rate) for stem in stems)]
    state = stage.start(None, sources)
    half = mix.shape[-1] // 2
    out = []
    for a, b in ((0, half), (half, mix.shape[-1])):
        blocks = [source.cut(a, b) for source in sources]
        out.append([part.samples for part in stage.step(None, state, blocks, b > half)])
    return [torch.cat(column, -1) for column in zip(*out, strict=True)], stage.warnings(state)


def noise(seed, scale=0.1, length=2000):
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(2, length, generator=generator)


def test_the_remainder(model):
    stems = [noise(seed) for seed in range(4)]
    left = noise(9)
    mix = sum(stems) + left
    shared, _ = balanced(mix, stems, "distribute", model=model)
    for stem, given in zip(stems, shared, strict=True):
        torch.testing.assert_close(given, stem + left / 4, atol=1e-6, rtol=0)
    kept, _ = balanced(mix, stems, "keep", model=model)
    torch.testing.assert_close(torch.stack(kept), torch.stack([*stems, left]), atol=1e-6, rtol=0)
    none, _ = balanced(mix, stems, "none", model=model)
    assert all(torch.equal(a, b) for a, b in zip(none, stems, strict=True))


def test_a_sum_of_stems_has_the_share_of_each(model):
    voice, rest, left = noise(0), noise(1), noise(2)
    shared, _ = balanced(voice + rest + left, [voice, rest], "distribute", ("vocals",), model)
    torch.testing.assert_close(shared[0], voice + left / 4, atol=1e-6, rtol=0)
    torch.testing.assert_close(shared[1], rest + left * 0.75, atol=1e-6, rtol=0)


def test_the_remainder_is_a_stem_of_its_own(model):
    source = music(0.3, rate=96000)
    stems = separate(source, model, remainder="keep")
    assert list(stems) == [*STEMS, "remainder"]
    total = sum(stem.samples for stem in stems.values())
    torch.testing.assert_close(total, source.samples, atol=2e-6, rtol=0)
    # What is above the network's 22 kHz is in none of its stems.
    assert stems["remainder"].samples.norm() > 0.1 * source.samples.norm()


@pytest.mark.parametrize(
    ("gain_db", "foreign", "told"),
    [
        (0.0, 0.0, True),
        (0.09, 0.0, True),
        (0.12, 0.0, False),
        (0.0, 0.03, True),
        (0.0, 0.06, False),
    ],
)
def test_a_stem_that_equals_the_mix_is_reported(model, gain_db, foreign, told):
    """A correlation above 0.999 is less than 4.5 % of something else."""
    mix = noise(0)
    copy = mix * 10 ** (gain_db / 20)
    level = float(copy.norm())
    copy = copy + foreign * noise(1)
    copy *= level / copy.norm()
    stems = [copy, noise(2), noise(3), noise(4)]
    _, warnings = balanced(mix, stems, "distribute", model=model)
    assert bool(warnings) == told
    if told:
        assert warnings[0].startswith(
            "vocals equals the mix (correlation 0.999" if foreign else "vocals"
        )


def test_half_of_a_stem_that_equals_the_mix_is_not_reported(model):
    """The whole counts, not a block in which the voice is alone."""
    mix = noise(0)
    stem = mix.clone()
    stem[:, 1000:] = 0
    _, warnings = balanced(mix, [stem, mix - stem, noise(3), noise(4)], "none", model=model)
    assert warnings == []


def test_a_stem_that_turns_from_the_mix_within_a_block(model):
    mix = noise(0)
    _, warnings = balanced(mix, [-mix, noise(2), noise(3), noise(4)], "none", model=model)
    assert warnings == []  # as loud, but not alike


def test_silence_is_no_reason_to_warn(model):
    silence = torch.zeros(2, 2000)
    _, warnings = balanced(silence, [silence] * 4, "distribute", model=model)
    assert warnings == []
    stems = separate(Audio(torch.zeros(2, 40000), 44100), model)
    assert not any(stem.samples.any() for stem in stems.values())


def test_warnings_are_in_the_result_and_in_the_log(model, monkeypatch, caplog):
    monkeypatch.setattr(Balance, "warnings", lambda self, state: ["vocals equals the mix"])
    with caplog.at_level(logging.WARNING):
        result = Pipeline([Separate(model=model)]).run(music(0.2))
    assert result.warnings == ("'separate': vocals equals the mix",)
    assert "audio: 'separate': vocals equals the mix" in caplog.text


def test_warnings_are_in_the_report_of_a_batch(model, monkeypatch, tmp_path):
    from audiopipe.run.batch import run_batch

    monkeypatch.setattr(Balance, "warnings", lambda self, state: ["vocals equals the mix"])
    files = [music(0.2, seed=n).save(tmp_path / f"{n}.wav") for n in range(2)]
    pipeline = Pipeline([Separate(model=model)], outputs={"{name}/{stem}.wav": "separate"})
    report = run_batch(pipeline, files, tmp_path / "out", together=2)
    assert [file.warnings for file in report.files] == 2 * [("'separate': vocals equals the mix",)]


def test_a_model_of_another_task_is_refused(tmp_path):
    with pytest.raises(ModelError, match="makes no stems: its card says task pitch"):
        Pipeline([Separate(model="pitch")]).plan()


def test_an_unknown_network_is_refused(tmp_path):
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "weights.safetensors").write_bytes(b"x")
    name = write_card(tmp_path / "odd", "spleter", STEMS, {})
    with pytest.raises(
        ModelError, match="no network 'spleter' is known here; did you mean 'spleeter'"
    ):
        Pipeline([Separate(model=name)]).plan()
