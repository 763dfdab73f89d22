"""The voices that ship: what they say sounds like speech, like its speaker, and always the same."""

import math

import pytest
import torch

from audiopipe.models import Store
from audiopipe.nets.frames import LogMel, MelConfig
from audiopipe.nets.speech import SpeechNet
from audiopipe.nets.vocoder import Vocoder
from audiopipe.networks import load_network
from audiopipe.text import plain, segments
from audiopipe.voices.base import voice_names
from audiopipe.voices.tokens import MARKS, labels, tokens

TEXTS = {
    "en": "The quick brown fox jumps over the lazy dog, and runs away.",
    "de": "Der schnelle braune Fuchs springt über den faulen Hund, und läuft davon.",
}
SHIPPED = [
    name
    for name in voice_names()
    if Store().card(name).network == "speech-net" and Store().state(name) == "embedded"
]
RATE, HOP = MelConfig.rate, MelConfig.hop


@pytest.fixture(scope="module", params=SHIPPED)
def voice(request):
    card = Store().card(request.param)
    sizes = {k: v for k, v in card.settings.items() if k not in ("language", "vocoder")}
    net = load_network(card.name, sizes, {}, lambda **given: SpeechNet(card.labels, **given))
    name = card.settings["vocoder"]
    return card, net, load_network(name, Store().card(name).settings, {}, Vocoder.of)


def say(voice):
    card, net, vocoder = voice
    language = card.settings["language"]
    made = tokens(next(segments(plain(TEXTS[language], language))), card.labels)
    plan = net.plan(made.ids)
    frames = plan.frames.round().long().clamp(min=0)
    frames[made.owner >= 0] = frames[made.owner >= 0].clamp(min=1)
    mel, hz = net.render(made.ids, frames, plan.f0, plan.energy)
    return made, plan, mel, vocoder.speak(mel, hz)


@pytest.fixture(scope="module")
def spoken(voice):
    return say(voice)


def test_cards_say_what_may_be_done_and_what_was_measured(voice):
    for card in (voice[0], Store().card(voice[0].settings["vocoder"])):
        assert card.rate == RATE
        assert card.licence.commercial
        assert card.figures["parameters"] > 0
        assert Store().state(card.name) == "embedded"
    assert voice[0].labels == labels(voice[0].settings["language"])


def test_they_are_small_together():
    cards = [Store().card(name) for name in SHIPPED]
    vocoders = {card.settings["vocoder"] for card in cards}
    assert sum(card.size for card in (*cards, *map(Store().card, vocoders))) < 40e6


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
        sound = vocoder.speak(*net.render(made.ids, frames, plan.f0 + raised, plan.energy))
        f0, _ = pyworld.dio(sound.double().numpy(), RATE, f0_floor=70)
        found.append(12 * math.log2(f0[f0 > 0].mean()))
    assert found[1] - found[0] == pytest.approx(3.0, abs=1.2)


def test_it_is_deterministic(voice, spoken):
    assert torch.equal(say(voice)[3], spoken[3])
