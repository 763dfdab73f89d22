"""A loopback server with faults on demand, and a shelf of cards made for the test."""

import random
from collections import defaultdict
from dataclasses import dataclass
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest

from audiopipe import models
from audiopipe.download import Downloader
from audiopipe.models import Store

CONTENT = random.Random(2).randbytes(200_000)


@dataclass
class Answer:
    """How the server answers one request."""

    status: int = 0
    moved_to: str = ""
    body: bytes = CONTENT
    etag: str = '"one"'
    ranges: bool = True
    ignores_if_range: bool = False
    length: int | None = None
    stop_after: int | None = None
    hold_after: int | None = None
    dribble: float = 0.0


class Handler(BaseHTTPRequestHandler):
    server: "Server"

    def do_GET(self):
        script = self.server.script[self.path]
        answer = script.pop(0) if script else Answer()
        wanted = self.headers.get("Range")
        self.server.requests.append((self.path, wanted))
        if answer.moved_to:
            self.send_response(302)
            self.send_header("Location", answer.moved_to)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if answer.status:
            self.send_error(answer.status)
            return
        body = answer.body
        if_range = self.headers.get("If-Range")
        strong = if_range == answer.etag and not answer.etag.startswith("W/")
        same = if_range is None or strong or answer.ignores_if_range
        if wanted and answer.ranges and same:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(body):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            body = body[start:]
        else:
            self.send_response(200)
        if answer.etag:
            self.send_header("ETag", answer.etag)
        if answer.length != 0:
            self.send_header("Content-Length", str(answer.length or len(body)))
        self.end_headers()
        self.send_body(body[: answer.stop_after], answer)

    def send_body(self, body, answer):
        try:
            if answer.hold_after is not None:
                self.wfile.write(body[: answer.hold_after])
                self.wfile.flush()
                self.server.release.wait(18)
                body = body[answer.hold_after :]
            step = 1000 if answer.dribble else len(body) or 1
            for start in range(0, len(body), step):
                self.wfile.write(body[start : start + step])
                self.wfile.flush()
                if answer.dribble:
                    self.server.release.wait(answer.dribble)
        except OSError:
            pass  # the client has gone, as clients in these tests do

    def log_request(self, code="-", size="-"):
        self.server.statuses.append(int(code))

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    """Serves CONTENT everywhere; `script` says, for a path, how to answer the next requests."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = defaultdict(list)
        self.requests = []
        self.statuses = []
        self.release = Event()

    def url(self, path):
        return f"http://127.0.0.1:{self.server_port}{path}"


@pytest.fixture
def server(monkeypatch):
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    server = Server()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.release.set()
    server.shutdown()
    server.server_close()
    thread.join()


FREE = 'name = "MIT"\nurl = "https://opensource.org/license/mit"\ncommercial = true'
GATED = (
    'name = "CC-BY-NC-4.0"\nurl = "https://creativecommons.org/licenses/by-nc/4.0"\n'
    "commercial = false"
)


def card_text(
    name="tiny",
    urls=(),
    content=CONTENT,
    file="weights.safetensors",
    licence=FREE,
    extra="",
):
    """A whole card."""
    return f"""\
name = "{name}"
about = "A tiny model."
task = "test"
network = "none"
rate = 16000
{extra}

[[files]]
name = "{file}"
urls = {list(urls)}
size = {len(content)}
sha256 = "{sha256(content).hexdigest()}"

[licence]
{licence}

[[data]]
name = "nothing"
licence = "CC0-1.0"
source = "made for the test"
"""


class Shelf:
    """The folder that stands for the cards in the wheel."""

    def __init__(self, folder: Path):
        self.folder = folder

    def add(self, name="tiny", **changes):
        home = self.folder / name
        home.mkdir(parents=True, exist_ok=True)
        (home / "card.toml").write_text(card_text(name, **changes))
        return home


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    shelf = Shelf(tmp_path / "shelf")
    shelf.folder.mkdir()
    monkeypatch.setattr(models, "embedded", lambda: shelf.folder)
    return shelf


@pytest.fixture(autouse=True)
def _plain_environment(tmp_path, monkeypatch):
    for name in ("AUDIOPIPE_OFFLINE", "HF_HUB_OFFLINE", "AUDIOPIPE_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AUDIOPIPE_MODELS", str(tmp_path / "store"))


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def store(pauses):
    return Store(downloader=Downloader(timeout=10, sleep=pauses.append))
