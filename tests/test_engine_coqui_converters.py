"""Each converter of coqui-tts the whole way: download, verify, load, and clone with it."""

import json
from shutil import copytree

import pytest
import torch
from cloning import RATE, two_people, voice
from coqui_hub import WITH_COQUI, stocked

from audiopipe import Audio, Pipeline
from audiopipe.engines.coqui import CoquiProcess, RefusedError
from audiopipe.engines.coqui_models import pull
from audiopipe.errors import EngineError, ModelError
from audiopipe.models import Store
from audiopipe.stages.clone import Clone
from audiopipe.voices import coqui

pytestmark = WITH_COQUI

ALL = "coqui/voice_conversion_models/multilingual"
FREEVC, KNNVC = f"{ALL}/vctk/freevc24", f"{ALL}/multi-dataset/knnvc"
OPENVOICE = f"{ALL}/multi-dataset/openvoice_v2"
WAVLM = "tts/wavlm/WavLM-Large.pt"


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    kinds = ["openvoice", "openvoice1", "assets", "freevc", "matched"]
    with stocked(tmp_path_factory.mktemp("coqui"), kinds) as hub:
        yield hub


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return two_people(tmp_path_factory.mktemp("people"))


@pytest.mark.parametrize(
    ("name", "rate", "files"),
    [
        (FREEVC, 24_000, 5),
        (KNNVC, 16_000, 4),
        (f"{ALL}/multi-dataset/openvoice_v1", 22_050, 2),
        (OPENVOICE, 22_050, 2),
    ],
)
def test_the_whole_way(hub, people, monkeypatch, name, rate, files):
    pull(name, Store())
    card = Store().card(name)
    assert (card.task, card.settings["rate"], card.licence.name) == ("convert", rate, "MIT")
    assert len(Store().verify(name)) >= files
    asked = sum(hub.requests.values())
    monkeypatch.setenv("AUDIOPIPE_OFFLINE", "1")
    talk = voice(2.0, hz=180.0, seed=5, rate=44_100)
    pipelines = [Pipeline([Clone(model=name, **person)]) for person in people]
    one, other = (pipeline.run(talk)["clone"] for pipeline in pipelines)
    assert (one.rate, one.channels, len(one)) == (RATE, 1, 2 * RATE)
    assert one.samples.abs().max() > 0.01
    assert not torch.equal(one.samples, other.samples)
    for size in (1, 100):  # less than any of them can make a frame of
        short = Audio(talk.samples[:, 20_000 : 20_000 + size], RATE)
        assert len(pipelines[0].run(short)["clone"]) == size
    assert len(Store().verify(name)) >= files  # no use of it changes them
    assert sum(hub.requests.values()) == asked


def test_what_it_fetches_while_it_is_tried(hub, tmp_path):
    store = Store(root=tmp_path)
    hub.broken.add("WavLM-Large.pt")
    with pytest.raises(ModelError, match=r"downloaded, but cannot be loaded.*run again"):
        pull(KNNVC, store)
    assert not (store.folder(KNNVC) / WAVLM).exists()
    folder = pull(KNNVC, store)
    assert (folder / WAVLM).stat().st_size > 50_000
    assert WAVLM in {file.name for file in store.card(KNNVC).files}
    assert not list(folder.rglob("*.part"))
    # What it was tried with is all that it has: nothing more is downloaded.
    (folder / WAVLM).unlink()
    process = CoquiProcess(folder)
    told = store.card(KNNVC).settings
    asked = sum(hub.tunnels.values())
    with pytest.raises(RefusedError, match="which only `audiopipe models pull` may"):
        process.load(told, torch.device("cpu"))
    process.close()
    assert sum(hub.tunnels.values()) == asked


def test_what_was_fetched_does_not_expire(hub, tmp_path):
    folder = copytree(pull(FREEVC, Store()), tmp_path / "copy", symlinks=True)
    notes = folder / "tts_cache" / "cache"
    known = json.loads(notes.read_text())
    for note in known.values():
        note["time"] = 0  # as if it had come half a century ago
    notes.write_text(json.dumps(known))
    process = CoquiProcess(folder)
    told = Store().card(FREEVC).settings
    assert process.load(told, torch.device("cpu"))["rate"] == 24_000
    process.close()


def test_its_process_is_killed(hub, people):
    pull(OPENVOICE, Store())
    pipeline = Pipeline([Clone(model=OPENVOICE, **people[0])])
    stream = pipeline.engine(voice(1.0)).stream()
    stream.push(voice(1.0))
    for there in coqui._open.values():
        there.process._process.kill()
    with pytest.raises(EngineError, match="ended by SIGKILL, as happens where memory is short"):
        list(stream.finish())
