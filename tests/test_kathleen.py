"""The voice that ships: what it says sounds like speech, like its speaker, and always the same."""

import math

import pytest
import torch

from audiopipe.models import Store
from audiopipe.nets.speech import SpeechNet
from audiopipe.nets.vocoder import LogMel, MelConfig, Vocoder
from audiopipe.networks import load_network
from audiopipe.text import plain, segments
from audiopipe.voices.tokens import MARKS, tokens

TEXT = "The quick brown fox jumps over the lazy dog, and runs away."
RATE, HOP = MelConfig.rate, MelConfig.hop


@pytest.fixture(scope="module")
def voice():
    card = Store().card("kathleen")
    sizes = {k: v for k, v in card.settings.items() if k not in ("language", "vocoder")}
    net = load_network("kathleen", sizes, {}, lambda **given: SpeechNet(card.labels, **given))
    name = card.settings["vocoder"]
    return card, net, load_network(name, Store().card(name).settings, {}, Vocoder.of)


def say(voice, text):
    card, net, vocoder = voice
    made = tokens(next(segments(plain(text))), card.labels)
    plan = net.plan(made.ids)
    frames = plan.frames.round().long().clamp(min=0)
    frames[made.owner >= 0] = frames[made.owner >= 0].clamp(min=1)
    mel = net.render(made.ids, frames, plan.f0, plan.energy)
    return made, plan, mel, vocoder.speak(mel[None])[0]


@pytest.fixture(scope="module")
def spoken(voice):
    return say(voice, TEXT)


def test_cards_say_what_may_be_done_and_what_was_measured(voice):
    for card in (voice[0], Store().card(voice[0].settings["vocoder"])):
        assert card.rate == RATE
        assert card.licence.commercial
        assert card.figures["parameters"] > 0
        assert Store().state(card.name) == "embedded"
    total = voice[0].size + Store().card(voice[0].settings["vocoder"]).size
    assert total < 40e6


def test_a_sentence_is_as_long_as_its_sounds(voice, spoken):
    made, plan, mel, sound = spoken
    assert len(sound) == mel.shape[1] * HOP
    sounds = torch.tensor([voice[0].labels[k] not in MARKS for k in made.ids.tolist()])
    mean = plan.frames[sounds].mean().item() * HOP / RATE
    assert 0.06 < mean < 0.13
    assert 2.5 < len(sound) / RATE < 6.0


def test_it_pauses_at_the_comma_and_nowhere_else(voice, spoken):
    made, plan, _, _ = spoken
    names = [voice[0].labels[k] for k in made.ids.tolist()]
    assert plan.frames[names.index(",")] * HOP / RATE > 0.08
    joints = torch.tensor([name == " " for name in names])
    assert plan.frames[joints].max() * HOP / RATE < 0.04


def test_it_is_loud_where_there_are_vowels_and_quiet_at_the_end(spoken):
    _, _, _, sound = spoken
    assert sound.isfinite().all()
    assert 0.1 < sound.abs().max() < 1.0
    power = sound[: len(sound) // HOP * HOP].view(-1, HOP).square().mean(1)
    assert power[-4:].mean() < 1e-3 * power.max()
    speech = power[power > 1e-4 * power.max()]
    assert -30 < 10 * math.log10(speech.mean()) < -16


def test_what_sounds_is_what_the_frames_say(spoken):
    _, _, mel, sound = spoken
    heard = LogMel(MelConfig())(sound[None])[0]
    loud = mel > mel.amax() - 6
    assert (heard - mel)[loud].abs().mean() < 0.35


def test_it_has_the_pitch_of_its_speaker(voice, spoken):
    pyworld = pytest.importorskip("pyworld")
    sound = spoken[3].double().numpy()
    f0, _ = pyworld.dio(sound, RATE, f0_floor=70, f0_ceil=400)
    mean = float(f0[f0 > 0].mean())
    assert mean == pytest.approx(voice[0].figures["mean f0 of the speaker, Hz"], rel=0.15)
    assert (f0 > 0).mean() > 0.35


def test_a_higher_pitch_is_heard(voice, spoken):
    pyworld = pytest.importorskip("pyworld")
    _, net, vocoder = voice
    made, plan, _, _ = spoken
    frames = plan.frames.round().long().clamp(min=1)
    found = []
    for raised in (0.0, 3.0):
        mel = net.render(made.ids, frames, plan.f0 + raised, plan.energy)
        f0, _ = pyworld.dio(vocoder.speak(mel[None])[0].double().numpy(), RATE, f0_floor=70)
        found.append(12 * math.log2(f0[f0 > 0].mean()))
    assert found[1] - found[0] == pytest.approx(3.0, abs=1.2)


def test_it_is_deterministic(voice, spoken):
    assert torch.equal(say(voice, TEXT)[3], spoken[3])
