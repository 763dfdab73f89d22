"""The list of coqui-tts and its models in our store, with a stand-in for its process."""

import json
import pickle
from hashlib import sha1, sha256

import pytest
import torch
from coqui_hub import listing

from audiopipe.engines import coqui_models
from audiopipe.engines.coqui_models import listed, pull
from audiopipe.engines.coqui_worker import (
    FOLDER,
    _hub_name,
    _placed,
    _stay_offline,
    only_weights,
    whole,
)
from audiopipe.engines.environments import COQUI, Engine
from audiopipe.errors import (
    EngineError,
    LicenceError,
    ModelDownloadError,
    ModelError,
    ModelVerificationError,
    OfflineModeError,
)
from audiopipe.models import Store

SEVERAL = "coqui/tts_models/en/tiny/several"
XTTS = "coqui/tts_models/multilingual/multi-dataset/xtts_v2"


class Process:
    """What is asked of coqui-tts; `faults` are what it fails at."""

    faults: dict = {}  # noqa: RUF012
    asked: list = []  # noqa: RUF012

    def __init__(self, folder, network=False):
        assert network
        self.folder = folder

    def download(self, name, models):
        self.asked.append(name)
        (self.folder / "tts").mkdir()
        (self.folder / "tts" / "model.pth").write_bytes(b"half")
        if "download" in self.faults:
            raise EngineError(self.faults["download"])
        (self.folder / "tts" / "model.pth").write_bytes(b"weights")
        return {"model": "tts/model.pth", "config": "tts/config.json", "converts": False}

    def load(self, told, device):
        self.asked.append(told["model"])
        if "load" in self.faults:
            raise EngineError(self.faults["load"])
        about = {"rate": 22050, "speakers": ["anna\n", "p225"], "languages": ["en", "de"]}
        return about | {"several": "xtts" in str(self.folder), "limits": {}}

    def close(self):
        pass


@pytest.fixture(autouse=True)
def process(tmp_path, monkeypatch):
    tree = listing("http://127.0.0.1:9")
    extra = tree["tts_models"]["en"]["tiny"]
    extra["own"] = {"license": "custom - see https://github.com/a/b#c"}
    extra["taco"] = {"license": "MPL", "default_vocoder": "vocoder_models/en/tiny/gan"}
    tree["vocoder_models"] = {"en": {"tiny": {"gan": {"license": "CC BY-NC-ND 4.0"}}}}
    (tmp_path / "list.json").write_text(json.dumps(tree))
    monkeypatch.setattr(coqui_models, "models_file", lambda: tmp_path / "list.json")
    monkeypatch.setattr(coqui_models, "CoquiProcess", Process)
    monkeypatch.setattr(Process, "faults", {})
    monkeypatch.setattr(Process, "asked", [])
    monkeypatch.setenv("AUDIOPIPE_MODELS", str(tmp_path / "store"))
    for name in ("AUDIOPIPE_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    return Process


def test_licences():
    known = {name.split("/")[-1]: model.licence for name, model in listed().items()}
    assert (known["vits"].name, known["vits"].gated) == ("Apache-2.0", False)
    assert (known["xtts_v2"].commercial, known["xtts_v2"].gated) == (False, True)
    assert (known["bare"].name, known["bare"].gated) == ("unknown", True)
    assert known["own"].gated
    assert known["own"].url == "https://github.com/a/b#c"
    assert known["taco"].name == "MPL-2.0 and CC-BY-NC-ND-4.0"
    assert known["taco"].forbidden == "commercial use, changed versions"


def test_a_model_becomes_one_of_the_store(process):
    folder = pull(f"{SEVERAL}:p225", Store())
    card = Store().card(SEVERAL)
    assert card.labels == ("anna", "p225")
    assert card.settings["languages"] == ["en"]
    assert [file.name for file in card.files] == ["tts/model.pth"]
    assert Store().path(f"{SEVERAL}:anna", "tts/model.pth") == folder / "tts" / "model.pth"
    assert Store().state(SEVERAL) == "installed"
    pull(SEVERAL, Store())
    assert len(process.asked) == 2


def test_nothing_before_the_licence(process):
    with pytest.raises(LicenceError, match=f"audiopipe models pull {XTTS} --accept-licence"):
        pull(XTTS, Store())
    assert process.asked == []
    pull(XTTS, Store(), accept_licence=True)
    assert Store().card(XTTS).settings["languages"] == ["en", "de"]
    assert Store().path(XTTS, "tts/model.pth").is_file()


def test_a_download_that_broke_off_is_begun_anew(process):
    process.faults["download"] = "the connection broke"
    with pytest.raises(ModelDownloadError, match=r"the connection broke; run again"):
        pull(SEVERAL, Store())
    with pytest.raises(ModelError, match="is not downloaded"):
        Store().path(SEVERAL, "tts/model.pth")
    process.faults.clear()
    assert (pull(SEVERAL, Store()) / "tts" / "model.pth").read_bytes() == b"weights"


def test_what_could_not_be_loaded_is_not_downloaded_again(process):
    process.faults["load"] = "No espeak backend found. Install espeak-ng"
    with pytest.raises(ModelError, match="cannot be loaded: No espeak backend found"):
        pull(SEVERAL, Store())
    process.faults.clear()
    pull(SEVERAL, Store())
    assert process.asked == ["tts_models/en/tiny/several", "tts/model.pth", "tts/model.pth"]


def test_another_version_of_coqui_tts_tries_it_again(process, monkeypatch):
    pull(SEVERAL, Store())
    newer = Engine(**{**COQUI.__dict__, "package": "coqui-tts==0.29.0"})
    monkeypatch.setattr(coqui_models, "ENGINE", newer)
    pull(SEVERAL, Store())
    assert process.asked[2:] == ["tts/model.pth"]
    assert Store().card(SEVERAL).settings["engine"] == "coqui-tts==0.29.0"


@pytest.mark.parametrize("package", [COQUI.package, "coqui-tts==0.29.0"])
def test_what_has_changed_is_downloaded_again(process, monkeypatch, package):
    weights = pull(SEVERAL, Store()) / "tts" / "model.pth"
    monkeypatch.setattr(coqui_models, "ENGINE", Engine(**{**COQUI.__dict__, "package": package}))
    for spoil in (lambda: weights.write_bytes(b"weighty"), weights.unlink):
        process.asked.clear()
        spoil()
        with pytest.raises(ModelVerificationError, match=f"run: audiopipe models pull {SEVERAL}"):
            Store().path(SEVERAL, "tts/model.pth")
        with pytest.raises(OfflineModeError):
            pull(SEVERAL, Store(offline=True))
        pull(SEVERAL, Store())
        assert process.asked == ["tts_models/en/tiny/several", "tts/model.pth"]
        assert Store().path(SEVERAL, "tts/model.pth").read_bytes() == b"weights"


def test_names_that_leave_the_folder():
    with pytest.raises(ModelError, match="no model"):
        pull("coqui/../../etc", Store())
    assert Store().folder("coqui/../../etc").parent == Store().root / "coqui"


def test_the_hashes_of_a_hub(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"hello")
    assert _hub_name(path, 64) == sha256(b"hello").hexdigest()
    assert _hub_name(path, 40) == sha1(b"blob 5\0hello").hexdigest()


def test_a_configuration_says_where_the_model_lies_now(tmp_path):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"speakers_file": f"{FOLDER}/tts/ids.json"}))
    placed = _placed(config, '/a "b"', tmp_path / "placed.json")
    with open(placed) as file:  # noqa: PTH123
        assert json.load(file) == {"speakers_file": '/a "b"/tts/ids.json'}


def test_a_download_that_breaks_off_leaves_no_file(tmp_path):
    def broken(url, target):
        target.write_bytes(b"half")
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        whole(broken)("http://a/b", tmp_path / "file")
    assert not (tmp_path / "file").exists()
    whole(lambda url, target: (target, target.write_bytes(b"all")))("http://a/b", tmp_path / "file")
    assert [path.read_bytes() for path in tmp_path.iterdir() if path.is_file()].count(b"all") == 1


def test_a_model_that_was_tried_gets_no_network():
    _stay_offline("open", ("model.pth",))
    for event in ("socket.getaddrinfo", "socket.connect"):
        with pytest.raises(OSError, match="which only `audiopipe models pull` may"):
            _stay_offline(event, ())


class Bomb:
    def __reduce__(self):
        return print, ("boom",)


def test_code_in_weights_is_not_run(tmp_path, capsys):
    torch.save(Bomb(), tmp_path / "bomb.pth")
    with pytest.raises(pickle.UnpicklingError):
        only_weights(torch.load)(tmp_path / "bomb.pth", weights_only=False)
    assert capsys.readouterr().out == ""
