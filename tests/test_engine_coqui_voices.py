"""Each family of voices of coqui-tts the whole way: download, verify, load, speak.

Not tried are Bark and Tortoise, chains of four networks and more, and what is rare on its list:
Overflow, Neural HMM, Capacitron, and vocoders other than HiFi-GAN.
"""

from pathlib import Path
from shutil import which

import pytest
import torch
from cloning import agree, two_people
from coqui_hub import WITH_COQUI, stocked
from typer.testing import CliRunner

from audiopipe import Pipeline
from audiopipe.cli import app
from audiopipe.engines.coqui_models import pull
from audiopipe.errors import LicenceError, LikenessError, ModelError
from audiopipe.io.read import open_audio
from audiopipe.io.save import save
from audiopipe.models import Store
from audiopipe.signals import Audio, Segment, Text
from audiopipe.stages.speak import Speak
from audiopipe.voices.base import open_voice

pytestmark = WITH_COQUI

TINY = "coqui/tts_models/en/tiny"
MANY = "coqui/tts_models/multilingual/multi-dataset"
XTTS1, YOURTTS = f"{MANY}/xtts_v1.1", f"{MANY}/your_tts"


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    kinds = ["vits", "phonemes", "tacotron", "glow", "gan", "pitched", "yourtts", "xtts1"]
    with stocked(tmp_path_factory.mktemp("coqui"), kinds) as hub:
        yield hub


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return two_people(tmp_path_factory.mktemp("people"))


def said(name, text="Good morning, my dear old friends.", **options):
    """What a voice says: [1, time] at 24 kHz."""
    made = Pipeline([Speak(voice=name, **options)]).run(Text((Segment(text),)))["speak"]
    assert made.rate == 24_000
    return made.samples


@pytest.mark.parametrize(
    ("name", "speaker", "files", "licence"),
    [
        (f"{TINY}/vits", "", 2, "Apache-2.0"),
        pytest.param(
            *(f"{TINY}/phonemes", "", 2, "MIT"),
            marks=pytest.mark.skipif(not which("espeak-ng"), reason="espeak-ng is not installed"),
        ),
        (f"{TINY}/tacotron", "", 4, "Apache-2.0"),
        (f"{TINY}/glow", "", 4, "MPL-2.0 and Apache-2.0"),
        (f"{TINY}/pitched", ":VCTK_p226", 3, "MIT"),
        (YOURTTS, ":male-fr-2:fr", 6, "CC-BY-NC-ND-4.0"),
    ],
)
def test_the_whole_way(hub, monkeypatch, name, speaker, files, licence):
    gated = "NC" in licence
    if gated:
        with pytest.raises(LicenceError, match="commercial use"):
            pull(name, Store())
    pull(name, Store(), accept_licence=gated)
    card = Store().card(name)
    assert (card.task, card.licence.name, len(card.files)) == ("speak", licence, files)
    assert len(Store().verify(name)) == files
    asked = sum(hub.requests.values())
    monkeypatch.setenv("AUDIOPIPE_OFFLINE", "1")
    samples = said(name + speaker)
    assert 0.5 * 24_000 < samples.shape[1] < 20 * 24_000
    assert samples.abs().max() > 0.01
    assert len(Store().verify(name)) == files  # no use of it changes them
    assert sum(hub.requests.values()) == asked


def test_the_whole_way_by_the_command_line(hub, tmp_path):
    bare = f"{TINY}/bare"
    refused = CliRunner().invoke(app, ["models", "pull", bare])
    assert refused.exit_code
    assert "unknown" in str(refused.exception or refused.output)
    done = CliRunner().invoke(app, ["models", "pull", bare, "--accept-licence"])
    assert done.exit_code == 0, (done.output, done.exception)
    target = tmp_path / "a.wav"
    done = CliRunner().invoke(app, ["speak", "Good morning.", "--voice", bare, "-o", str(target)])
    assert done.exit_code == 0, (done.output, done.exception)
    with open_audio(target) as reader:
        assert reader.format.rate == 24_000


def test_speakers_and_languages_of_yourtts(hub):
    pull(YOURTTS, Store(), accept_licence=True)
    assert Store().card(YOURTTS).labels == ("female-en-5", "male-fr-2")
    assert Store().card(YOURTTS).settings["languages"] == ["en", "fr-fr"]
    kept = open_voice(f"{YOURTTS}:female-en-5", torch.device("cpu"))
    assert kept.language == "en"
    woman, man = said(f"{YOURTTS}:female-en-5"), said(f"{YOURTTS}:male-fr-2")
    assert woman.shape != man.shape or not torch.equal(woman, man)
    with pytest.raises(ModelError, match="no speaker 'male-fr-3'; did you mean 'male-fr-2'"):
        said(f"{YOURTTS}:male-fr-3")
    with pytest.raises(ModelError, match="does not speak 'de'; there is en, fr"):
        said(f"{YOURTTS}:male-fr-2:de")


@pytest.mark.parametrize("name", [YOURTTS, XTTS1])
def test_who_speaks_in_a_recording(hub, people, name):
    pull(name, Store(), accept_licence=True)
    kept = open_voice(name, torch.device("cpu"), Path(people[0]["reference"]))
    one, other = (said(name, **person) for person in people)
    assert kept.name == name
    assert one.shape != other.shape or not torch.equal(one, other)


def test_a_model_without_speakers_wants_to_hear_one(hub, people, tmp_path):
    pull(XTTS1, Store(), accept_licence=True)
    with pytest.raises(ModelError, match=r"no speakers of its own.*give it a reference"):
        said(XTTS1)
    quiet = save(Audio(torch.zeros(1, 5 * 24_000), 24_000), tmp_path / "quiet.wav")
    with pytest.raises(LikenessError, match="is silent; record the voice"):
        said(XTTS1, reference=str(quiet), consent=str(agree(quiet)))
