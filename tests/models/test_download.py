"""Every way in which a download goes wrong, against a loopback server."""

import os
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path
from threading import Thread

import pytest

from audiopipe import models
from audiopipe.download import Downloader
from audiopipe.errors import ModelDownloadError, ModelVerificationError
from audiopipe.models import Store

from .conftest import CONTENT, Answer

FILE = "weights.safetensors"
OTHER = bytes(len(CONTENT))


@pytest.fixture
def url(server, shelf):
    url = server.url("/w")
    shelf.add(urls=[url])
    return url


def ranges(server):
    return [wanted for _, wanted in server.requests]


def whole(store):
    """The file is there, right, and nothing else is."""
    home = store.root / "tiny"
    assert (home / FILE).read_bytes() == CONTENT
    assert {path.name for path in home.iterdir()} <= {FILE, ".lock"}
    return True


def absent(store):
    return not (store.root / "tiny" / FILE).exists()


def test_plain(server, store, url):
    told = []
    places = store.pull("tiny", lambda *args: told.append(args))
    assert places == {FILE: store.root / "tiny" / FILE}
    assert whole(store)
    assert told[0] == (FILE, 0, 200_000)
    assert told[-1] == (FILE, 200_000, 200_000)
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    store.pull("tiny")
    assert len(server.requests) == 1  # what is there is not asked for again


def test_breaks_off_and_goes_on(server, store, url, pauses):
    server.script["/w"] = [Answer(stop_after=70_000), Answer(stop_after=50_000)]
    store.pull("tiny")
    assert whole(store)
    assert ranges(server) == [None, "bytes=70000-", "bytes=120000-"]
    assert pauses == [1, 2]


def test_goes_on_behind_a_redirection(server, store, url):
    server.script["/w"] = [Answer(moved_to=server.url("/new"))] * 2
    server.script["/new"] = [Answer(stop_after=70_000)]
    store.pull("tiny")
    assert whole(store)
    assert server.requests[-1] == ("/new", "bytes=70000-")


def test_breaks_off_again_and_again(server, store, url, pauses):
    server.script["/w"] = [Answer(stop_after=10_000) for _ in range(9)]
    with pytest.raises(ModelDownloadError) as refusal:
        store.pull("tiny")
    assert str(refusal.value) == (
        f"{FILE} could not be downloaded:\n  {url}: broke off after 40000 of 200000 bytes (4 tries)"
    )
    assert pauses == [1, 2, 4]
    assert absent(store)
    server.script.clear()
    store.pull("tiny")  # and later it goes on from there
    assert ranges(server)[-1] == "bytes=40000-"
    assert whole(store)


def test_a_try_that_brought_much_is_no_failure(server, tmp_path):
    content = CONTENT * 20
    server.script["/w"] = [
        Answer(body=content, stop_after=1_100_000),
        Answer(body=content, stop_after=1_100_000),
        Answer(body=content, stop_after=1_100_000),
        Answer(body=content),
    ]
    downloader = Downloader(tries=1, sleep=lambda _: None)
    digest = sha256(content).hexdigest()
    target = tmp_path / FILE
    downloader.fetch([server.url("/w")], target, size=len(content), sha256=digest)
    assert target.read_bytes() == content


def test_server_that_ignores_ranges(server, store, url):
    server.script["/w"] = [Answer(stop_after=70_000), Answer(ranges=False)]
    store.pull("tiny")
    assert whole(store)
    assert ranges(server) == [None, "bytes=70000-"]


def test_file_that_changes_in_between(server, store, url):
    server.script["/w"] = [Answer(body=OTHER, etag='"old"', stop_after=70_000)]
    store.pull("tiny")
    assert whole(store)
    assert ranges(server) == [None, "bytes=70000-"]  # If-Range: answered from the beginning


def test_file_that_changes_on_a_server_that_ignores_if_range(server, store, url, caplog):
    server.script["/w"] = [
        Answer(body=OTHER, etag='"old"', stop_after=70_000),
        Answer(ignores_if_range=True),
    ]
    store.pull("tiny")
    assert whole(store)
    assert ranges(server) == [None, "bytes=70000-", None]
    assert "the file has changed on the server" in caplog.text


@pytest.mark.parametrize("etag", ["", 'W/"weak"'])
def test_file_that_changes_unseen(server, store, url, etag):
    server.script["/w"] = [Answer(body=OTHER, etag=etag, stop_after=70_000), Answer(etag=etag)]
    store.pull("tiny")
    assert whole(store)
    assert ranges(server) == [None, "bytes=70000-", None]


def test_wrong_bytes(server, store, url, pauses):
    server.script["/w"] = [Answer(body=OTHER)]
    with pytest.raises(ModelVerificationError) as refusal:
        store.pull("tiny")
    assert str(refusal.value) == (
        f"{FILE} could not be downloaded:\n  {url}: wrong bytes: SHA-256 is "
        f"{sha256(OTHER).hexdigest()}, the card says {sha256(CONTENT).hexdigest()}"
    )
    assert refusal.value.exit_code == 6
    assert pauses == []
    assert [path.name for path in (store.root / "tiny").iterdir() if path.name != ".lock"] == []


def test_wrong_bytes_then_another_address(server, store, shelf, caplog):
    shelf.add(urls=[server.url("/wrong"), server.url("/w")])
    server.script["/wrong"] = [Answer(body=OTHER)]
    store.pull("tiny")
    assert whole(store)
    assert "trying the next address" in caplog.text


def test_part_goes_on_from_another_address(server, store, shelf):
    shelf.add(urls=[server.url("/a"), server.url("/b")])
    server.script["/a"] = [Answer(stop_after=70_000), Answer(status=404)]
    server.script["/b"] = [Answer(etag='"another server, another tag"')]
    store.pull("tiny")
    assert whole(store)
    assert server.requests[-1] == ("/b", "bytes=70000-")
    assert server.statuses == [200, 404, 206]


def test_missing_then_mirror_of_the_card(server, store, shelf, pauses):
    shelf.add(urls=[server.url("/gone"), server.url("/w")])
    server.script["/gone"] = [Answer(status=404)]
    store.pull("tiny")
    assert whole(store)
    assert pauses == []


def test_server_error_passes(server, store, url, pauses):
    server.script["/w"] = [Answer(status=503), Answer(status=429)]
    store.pull("tiny")
    assert whole(store)
    assert pauses == [1, 2]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(status=404), "HTTP 404 Not Found"),
        (Answer(length=150_000), "has 150000 bytes, the card says 200000"),
        (Answer(body=b"<html>Log in</html>"), "has 19 bytes, the card says 200000"),
        (
            Answer(body=CONTENT + b"!", length=0),
            "has more bytes than the 200000 that the card says",
        ),
    ],
)
def test_address_that_is_no_use(server, store, url, answer, reason, pauses):
    server.script["/w"] = [answer]
    with pytest.raises(ModelDownloadError if answer.status else ModelVerificationError) as refusal:
        store.pull("tiny")
    assert str(refusal.value) == f"{FILE} could not be downloaded:\n  {url}: {reason}"
    assert pauses == []
    assert absent(store)


def test_nobody_listens(server, store, shelf):
    url = "http://127.0.0.1:9/w"
    shelf.add(urls=[url])
    with pytest.raises(ModelDownloadError) as refusal:
        store.pull("tiny")
    assert str(refusal.value).startswith(
        f"{FILE} could not be downloaded:\n  {url}: no connection: [Errno 111]"
    )


def test_silent_server(server, store, url, pauses):
    server.script["/w"] = [Answer(hold_after=70_000)]
    Store(downloader=Downloader(timeout=0.3, sleep=pauses.append)).pull("tiny")
    assert whole(store)
    assert ranges(server) == [None, "bytes=70000-"]


def test_slow_server_is_waited_for(server, store, url):
    server.script["/w"] = [Answer(dribble=0.002)]
    store.pull("tiny")
    assert whole(store)
    assert len(server.requests) == 1


def test_part_that_is_whole_is_not_asked_for(server, store, url):
    server.script["/w"] = [Answer(stop_after=199_999)] * 4
    with pytest.raises(ModelDownloadError):
        Store(downloader=Downloader(tries=1)).pull("tiny")
    part = store.root / "tiny" / f"{FILE}.part"
    part.write_bytes(CONTENT)
    store.pull("tiny")
    assert whole(store)
    assert len(server.requests) == 1


@pytest.mark.parametrize("planted", [CONTENT + b"!", OTHER, OTHER[:10]])
def test_foreign_part_is_not_trusted(server, store, url, planted):
    part = store.root / "tiny" / f"{FILE}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(planted)
    store.pull("tiny")
    assert whole(store)
    assert ranges(server) == [None]


def test_card_that_changes_in_between(server, store, shelf, url):
    shelf.add(urls=[url], content=OTHER)
    server.script["/w"] = [Answer(body=OTHER, stop_after=70_000)]
    with pytest.raises(ModelDownloadError):
        Store(downloader=Downloader(tries=1)).pull("tiny")
    shelf.add(urls=[url])
    store.pull("tiny")
    assert whole(store)
    assert ranges(server) == [None, None]


def test_disk_without_room(server, store, url):
    store._downloader = Downloader(free=lambda _: 1_500)
    with pytest.raises(ModelDownloadError) as refusal:
        store.pull("tiny")
    assert str(refusal.value) == (
        f"{store.root / 'tiny'}: 200.0 kB are needed, but only 1.5 kB are free; "
        "make room, or name another folder in AUDIOPIPE_MODELS"
    )
    assert server.requests == []


def test_disk_that_fills_up(server, store, url, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ModelDownloadError, match="No space left on device"):
        store.pull("tiny")
    assert absent(store)


def test_two_threads_download_once(server, store, url):
    server.script["/w"] = [Answer(hold_after=70_000)]
    threads = [Thread(target=store.pull, args=("tiny",), daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    wait_for(lambda: server.requests)
    server.release.set()
    for thread in threads:
        thread.join()
    assert whole(store)
    assert len(server.requests) == 1


PULL = """\
import sys
from pathlib import Path
from audiopipe import models
models.embedded = lambda: Path(sys.argv[1])
print(models.Store().pull("tiny")["weights.safetensors"])
"""


def pull_process(shelf):
    command = [sys.executable, "-c", PULL, str(shelf.folder)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(models.__file__).parents[1],
    )


def wait_for(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_two_processes_download_once(server, store, shelf, url):
    server.script["/w"] = [Answer(hold_after=70_000)]
    first = pull_process(shelf)
    wait_for(lambda: server.requests)
    second = pull_process(shelf)
    assert second.stderr.readline() == "another process downloads tiny: waiting for it\n"
    assert absent(store)
    server.release.set()
    for process in (first, second):
        out, _ = process.communicate()
        assert out == f"{store.root / 'tiny' / FILE}\n"
    assert whole(store)
    assert len(server.requests) == 1


def test_killed_in_the_middle(server, store, shelf, url):
    server.script["/w"] = [Answer(hold_after=150_000)]
    process = pull_process(shelf)
    part = store.root / "tiny" / f"{FILE}.part"
    wait_for(lambda: part.exists() and part.stat().st_size > 100_000)
    assert absent(store)
    assert store.state("tiny") == "not downloaded"
    process.kill()
    process.communicate()
    there = part.stat().st_size
    assert absent(store)
    assert store.state("tiny") == "not downloaded"
    store.pull("tiny")
    assert whole(store)
    assert ranges(server) == [None, f"bytes={there}-"]
    assert store.verify("tiny") == [store.root / "tiny" / FILE]
