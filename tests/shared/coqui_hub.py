"""A loopback server with what coqui-tts downloads: zips of releases, and repositories of a hub."""

import json
import subprocess
import zipfile
from collections import Counter
from contextlib import suppress
from functools import cache
from hashlib import sha1, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from audiopipe.engines.environments import COQUI, Environments

MAKER = Path(__file__).with_name("coqui_models.py")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = 1 << 20
"""Bytes from which on a hub names a file by its SHA-256."""


@cache
def hub_name(path):
    """The hash by which a hub names a file."""
    content = path.read_bytes()
    if len(content) >= LARGE:
        return sha256(content).hexdigest()
    return sha1(b"blob %d\0" % len(content) + content).hexdigest()


def make(folder):
    """Small models, a folder each, made by coqui-tts itself."""
    python = Environments().python("coqui")
    command = [python, "-I", MAKER, folder, *COQUI.shelves]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def zipped(folder, target):
    """The zip of a release: all files in a folder of its name."""
    with zipfile.ZipFile(target, "w") as file:
        for path in [folder, *sorted(folder.rglob("*"))]:
            file.write(path, Path(target.stem) / path.relative_to(folder))
    return target


class Handler(BaseHTTPRequestHandler):
    def do_HEAD(self):
        self._answer(False)

    def do_GET(self):
        self._answer(True)

    def _answer(self, body):
        hub = self.server.hub
        hub.requests[self.path] += body
        parts = self.path.split("?")[0].strip("/").split("/")
        if parts[0] == "api":
            repository = hub.repositories.get("/".join(parts[2:4]))
            if repository:
                self._about("/".join(parts[2:4]), repository, "tree" in parts)
                return
        elif parts[2:3] == ["resolve"] and "/".join(parts[:2]) in hub.repositories:
            self._file(hub.repositories["/".join(parts[:2])] / "/".join(parts[4:]), body, True)
            return
        elif len(parts) == 1 and parts[0] in hub.releases:
            self._file(hub.releases[parts[0]], body, False)
            return
        self.send_error(404)

    def _about(self, name, folder, tree):
        files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
        answer = {"id": name, "sha": COMMIT, "siblings": [{"rfilename": file} for file in files]}
        if tree:
            answer = [
                {"type": "file", "path": file, "size": path.stat().st_size, "oid": hub_name(path)}
                for file, path in files.items()
            ]
        told = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def _file(self, path, body, hub):
        content = path.read_bytes() if body else b""
        self.send_response(200)
        if hub:
            self.send_header("ETag", f'"{hub_name(path)}"')
            self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(path.stat().st_size))
        self.end_headers()
        if body:
            with suppress(OSError):  # a client that has gone
                self.wfile.write(content)

    def log_message(self, *_):
        pass


def listing(url):
    """A list of models of the kind of coqui-tts' own."""
    return {
        "tts_models": {
            "en": {
                "tiny": {
                    "vits": {"github_rls_url": f"{url}/vits.zip", "license": "apache 2.0"},
                    "several": {"github_rls_url": f"{url}/several.zip", "license": "MIT"},
                    "lost": {"github_rls_url": f"{url}/lost.zip", "license": "MIT"},
                }
            },
            "multilingual": {
                "multi-dataset": {
                    "xtts_v2": {
                        "repo_id": "tts-hub/XTTS-v2",
                        "ignore": ["samples/*", "dvae.pth"],
                        "license": "CPML",
                        "tos_required": True,
                    }
                }
            },
        },
        "voice_conversion_models": {
            "multilingual": {
                "multi-dataset": {
                    "openvoice_v2": {
                        "repo_id": "myshell-ai/OpenVoiceV2",
                        "allow": ["converter/*"],
                        "license": "MIT",
                    }
                }
            }
        },
        "vocoder_models": {},
    }


class Hub:
    """What there is to be had, and what was asked for."""

    def __init__(self):
        self.releases, self.repositories = {}, {}
        self.requests = Counter()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.hub = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stock(self, models):
        """Offer the models that `make` made."""
        for kind in ("vits", "several"):
            self.releases[f"{kind}.zip"] = zipped(models / kind, models / f"{kind}.zip")
        self.repositories["tts-hub/XTTS-v2"] = models / "xtts"
        self.repositories["myshell-ai/OpenVoiceV2"] = models / "openvoice"

    def close(self):
        self._server.shutdown()
        self._server.server_close()
