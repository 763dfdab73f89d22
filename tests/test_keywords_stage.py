"""The stage `keywords`, with a network whose words are tones."""

import re

import pytest
import torch
from safetensors.torch import save_file
from tones import LABELS, spoken, tone_model, tone_net

import audiopipe
from audiopipe import Audio
from audiopipe.errors import DefinitionError, ModelError, ModelVerificationError
from audiopipe.nets.keywords import folded
from audiopipe.recognizers import keyword_net
from audiopipe.stages.keywords import RATE, Keywords, LogMel, log_mel
from audiopipe.testing import Source, pairs
from audiopipe.testing.inputs import audio_source
from audiopipe.units import Span

SAID = (("low", 0.4), ("high", 1.3), ("rise", 2.2), ("rise", 2.9), ("low", 3.8, 0.25))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(tone_model(tmp_path_factory.mktemp("models")))


def heard(audio, **options):
    return audiopipe.Pipeline([Keywords(**options)]).run(audio)["keywords"]


def labels(detections):
    return [event.label for event in detections]


def seconds(detections):
    return [(e.start / detections.rate, e.stop / detections.rate) for e in detections]


# What is found, and when.


@pytest.mark.parametrize(("rate", "channels"), [(16000, 1), (44100, 2), (8000, 1)])
def test_every_word_gives_one_event_at_its_time(model, rate, channels):
    found = heard(spoken(SAID, 5.0, rate, channels), model=model)
    assert labels(found) == [label for label, *_ in SAID]
    assert found.rate == RATE
    for (start, stop), (_, begin, *length) in zip(seconds(found), SAID, strict=True):
        assert start == pytest.approx(begin, abs=0.04)
        assert stop == pytest.approx(begin + (length or [0.3])[0], abs=0.04)


def test_noise_moves_no_event_far(model):
    found = heard(spoken(SAID, 5.0, room=0.01), model=model)
    assert labels(found) == [label for label, *_ in SAID]
    for (start, stop), (_, begin, *_) in zip(seconds(found), SAID, strict=True):
        assert begin - 0.1 < start < stop < begin + 0.45


def test_a_word_at_the_very_end_is_found(model):
    assert labels(heard(spoken([("high", 0.7)], 1.0), model=model)) == ["high"]
    (event,) = heard(spoken([("low", 0.1)], 0.4), model=model)
    assert event.stop <= 0.41 * RATE


def test_a_word_at_the_very_beginning_is_found(model):
    assert labels(heard(spoken([("rise", 0.0)], 2.0), model=model)) == ["rise"]


def test_an_event_comes_soon_after_its_word(model):
    pipeline = audiopipe.Pipeline([Keywords(model=model)])
    audio, late = spoken(SAID, 5.0), []
    blocks = (audio.cut(at, at + 320) for at in range(0, len(audio), 320))
    for number, out in enumerate(pipeline.stream(blocks), start=1):
        for event in out.get("keywords", ()):
            late.append(number * 0.02 - event.stop / RATE)
    assert len(late) == len(SAID)
    assert max(late) < 0.2


@pytest.mark.parametrize("audio", [
    Audio.empty(16000, 1),
    Audio(torch.zeros(1, 1), 16000),
    Audio(torch.zeros(2, 44100), 44100),
    Audio(torch.full((1, 32000), torch.nan), 16000),
    Audio(torch.randn(1, 32000, generator=torch.Generator().manual_seed(0)) * 1e-3, 16000),
], ids=["empty", "one sample", "silence", "NaN", "noise"])  # fmt: skip
def test_nothing_is_heard_where_nothing_is_said(model, audio):
    assert labels(heard(audio, model=model)) == []


def test_loudness_does_not_matter(model):
    audio = spoken(SAID, 5.0)
    for gain in (1e-2, 1e4):
        assert labels(heard(audio.like(audio.samples * gain, start=0), model=model)) == [
            label for label, *_ in SAID
        ]


# Scores.


def test_the_score_of_a_second_is_the_networks(model):
    audio = spoken([("low", 0.35)], 1.0)
    scores = heard(audio, model=model, keep="scores")
    assert (scores.labels, scores.hop, len(scores)) == (LABELS, 800, 20)
    want = keyword_net(model)(log_mel(audio.samples)).softmax(-1)[0]
    assert torch.allclose(scores.values[:, -1], want, atol=1e-5)
    assert int(want.argmax()) == LABELS.index("low")


def test_spectra_are_those_that_networks_are_trained_on():
    audio = spoken(SAID, 3.0)
    (found,) = audiopipe.Pipeline([LogMel.usual()]).run(audio).values()
    assert found.values.shape == (1, 40, 300)
    assert torch.allclose(found.values, log_mel(audio.samples), atol=1e-4)


# Options.


def test_thresholds(model):
    audio = spoken([("low", 0.4), ("high", 1.5)], 2.5)
    assert labels(heard(audio, model=model, threshold={"low": 1.0})) == ["high"]
    assert labels(heard(audio, model=model, threshold=1.0)) == []
    assert labels(heard(audio, model=model, threshold={"low": 0.1, "high": 1.0})) == ["low"]


def test_the_card_may_state_the_threshold(tmp_path):
    audio = spoken([("low", 0.4)], 1.5)
    sure = str(tone_model(tmp_path, "sure", threshold=1))
    assert labels(heard(audio, model=sure)) == []
    assert labels(heard(audio, model=sure, threshold=0.5)) == ["low"]
    assert labels(heard(audio, model=sure, threshold={"low": 0.5})) == ["low"]


def test_the_same_word_again(model):
    audio = spoken([("low", 0.4, 0.25), ("low", 0.85, 0.25)], 2.0)
    assert labels(heard(audio, model=model)) == ["low", "low"]
    assert labels(heard(audio, model=model, refractory="600 ms")) == ["low"]


def test_labels_that_are_no_words_give_no_events(tmp_path):
    shy = tone_model(tmp_path, "shy", labels=["_low_", *LABELS[1:]])
    audio = spoken([("low", 0.4), ("high", 1.5)], 2.5)
    assert labels(heard(audio, model=str(shy))) == ["high"]


@pytest.mark.parametrize("hop", ["10 ms", "100 ms", "200 ms"])
def test_hops(model, hop):
    found = heard(spoken(SAID, 5.0), model=model, hop=hop, smoothing="50 ms")
    assert labels(found) == [label for label, *_ in SAID]


@pytest.mark.parametrize("hop", ["0 ms", "15 ms", "210 ms", "200"])
def test_hops_that_do_not_fit_are_refused(hop):
    told = {"use": "keywords", "hop": int(hop) if hop.isdigit() else hop}
    with pytest.raises(DefinitionError, match=r"no multiple of 10 ms from 10 ms to 200 ms"):
        audiopipe.load({"audiopipe": 1, "stages": [told]})


def test_a_folder_beside_the_work_is_a_model(tmp_path, monkeypatch):
    tone_model(tmp_path, "my-words")
    monkeypatch.chdir(tmp_path)
    pipeline = audiopipe.parse(
        "audiopipe: 1\nstages: [{use: keywords, model: ./my-words, threshold: {low: 0.7}}]\n"
    )
    assert labels(pipeline.run(spoken(SAID, 5.0))["keywords"]) == [label for label, *_ in SAID]


# Refusals.


def refusal(error, **options):
    with pytest.raises(error) as caught:
        heard(spoken([], 0.1), **options)
    return str(caught.value)


def test_a_threshold_for_what_is_no_word(model):
    told = refusal(DefinitionError, model=model, threshold={"hihg": 0.5})
    assert f"threshold of 'hihg', which is no word of {model}; did you mean 'high'?" in told
    assert "'_silence_', which is no word" in refusal(
        DefinitionError, model=model, threshold={"_silence_": 0.5}
    )


def test_a_missing_model_is_told_by_planning():
    with pytest.raises(ModelError, match="there is no model 'keywords-81'"):
        audiopipe.parse("audiopipe: 1\nstages: [{use: keywords, model: keywords-81}]\n")


@pytest.mark.parametrize(("changes", "told"), [
    ({"task": "pitch"}, "finds no keywords: its card says task pitch, not keywords"),
    ({"network": "yamnet"}, "its card says network yamnet, not keyword-net"),
    ({"labels": []}, "its card must name the labels, each of them once"),
    ({"labels": ["a", "a"]}, "its card must name the labels, each of them once"),
    ({"labels": ["_a", "_b", "_c", "_d"]}, "all its labels begin with _, and so give no events"),
    ({"labels": ["a", "b"]}, "its weights do not fit its card: .*head.weight"),
    ({"settings": "channels = 8"}, "its weights do not fit its card: "),
    ({"settings": "layers = 8"}, "its weights do not fit its card: .*'layers'"),
    ({"settings": "bands = 64"}, "its weights do not fit its card: bands are 64, and must be 40"),
    ({"settings": "kernel = 8"}, "a kernel of 8 is even, and must be odd"),
    ({"settings": "channels = 100000000"}, "channels are 100000000, and at most 1024 are possible"),
    ({"threshold": "'high'"}, "its threshold is 'high', not a number from 0 to 1"),
    ({"threshold": 60}, "its threshold is 60, not a number from 0 to 1"),
])  # fmt: skip
def test_cards_and_weights_that_do_not_fit(tmp_path, changes, told):
    folder = tone_model(tmp_path, **changes)
    assert re.search(told, refusal(ModelError, model=str(folder)))


def test_weights_that_were_changed(tmp_path):
    folder = tone_model(tmp_path)
    save_file(tone_net().head.state_dict(), folder / "weights.safetensors")
    assert "weights.safetensors" in refusal(ModelVerificationError, model=str(folder))


def test_weights_that_are_no_numbers(tmp_path, monkeypatch):
    folder = tone_model(tmp_path)
    weights = {name: weight * float("nan") for name, weight in tone_net().state_dict().items()}
    monkeypatch.setattr("audiopipe.networks.load_weights", lambda path: weights)
    assert "holds what is no number" in refusal(ModelError, model=str(folder))


def test_planning_reads_the_card_alone(tmp_path):
    folder = tone_model(tmp_path)
    (folder / "weights.safetensors").unlink()
    stage = Keywords(model=str(folder))
    plan = audiopipe.Pipeline([stage]).plan()
    assert plan.output("keywords").rate == RATE
    assert stage.models == (str(folder),)
    assert "310.0 ms late" in str(plan)


# The kit, on sound in which there are words.


def talk(kind, length, seed):
    """Words where the kit wants sound."""
    if kind != "sound":
        return audio_source(RATE, 1).make(kind, length, seed)
    words = [("low", 0.05, 0.25), ("high", 0.47, 0.25), ("rise", 1.0), ("low", 1.5)]
    longer = spoken(words, 2.5, room=1e-3, seed=seed)
    return longer.cut(0, length)


CONFIGURATIONS = {
    "events": {},
    "fast": {"hop": Span.parse("20 ms"), "smoothing": Span.parse("60 ms"), "threshold": 0.7},
    "scores": {"keep": "scores"},
}
SOURCE = Source("words", Audio.empty(RATE, 1), talk)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_conformance(model, name):
    stage = Keywords(model=model, **CONFIGURATIONS[name])
    for check, case in pairs(stage, sources=[SOURCE], chunkings=8, formats=1):
        if check.gpu and not torch.cuda.is_available():
            continue
        assert check(case)
        if name != "scores":
            assert len(case.whole["stage"]) >= 2  # the checks are about something


def test_a_network_for_use_says_what_the_trained_one_says():
    net = keyword_net("keywords-18")
    decibels = torch.rand(3, 40, 100, generator=torch.Generator().manual_seed(0)) * 60
    with torch.inference_mode():
        assert torch.allclose(folded(net)(decibels), net(decibels), atol=1e-4)
