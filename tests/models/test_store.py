"""The store: what is found, what is verified when, offline mode, mirror, licences."""

import json
import os
import shutil
from hashlib import sha256

import pytest
import torch
from safetensors.torch import save

from audiopipe import ledger
from audiopipe.download import Downloader
from audiopipe.errors import (
    LicenceError,
    ModelDownloadError,
    ModelError,
    ModelVerificationError,
    OfflineModeError,
)
from audiopipe.models import Store, load_weights

from .conftest import CONTENT, FREE, GATED, Answer, card_text

FILE = "weights.safetensors"
RIGHT = sha256(CONTENT).hexdigest()


@pytest.fixture
def hashed(monkeypatch):
    """The files that were hashed, in their order."""
    seen = []
    plain = ledger.sha256_of

    def count(path):
        seen.append(path)
        return plain(path)

    monkeypatch.setattr(ledger, "sha256_of", count)
    return seen


def test_names(store, shelf):
    shelf.add("two")
    shelf.add("one")
    (shelf.folder / "README.md").write_text("not a model")
    assert store.names() == ["one", "two"]


def test_unknown_name(store, shelf):
    shelf.add("keywords-18")
    with pytest.raises(ModelError) as refused:
        store.path("keyword-18", FILE)
    assert str(refused.value) == "there is no model 'keyword-18'; did you mean 'keywords-18'?"


def test_folder_without_its_dot(store, shelf, tmp_path, monkeypatch):
    (tmp_path / "my-words").mkdir()
    (tmp_path / "my-words" / "card.toml").write_text(card_text("my-words"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError) as refused:
        store.card("my-words")
    assert str(refused.value) == (
        "there is no model 'my-words'; did you mean the folder './my-words'?"
    )


def test_card_under_a_wrong_name(store, shelf):
    shelf.add("tiny").rename(shelf.folder / "other")
    with pytest.raises(ModelError) as refused:
        store.card("other")
    assert str(refused.value) == (
        f"{shelf.folder / 'other' / 'card.toml'}: the name is 'tiny', not 'other'"
    )


def test_embedded(store, shelf, hashed):
    home = shelf.add()
    (home / FILE).write_bytes(CONTENT)
    assert store.state("tiny") == "embedded"
    assert store.path("tiny", FILE) == home / FILE
    assert store.pull("tiny") == {FILE: home / FILE}
    assert hashed == [home / FILE]


def test_embedded_and_damaged(store, shelf):
    home = shelf.add()
    (home / FILE).write_bytes(CONTENT[1:])
    wrong = f"{home / FILE}: has 199999 bytes, the card says 200000; install audiopipe again"
    for use in (lambda: store.path("tiny", FILE), lambda: store.pull("tiny")):
        with pytest.raises(ModelVerificationError) as refused:
            use()
        assert str(refused.value) == wrong


def test_own_folder(store, shelf, tmp_path, monkeypatch):
    folder = tmp_path / "my-words"
    folder.mkdir()
    (folder / "card.toml").write_text(card_text("words"))
    (folder / FILE).write_bytes(CONTENT)
    monkeypatch.chdir(tmp_path)
    assert store.path("./my-words", FILE) == folder / FILE
    assert store.path(str(folder), FILE) == folder / FILE
    assert store.installed("./my-words")
    (folder / FILE).unlink()
    with pytest.raises(ModelVerificationError) as refused:
        store.pull("./my-words")
    assert str(refused.value) == (
        f"{folder / FILE}: is not there; restore it, or state its size and sha256 in card.toml "
        "if it is to be so"
    )
    assert {path.name for path in folder.iterdir()} == {"card.toml"}


def test_own_folder_downloads_into_itself(server, store, shelf, tmp_path):
    folder = tmp_path / "my-words"
    folder.mkdir()
    (folder / "card.toml").write_text(card_text("words", urls=[server.url("/w")]))
    assert store.pull(str(folder)) == {FILE: folder / FILE}


def test_not_downloaded(server, store, shelf):
    shelf.add(urls=[server.url("/w")])
    assert not store.installed("tiny")
    with pytest.raises(ModelError) as refused:
        store.path("tiny", FILE)
    assert str(refused.value) == (
        "model 'tiny' is not downloaded (200.0 kB); run: audiopipe models pull tiny"
    )
    assert server.requests == []


def test_hashed_only_if_changed(server, store, shelf, hashed):
    shelf.add(urls=[server.url("/w")])
    place = store.pull("tiny")[FILE]
    hashed.clear()
    for _ in range(3):
        assert Store().path("tiny", FILE) == place
    assert hashed == []
    os.utime(place)
    store.path("tiny", FILE)
    assert hashed == [place]
    store.verify("tiny")
    assert hashed == [place, place]


def test_changed_file_is_refused_and_fetched_again(server, store, shelf):
    shelf.add(urls=[server.url("/w")])
    place = store.pull("tiny")[FILE]
    changed = bytes(len(CONTENT))
    place.write_bytes(changed)
    with pytest.raises(ModelVerificationError) as refused:
        store.path("tiny", FILE)
    assert str(refused.value) == (
        f"{place}: SHA-256 is {sha256(changed).hexdigest()}, the card says {RIGHT}; "
        "run: audiopipe models pull tiny"
    )
    store.pull("tiny")
    assert place.read_bytes() == CONTENT


def test_verify_sees_what_a_stamp_hides(server, store, shelf):
    shelf.add(urls=[server.url("/w")])
    place = store.pull("tiny")[FILE]
    time = place.stat().st_mtime_ns
    place.write_bytes(bytes(len(CONTENT)))
    os.utime(place, ns=(time, time))
    with pytest.raises(ModelVerificationError, match="SHA-256 is"):
        store.verify("tiny")
    with pytest.raises(ModelVerificationError, match="SHA-256 is"):
        store.path("tiny", FILE)


def test_copied_folder_is_taken(server, store, shelf, tmp_path):
    shelf.add(urls=[server.url("/w")])
    store.pull("tiny")
    shutil.copytree(store.root / "tiny", tmp_path / "other" / "tiny")
    other = Store(tmp_path / "other", offline=True)
    assert other.pull("tiny") == {FILE: tmp_path / "other" / "tiny" / FILE}


def test_store_that_is_a_file(server, store, shelf):
    shelf.add(urls=[server.url("/w")])
    store.root.write_text("")
    with pytest.raises(ModelDownloadError) as refused:
        store.pull("tiny")
    assert str(refused.value).startswith(f"{store.root / 'tiny'}: cannot be used: ")


def test_several_files_where_one_is_there(server, store, shelf):
    home = shelf.add(urls=[server.url("/w")])
    second = f"""
[[files]]
name = "labels.txt"
urls = ["{server.url("/labels")}"]
size = 3
sha256 = "{sha256(b"yes").hexdigest()}"
"""
    with (home / "card.toml").open("a") as card:
        card.write(second)
    server.script["/labels"] = [Answer(status=404), Answer(body=b"yes")]
    with pytest.raises(ModelDownloadError):
        store.pull("tiny")
    assert store.state("tiny") == "incomplete"
    assert not store.installed("tiny")
    store.pull("tiny")
    assert [path for path, _ in server.requests] == ["/w", "/labels", "/labels"]
    assert store.state("tiny") == "installed"


# Offline mode and mirror.


@pytest.mark.parametrize(
    ("environment", "offline"),
    [
        ({}, False),
        ({"AUDIOPIPE_OFFLINE": "1"}, True),
        ({"AUDIOPIPE_OFFLINE": "true"}, True),
        ({"HF_HUB_OFFLINE": "1"}, True),
        ({"AUDIOPIPE_OFFLINE": "0", "HF_HUB_OFFLINE": "1"}, False),
        ({"AUDIOPIPE_OFFLINE": ""}, False),
    ],
)
def test_offline_mode_is_set_by_the_environment(monkeypatch, environment, offline):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert Store().offline is offline


def test_offline(server, shelf, tmp_path):
    url = server.url("/w")
    shelf.add(urls=[url])
    store = Store(offline=True)
    for use in (lambda: store.path("tiny", FILE), lambda: store.pull("tiny")):
        with pytest.raises(OfflineModeError) as refused:
            use()
        assert str(refused.value) == (
            "model 'tiny' is not downloaded, and offline mode (AUDIOPIPE_OFFLINE, "
            "HF_HUB_OFFLINE) forbids it:\n"
            f"  {FILE} (200.0 kB) from {url}\n"
            "On a connected machine run: audiopipe models pull tiny\n"
            f"Then copy its folder tiny (200.0 kB) to {tmp_path / 'store' / 'tiny'} on this one."
        )
    assert server.requests == []


def test_mirror_comes_first(server, shelf, monkeypatch):
    shelf.add(urls=[server.url("/w")])
    monkeypatch.setenv("AUDIOPIPE_MIRROR", server.url("/mirror/"))
    Store().pull("tiny")
    assert server.requests == [(f"/mirror/tiny/{FILE}", None)]


def test_mirror_that_has_it_not(server, shelf):
    shelf.add(urls=[server.url("/w")])
    server.script[f"/tiny/{FILE}"] = [Answer(status=404)]
    Store(mirror=server.url("")).pull("tiny")
    assert server.requests == [(f"/tiny/{FILE}", None), ("/w", None)]


def test_mirror_that_is_no_address():
    with pytest.raises(ModelError) as refused:
        Store(mirror="/mnt/models")
    assert str(refused.value) == "the mirror '/mnt/models' is not an http(s) address"


# Licences.


def test_licence_gate(server, store, shelf):
    shelf.add(urls=[server.url("/w")], licence=GATED)
    for use in (lambda: store.path("tiny", FILE), lambda: store.pull("tiny")):
        with pytest.raises(LicenceError) as refused:
            use()
        assert str(refused.value) == (
            "model 'tiny' is under the licence CC-BY-NC-4.0 "
            "(https://creativecommons.org/licenses/by-nc/4.0). It forbids: commercial use. "
            "If you accept it, run: audiopipe models pull tiny --accept-licence"
        )
    assert server.requests == []
    place = store.pull("tiny", accept_licence=True)[FILE]
    assert Store().path("tiny", FILE) == place
    note = json.loads((store.root / ".accepted" / "tiny.json").read_text())
    assert note["licence"] == "CC-BY-NC-4.0"
    assert note["who"]
    assert note["when"].endswith("+00:00")


def test_changed_licence_asks_again(server, store, shelf):
    shelf.add(urls=[server.url("/w")], licence=GATED)
    store.pull("tiny", accept_licence=True)
    shelf.add(urls=[server.url("/w")], licence=GATED + '\nforbids = "use by the military"')
    with pytest.raises(LicenceError) as refused:
        store.path("tiny", FILE)
    assert ", changed since you accepted it on 20" in str(refused.value)
    assert "It forbids: commercial use, use by the military." in str(refused.value)
    store.pull("tiny", accept_licence=True)
    assert store.path("tiny", FILE)


def test_licence_that_only_wants_to_be_accepted(server, store, shelf):
    shelf.add(urls=[server.url("/w")], licence=FREE + "\nacceptance = true")
    with pytest.raises(LicenceError) as refused:
        store.pull("tiny")
    assert str(refused.value) == (
        "model 'tiny' is under the licence MIT (https://opensource.org/license/mit). "
        "If you accept it, run: audiopipe models pull tiny --accept-licence"
    )


def test_free_licence_is_not_recorded(server, store, shelf):
    shelf.add(urls=[server.url("/w")])
    store.pull("tiny", accept_licence=True)
    assert not (store.root / ".accepted").exists()


# Weights.


def test_load_weights(tmp_path):
    weights = {"a": torch.arange(3.0), "b": torch.ones(2, 2)}
    (tmp_path / FILE).write_bytes(save(weights))
    loaded = load_weights(tmp_path / FILE)
    assert loaded.keys() == weights.keys()
    assert all(torch.equal(loaded[name], weights[name]) for name in weights)


@pytest.mark.parametrize("content", [b"", b"abc", save({"a": torch.ones(9)})[:-1]])
def test_damaged_weights(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(ModelError, match="damaged, cannot be loaded"):
        load_weights(tmp_path / FILE)


def test_weights_that_are_not_there(tmp_path):
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_weights(tmp_path / FILE)


def test_planted_pickle_is_never_loaded(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "exploded"),))

    torch.save({"a": Bomb()}, tmp_path / "weights.pt")
    (tmp_path / FILE).write_bytes((tmp_path / "weights.pt").read_bytes())
    for name in ("weights.pt", FILE):
        with pytest.raises(ModelError):
            load_weights(tmp_path / name)
    assert not (tmp_path / "exploded").exists()


def test_time_out_reaches_the_connection(server, shelf, pauses):
    shelf.add(urls=[server.url("/w")])
    server.script["/w"] = [Answer(hold_after=0)] * 2
    store = Store(downloader=Downloader(timeout=0.1, tries=2, sleep=pauses.append))
    with pytest.raises(ModelDownloadError, match=r"the server fell silent \(2 tries\)"):
        store.pull("tiny")
