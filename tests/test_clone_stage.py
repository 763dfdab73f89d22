"""The stage `clone`, with a small untrained network: streams, lengths, marks, consent."""

from datetime import date, timedelta
from pathlib import Path

import pytest
import torch
from cloning import agree, given, network_clone, voice

import audiopipe
from audiopipe import Audio
from audiopipe.cloning.networks import reach_of_converter, reach_of_vocoder
from audiopipe.consent import read_consent
from audiopipe.disclosure import read_disclosure
from audiopipe.errors import CollisionError, ConsentError, DefinitionError, ModelError
from audiopipe.io.save import save
from audiopipe.plan import Reference
from audiopipe.stages.clone import TOLERANCE, Clone
from audiopipe.stages.mix import Mix
from audiopipe.stages.resample import Resample
from audiopipe.testing import CHECKS
from audiopipe.testing.case import Case
from audiopipe.testing.inputs import audio_source
from audiopipe.watermark import detect


@pytest.fixture(scope="module")
def ada(tmp_path_factory):
    return given(tmp_path_factory.mktemp("ada"))


@pytest.fixture(scope="module")
def case(ada):
    return Case(Clone(**vars(ada), pitch=1.0), audio_source(16000, 1), chunkings=5)


@pytest.fixture(scope="module")
def talk():
    return voice(5.0, hz=210.0, rate=24_000, seed=4)


@pytest.fixture(scope="module")
def pipeline(ada):
    return audiopipe.Pipeline([Clone(**vars(ada))])


@pytest.mark.parametrize("check", [c for c in CHECKS if not c.gpu], ids=str)
def test_conformance(check, case):
    assert check(case)


@pytest.mark.parametrize(("rate", "channels"), [(44100, 2), (8000, 1), (48000, 6)])
def test_any_rate_and_any_channels(pipeline, rate, channels):
    source = voice(1.0, rate=rate, seed=2)
    many = Audio(source.samples.repeat(channels, 1), rate)
    told = str(pipeline.plan(many))
    assert ("mix-1" in told) == (channels > 1)
    made = pipeline.run(many)["clone"]
    assert (made.rate, made.channels, len(made)) == (24_000, 1, 24_000)


def test_a_stream_of_random_blocks_is_the_whole(pipeline, talk):
    whole = pipeline.run(talk)["clone"].samples
    generator = torch.Generator().manual_seed(2)
    stream, parts, at = pipeline.engine(talk).stream(), [], 0
    while at < len(talk):
        size = int(torch.randint(1, 9000, (1,), generator=generator))
        out = stream.push(talk.cut(at, min(len(talk), at + size)))
        parts += [out["clone"].samples] if out else []
        at += size
    parts += [out["clone"].samples for out in stream.finish() if out]
    streamed = torch.cat(parts, 1)
    assert streamed.shape == whole.shape
    assert (streamed - whole).abs().max() < TOLERANCE


def test_the_latency_is_what_its_networks_need(ada, pipeline, talk):
    frames = reach_of_converter(ada.model).ahead + reach_of_vocoder(ada.model).ahead
    latency = float(pipeline.plan(talk).output_latency("clone"))
    assert latency - frames * 256 / 24_000 == pytest.approx(0.28, abs=0.03)


def test_silence_gives_silence(pipeline):
    made = pipeline.run(Audio(torch.zeros(1, 48_000), 24_000))["clone"]
    assert made.samples.abs().max() < 1e-3
    talk = voice(2.0, seed=4).samples
    talk[:, 24_000:] = 0
    made = pipeline.run(Audio(talk, 24_000))["clone"].samples[0]
    assert made[36_000:].abs().max() < 1e-2 * made[:24_000].abs().max()


def test_another_reference_gives_another_sound(ada, tmp_path, talk, pipeline):
    bob = save(voice(6.0, hz=90.0, formants=(400, 1800, 2400), seed=5), tmp_path / "bob.wav")
    other = Clone(reference=str(bob), consent=str(agree(bob)), model=ada.model)
    one, two = (p.run(talk)["clone"] for p in (pipeline, audiopipe.Pipeline([other])))
    assert (one.samples - two.samples).abs().max() > 0.01


def test_the_pitch_is_moved_to_the_reference(ada, talk):
    """Where the pulses of the sound lie, whatever the untrained network makes of the rest."""
    for pitch in (0.0, 5.0):
        stage = Clone(**vars(ada), pitch=pitch, source_pitch=210.0)
        engine = audiopipe.Pipeline([stage]).engine(talk)
        (step,) = [s for s in engine.plan.steps if s.name.endswith("/convert")]
        watched = engine.watching({"wanted": Reference(step.name)}).stream()
        frames = [out["wanted"] for out in watched.finish(talk) if "wanted" in out]
        hz = torch.cat([block.hz for block in frames])
        assert float(hz.median()) == pytest.approx(120 * 2 ** (pitch / 12), rel=0.06)


def test_the_sound_is_marked_as_cloned(pipeline, talk):
    found = detect(pipeline.run(talk)["clone"])
    assert (found.found, found.kind) == (True, "cloned")


class TestConsent:
    def test_a_stage_without_it_is_none(self, ada):
        with pytest.raises(ValueError, match=r"audiopipe consent new ada\.wav"):
            Clone(reference="ada.wav", model=ada.model)

    def test_a_definition_without_it_says_what_to_do(self):
        with pytest.raises(DefinitionError) as error:
            audiopipe.parse("audiopipe: 1\nstages: [{use: clone, reference: a.wav}]")
        assert "<text>:2:" in str(error.value)
        assert "agree by `audiopipe consent new a.wav`" in str(error.value)

    @pytest.mark.parametrize(
        ("changed", "told"),
        [
            ({"reference": "0" * 64}, "is not the recording that Ada Lovelace has consented to"),
            ({"until": date.today() - timedelta(1)}, "ended on"),
            ({"given": date.today() + timedelta(1)}, "which is to come"),
        ],
    )
    def test_one_that_does_not_hold(self, ada, talk, tmp_path, changed, told):
        record = agree(Path(ada.reference), **changed)
        moved = record.rename(tmp_path / "wrong.json")
        agree(Path(ada.reference))
        stage = Clone(reference=ada.reference, consent=str(moved), model=ada.model)
        with pytest.raises(ConsentError, match=told):
            audiopipe.Pipeline([stage]).run(talk)

    def test_one_that_is_not_there(self, ada, talk):
        stage = Clone(reference=ada.reference, consent="gone.json", model=ada.model)
        with pytest.raises(ConsentError, match=r"gone\.json"):
            audiopipe.Pipeline([stage]).run(talk)

    def test_it_stands_beside_the_output_and_in_its_tags(self, ada, talk, tmp_path):
        stages = {"voice": Clone(**vars(ada))}
        outputs = {"a.flac": "voice", "b.mp3": "voice"}
        result = audiopipe.Pipeline(stages, outputs=outputs).run(talk)
        result.save(tmp_path)
        for name in ("a", "b"):
            record = read_consent(tmp_path / f"{name}.consent.json")
            assert record == read_consent(ada.consent)
        for name in ("a.flac", "b.mp3"):
            told = read_disclosure(tmp_path / name)
            assert told.startswith("Synthetic speech in a cloned voice: audiopipe, voice model.")
            assert record.summary in told

    def test_two_voices_have_two(self, ada, talk, tmp_path):
        bob = save(voice(6.0, seed=5), tmp_path / "bob.wav")
        two = Clone(reference=str(bob), consent=str(agree(bob, speaker="Bob")), model=ada.model)
        stages = {
            "ada": (Clone(**vars(ada)), "input"),
            "bob": (two, "input"),
            "both": (Mix(), ["ada", "bob"]),
        }
        audiopipe.Pipeline(stages, outputs={"a.wav": "both"}).run(talk).save(tmp_path)
        speakers = [
            read_consent(tmp_path / name).speaker for name in ("a.consent.json", "a.2.consent.json")
        ]
        assert sorted(speakers) == ["Ada Lovelace", "Bob"]

    def test_the_record_of_another_is_not_overwritten(self, ada, talk, tmp_path):
        (tmp_path / "a.consent.json").write_text("something else")
        result = audiopipe.Pipeline([Clone(**vars(ada))], outputs={"a.wav": "clone"}).run(talk)
        with pytest.raises(CollisionError, match="give the output another name"):
            result.save(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["a.consent.json"]


def test_a_model_that_converts_nothing(ada, talk):
    stage = Clone(reference=ada.reference, consent=ada.consent, model="kathleen")
    with pytest.raises(ModelError, match="'kathleen' converts no voices: its card says task speak"):
        audiopipe.Pipeline([stage]).engine(talk)


def test_a_card_that_does_not_fit_its_weights(ada, talk, tmp_path):
    name = network_clone(tmp_path / "model")
    card = Path(name, "card.toml")
    card.write_text(card.read_text().replace("width = 8", "width = 16"))
    stage = Clone(reference=ada.reference, consent=ada.consent, model=name)
    with pytest.raises(ModelError, match="its weights do not fit its card"):
        audiopipe.Pipeline([stage]).run(talk)


def test_nothing_is_read_before_it_is_loaded():
    stage = Clone(reference="gone.wav", consent="gone.json")
    assert audiopipe.Pipeline([stage]).definition.graph.nodes
    assert stage.fidelity.kind == "grid"
    assert (
        Resample(rate=24_000).output(Audio.empty(16000, 1)).rate
        == stage.output(Audio.empty(16000, 1)).rate
    )
