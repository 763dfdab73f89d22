"""A loopback server with what coqui-tts downloads: zips of releases, repositories of a hub, and, as
a proxy, files by addresses that are written in its code."""

import json
import ssl
import subprocess
import zipfile
from collections import Counter
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha1, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from audiopipe.engines import coqui_models
from audiopipe.engines.environments import COQUI, Environments

WITH_COQUI = [
    pytest.mark.slow,
    pytest.mark.oracle,
    pytest.mark.skipif(
        Environments().state("coqui") != "installed", reason="audiopipe engines install coqui"
    ),
]
"""The marks of tests of coqui-tts itself."""
MAKER = Path(__file__).with_name("coqui_make.py")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPOSITORIES = {
    "xtts": "tts-hub/XTTS-v2",
    "xtts1": "tts-hub/XTTS-v1",
    "openvoice": "myshell-ai/OpenVoiceV2",
    "openvoice1": "myshell-ai/OpenVoice",
}
"""Models that lie on a hub; of the others there are releases."""
LARGE = 1 << 20
"""Bytes from which on a hub names a file by its SHA-256."""


@cache
def hub_name(path):
    """The hash by which a hub names a file."""
    content = path.read_bytes()
    if len(content) >= LARGE:
        return sha256(content).hexdigest()
    return sha1(b"blob %d\0" % len(content) + content).hexdigest()


def make(folder, kinds):
    """Small models, a folder each, made by coqui-tts itself."""
    python = Environments().python("coqui")
    command = [python, "-I", MAKER, folder, ",".join(kinds), *COQUI.shelves]
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

    def do_CONNECT(self):
        """Be the other end of a tunnel, too."""
        self.hub.tunnels[self.path] += 1
        self.send_response(200)
        self.end_headers()
        self.connection = self.server.secure.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", 0)
        self.handle_one_request()

    @property
    def hub(self):
        return self.server.hub

    def _answer(self, body):
        hub = self.hub
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
        elif parts[-1] in hub.releases:
            self._file(hub.releases[parts[-1]], body, False)
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
        if path.name in self.hub.broken:
            self.hub.broken.remove(path.name)
            content = content[: len(content) // 2]
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
                    "bare": {"github_rls_url": f"{url}/vits.zip"},
                    "glow": {
                        "github_rls_url": f"{url}/glow.zip",
                        "default_vocoder": "vocoder_models/en/tiny/gan",
                        "license": "MPL",
                    },
                    "phonemes": {"github_rls_url": f"{url}/phonemes.zip", "license": "MIT"},
                    "tacotron": {
                        "github_rls_url": f"{url}/tacotron.zip",
                        "default_vocoder": "vocoder_models/en/tiny/gan",
                        "license": "apache 2.0",
                    },
                    "pitched": {"github_rls_url": f"{url}/pitched.zip", "license": "MIT"},
                }
            },
            "multilingual": {
                "multi-dataset": {
                    "xtts_v2": {
                        "repo_id": "tts-hub/XTTS-v2",
                        "ignore": ["samples/*", "dvae.pth"],
                        "license": "CPML",
                        "tos_required": True,
                    },
                    "xtts_v1.1": {
                        "repo_id": "tts-hub/XTTS-v1",
                        "license": "CPML",
                        "tos_required": True,
                    },
                    "your_tts": {
                        "github_rls_url": f"{url}/yourtts.zip",
                        "license": "CC BY-NC-ND 4.0",
                    },
                }
            },
        },
        "voice_conversion_models": {
            "multilingual": {
                "vctk": {"freevc24": {"github_rls_url": f"{url}/freevc.zip", "license": "MIT"}},
                "multi-dataset": {
                    "knnvc": {
                        "default_vocoder": "vocoder_models/en/tiny/matched",
                        "license": "MIT",
                    },
                    "openvoice_v1": {
                        "repo_id": "myshell-ai/OpenVoice",
                        "allow": ["checkpoints/converter/*"],
                        "license": "MIT",
                    },
                    "openvoice_v2": {
                        "repo_id": "myshell-ai/OpenVoiceV2",
                        "allow": ["converter/*"],
                        "license": "MIT",
                    },
                },
            }
        },
        "vocoder_models": {
            "en": {
                "tiny": {
                    "gan": {"github_rls_url": f"{url}/gan.zip", "license": "apache 2.0"},
                    "matched": {"github_rls_url": f"{url}/matched.zip", "license": "MIT"},
                }
            }
        },
    }


class Hub:
    """What there is to be had, and what was asked for.

    A file whose name is among the `broken` ones is sent by half, once.
    """

    def __init__(self):
        self.releases, self.repositories, self.broken = {}, {}, set()
        self.requests, self.tunnels = Counter(), Counter()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.hub = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stock(self, models):
        """Offer the models that `make` made."""
        for folder in sorted(path for path in models.iterdir() if path.is_dir()):
            if folder.name in REPOSITORIES:
                self.repositories[REPOSITORIES[folder.name]] = folder
            elif folder.name == "assets":
                self.releases |= {path.name: path for path in folder.iterdir()}
            else:
                target = models / f"{folder.name}.zip"
                self.releases[target.name] = zipped(folder, target)

    def disguise(self, folder):
        """Be GitHub, too, for those who take the proxy and trust the certificate; gives that."""
        key, certificate = folder / "key.pem", folder / "certificate.pem"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        command += ["-subj", "/CN=github.com", "-addext", "subjectAltName=DNS:github.com"]
        command += ["-addext", "keyUsage=critical,digitalSignature,keyCertSign"]
        command += ["-keyout", key, "-out", certificate]
        subprocess.run(command, check=True, capture_output=True)
        self._server.secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._server.secure.load_cert_chain(certificate, key)
        return certificate

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def stocked(folder, kinds):
    """A hub with small models of these kinds, and with a store in `folder`, for a while."""
    make(folder / "models", kinds)
    hub = Hub()
    hub.stock(folder / "models")
    path = folder / "list.json"
    path.write_text(json.dumps(listing(hub.url)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coqui_models, "models_file", lambda: path)
        patch.setenv("AUDIOPIPE_MODELS", str(folder / "store"))
        patch.setenv("HF_ENDPOINT", hub.url)
        patch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "120")
        for name in ("AUDIOPIPE_OFFLINE", "HF_HUB_OFFLINE", "HTTPS_PROXY"):
            patch.delenv(name, raising=False)
        for name in ("NO_PROXY", "no_proxy"):
            patch.setenv(name, "127.0.0.1")
        patch.setenv("https_proxy", hub.url)
        patch.setenv("SSL_CERT_FILE", str(hub.disguise(folder)))
        yield hub
    hub.close()
