"""coqui-tts itself, with small models that it makes: list, licence, download, load, speak, stream.

Nothing of this needs a network. It runs where `audiopipe engines install coqui` has been run.
"""

import json

import numpy as np
import pytest
import soundfile
import torch
from coqui_hub import WITH_COQUI, stocked
from typer.testing import CliRunner

from audiopipe import Pipeline
from audiopipe.cli import app
from audiopipe.engines import coqui_models
from audiopipe.engines.coqui_models import find, models_file, pull
from audiopipe.errors import (
    LicenceError,
    ModelDownloadError,
    ModelError,
    ModelVerificationError,
    OfflineModeError,
)
from audiopipe.models import Store
from audiopipe.signals import Segment, Text
from audiopipe.stages.speak import Speak
from audiopipe.text import plain, segments
from audiopipe.text.language import UNREAD
from audiopipe.voices.base import Manner, open_voice

pytestmark = WITH_COQUI

SEVERAL = "coqui/tts_models/en/tiny/several"
XTTS = "coqui/tts_models/multilingual/multi-dataset/xtts_v2"
OPENVOICE = "coqui/voice_conversion_models/multilingual/multi-dataset/openvoice_v2"
TEXT = "Good morning, my dear old friends."
GOLDEN = (56816, [41.15, 10.69, -0.82, 1.47, 0.52, -7.9, 16.48, -5.18])
"""Samples of TEXT by seed 1, and dB in eight bands of about an octave."""


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    with stocked(tmp_path_factory.mktemp("coqui"), ["several", "xtts"]) as hub:
        yield hub


@pytest.fixture(scope="module")
def several(hub):
    result = CliRunner().invoke(app, ["models", "pull", SEVERAL])
    assert result.exit_code == 0, (result.output, result.exception)
    return open_voice(f"{SEVERAL}:p225", torch.device("cpu"))


@pytest.fixture(scope="module")
def xtts(hub):
    pull(XTTS, Store(), accept_licence=True)
    return open_voice(f"{XTTS}:Ana Florence", torch.device("cpu"))


def said(voice, text=TEXT, **manner):
    sentence = next(segments(plain(text, voice.language)))
    pieces = [piece.samples for piece in voice.say(sentence, Manner(**manner))]
    return torch.cat(pieces, 1), pieces


def test_its_list(hub):
    known = coqui_models.listed()
    assert {SEVERAL, XTTS, OPENVOICE} < set(known)
    assert (known[XTTS].licence.commercial, known[XTTS].licence.gated) == (False, True)
    assert (known[SEVERAL].licence.name, known[SEVERAL].licence.gated) == ("MIT", False)
    assert known[OPENVOICE].task == "convert"
    with pytest.raises(ModelError, match="did you mean 'coqui/tts_models/en/tiny/several'"):
        find("coqui/tts_models/en/tiny/severl")


def test_the_list_that_comes_with_it(monkeypatch):
    monkeypatch.setattr(coqui_models, "models_file", models_file)
    tree = json.loads(models_file().read_text())
    known = coqui_models.listed()
    kinds = [tree["tts_models"], tree["voice_conversion_models"]]
    sets = [models for kind in kinds for language in kind.values() for models in language.values()]
    assert len(known) == sum(map(len, sets)) > 70
    assert known[XTTS].licence.gated
    assert not known["coqui/tts_models/en/ljspeech/vits"].licence.gated
    codes = {name.split("/")[2].split("-")[0].split("_")[0].lower() for name in known}
    assert codes - {"multilingual"} <= UNREAD | {"en", "de"}


def test_nothing_is_downloaded_before_its_licence_is_accepted(hub):
    before = sum(hub.requests.values())
    with pytest.raises(LicenceError, match=r"commercial use.*--accept-licence"):
        pull(XTTS, Store())
    with pytest.raises(OfflineModeError, match="on a connected machine run"):
        pull(SEVERAL + ":p225", Store(root=Store().root / "none", offline=True))
    assert sum(hub.requests.values()) == before


def test_what_cannot_be_downloaded_is_no_model(hub):
    with pytest.raises(ModelDownloadError, match="could not be downloaded: coqui-tts: "):
        pull("coqui/tts_models/en/tiny/lost", Store())
    with pytest.raises(ModelError, match="is not downloaded"):
        Store().card("coqui/tts_models/en/tiny/lost")


def test_its_card(several):
    store = Store()
    card = store.card(f"{SEVERAL}:p225")
    assert card.labels == ("anna", "p225")
    assert (card.task, card.network, card.settings["rate"]) == ("speak", "coqui", 22050)
    assert store.state(SEVERAL) == "installed"
    assert len(store.verify(SEVERAL)) == len(card.files) == 3
    shown = CliRunner().invoke(app, ["models", "list", "--engine", "coqui", "--json"]).stdout
    states = {row["name"]: row["state"] for row in json.loads(shown)}
    assert states[SEVERAL] == "installed"
    assert states["coqui/tts_models/en/tiny/vits"] == "not downloaded"


def test_a_seed_is_a_rendering(several):
    one, _ = said(several, seed=1)
    again, _ = said(several, seed=1)
    other, _ = said(several, seed=2)
    assert torch.equal(one, again)
    assert one.shape != other.shape or not torch.equal(one, other)


def test_speakers_differ(several):
    anna = open_voice(f"{SEVERAL}:anna", torch.device("cpu"))
    assert anna._loaded is several._loaded
    (one, _), (other, _) = said(several), said(anna)
    assert one.shape != other.shape or not torch.equal(one, other)


def test_golden_audio(several):
    """What these weights say with this seed: a new version of a package may not change it."""
    samples, _ = said(several, seed=1)
    spectrum = torch.stft(samples[0], 1024, window=torch.hann_window(1024), return_complex=True)
    bands = spectrum.abs().square().mean(1)[1:].split([2, 6, 8, 16, 32, 64, 128, 256])
    found = [round(10 * float(torch.log10(band.mean())), 2) for band in bands]
    size, levels = GOLDEN
    assert samples.shape[1] == size
    assert found == pytest.approx(levels, abs=0.1)


def test_as_a_stage(several):
    stage = Speak(voice=f"{SEVERAL}:p225")
    text = Text((Segment("It is 10:30. We go home."),))
    audio = Pipeline([stage]).run(text)["speak"]
    assert audio.rate == 24_000
    assert len(audio) > 24_000
    assert audio.samples.abs().max() > 0.1


def test_xtts_in_pieces(xtts):
    early, pieces = said(xtts, early=True)
    _, few = said(xtts)
    assert len(pieces) > len(few) == 2
    assert torch.equal(early, said(xtts, early=True)[0])


def test_xtts_in_another_language(xtts):
    german = open_voice(f"{XTTS}:Damien Black:de", torch.device("cpu"))
    assert german.language == "de"
    assert german._limit == 253
    assert said(german, "Guten Morgen, meine Freunde.")[0].abs().max() > 0.01


def test_a_voice_that_is_heard(xtts, tmp_path):
    heard = tmp_path / "heard.wav"
    noise = np.random.default_rng(0).normal(0, 0.1, 48_000)
    soundfile.write(heard, noise, 24_000)
    made = xtts._loaded.process.say(TEXT, language="en", reference=(heard,), early=True)
    assert sum(piece.shape[1] for piece in made) > 1000


def test_weights_that_have_changed(several):
    store = Store()
    path = store.folder(SEVERAL) / store.card(SEVERAL).files[1].name
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"x")
    try:
        with pytest.raises(ModelVerificationError, match="SHA-256"):
            store.path(SEVERAL, store.card(SEVERAL).files[1].name)
    finally:
        path.write_bytes(content)
