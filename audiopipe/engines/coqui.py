"""Models of coqui-tts, run in a process of their own: voices, and converters of voices."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import weakref
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from audiopipe.engines.environments import COQUI, Environments
from audiopipe.errors import EngineError

WORKER = Path(__file__).with_name("coqui_worker.py")


class RefusedError(EngineError):
    """coqui-tts could not do what it was asked to; its process goes on."""


@dataclass
class _Reply:
    """What has come of an answer, and has not been taken yet."""

    pieces: deque[Tensor] = field(default_factory=deque)
    ended: bool = False
    done: Mapping[str, Any] = field(default_factory=dict)
    error: EngineError | None = None


class CoquiProcess:
    """A process that holds one model, whose files are in `folder`.

    Several streams may be read in turns: what belongs to another is kept for it. Only with
    `network` may it download. Raises EngineError: the engine is not installed, or its process
    ends; RefusedError, with coqui-tts' own words, for what it cannot do.
    """

    def __init__(self, folder: Path, network: bool = False) -> None:
        python = Environments().python(COQUI.name)
        self._folder = folder
        self._lock = Lock()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [str(python), "-I", str(WORKER), *COQUI.shelves],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env=_environment(folder, network),
        )
        self._current: _Reply | None = None
        self._end = weakref.finalize(self, _end, self._process)

    def download(self, name: str, models: Path) -> Mapping[str, Any]:
        """Download a model of the list in the file `models`; gives the names of its files."""
        return self._ask({"do": "fetch", "name": name, "list": str(models)})

    def load(self, told: Mapping[str, Any], device: torch.device) -> Mapping[str, Any]:
        """Load the model; `told` is what `download` gave.

        Gives its `rate` in Hz, `speakers`, `languages`, whether it speaks `several` of them, the
        `limits` of how many characters it can say at once, by language, whether it `clones` who
        speaks in a recording, and whether it `hears` one always, for want of speakers.
        """
        return self._ask({"do": "load", "told": dict(told), "device": str(device)})

    def say(
        self,
        text: str,
        *,
        speaker: str | None = None,
        language: str | None = None,
        reference: tuple[Path, ...] = (),
        early: bool = False,
        seed: int = 0,
    ) -> Iterator[Tensor]:
        """Say a text: samples [1, time] float32, in pieces.

        The voice is that of a speaker of the model, or of the recordings in `reference`. With
        `early` the first piece comes before all is made, if the model can do that.
        """
        asked = {"do": "say", "text": text, "speaker": speaker, "language": language}
        heard = [str(path) for path in reference]
        return self._stream(asked | {"reference": heard, "early": early, "seed": seed})

    def convert(self, source: Path, reference: tuple[Path, ...], *, seed: int = 0) -> Tensor:
        """What the recording `source` says in the voice of `reference`: samples [1, time]."""
        asked = {"do": "convert", "source": str(source), "seed": seed}
        heard = [str(path) for path in reference]
        return torch.cat(list(self._stream(asked | {"reference": heard})), 1)

    @property
    def ended(self) -> bool:
        """Whether the process has ended: nothing more comes of it."""
        return self._process.poll() is not None

    def close(self) -> None:
        """End the process."""
        self._end()

    def _ask(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        reply = self._begin({"folder": str(self._folder), **asked})
        while not reply.ended:
            with self._lock:
                self._receive(reply)
        if reply.error:
            raise reply.error
        return reply.done

    def _stream(self, asked: Mapping[str, Any]) -> Iterator[Tensor]:
        reply = self._begin(asked)
        while True:
            with self._lock:
                if not reply.pieces:
                    self._receive(reply)
                piece = reply.pieces.popleft() if reply.pieces else None
            if piece is not None:
                yield piece
            elif reply.error:
                raise reply.error
            elif reply.ended:
                return

    def _begin(self, asked: Mapping[str, Any]) -> _Reply:
        with self._lock:
            while self._current:
                self._receive(self._current)
            pipe = _pipe(self._process.stdin)
            try:
                pipe.write(json.dumps(asked).encode() + b"\n")
                pipe.flush()
            except (OSError, ValueError):  # it has ended; or we know that it has
                raise self._refusal() from None
            self._current = _Reply()
            return self._current

    def _receive(self, reply: _Reply) -> None:
        """Take the next of what comes for a reply that has not ended."""
        if reply.ended:
            return
        pipe = _pipe(self._process.stdout)
        line = pipe.readline()
        said: dict[str, Any] = json.loads(line) if line.endswith(b"\n") else {"lost": True}
        if "samples" in said:
            content = pipe.read(4 * said["samples"])
            if len(content) == 4 * said["samples"]:
                samples = np.frombuffer(content, np.float32).copy()
                reply.pieces.append(torch.from_numpy(samples)[None])
                return
            said = {"lost": True}
        self._current, reply.ended = None, True
        reply.done = said.get("done", {})
        if "error" in said:
            reply.error = RefusedError(f"coqui-tts: {said['error']}")
        elif "lost" in said:
            reply.error = self._refusal()

    def _refusal(self) -> EngineError:
        self._end()
        self._said.seek(0)
        last = self._said.read().decode(errors="replace").strip().splitlines()[-3:]
        told = "\n  ".join(["", *last])
        code = self._process.returncode
        if code < 0:
            return EngineError(
                f"engine 'coqui' was ended by {_signal(-code)}, as happens where memory is short: "
                f"close other programs, or choose a smaller model, and begin again{told}"
            )
        return EngineError(
            f"engine 'coqui' ended with {code}; run: audiopipe engines remove coqui, and install "
            f"it again, if this is not for want of memory:{told}"
        )


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time one
        return f"signal {number}"


def _environment(folder: Path, network: bool) -> dict[str, str]:
    """What coqui-tts reads: where its files go, and that its own questions are answered."""
    ours = {
        "TTS_HOME": str(folder),
        "HF_HOME": str(folder),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "COQUI_TOS_AGREED": "1",  # a person has accepted the licence in our store
        "FSSPEC_FILECACHE": '{"expiry_time": 0}',  # what it fetched it would fetch again weekly
        "FSSPEC_HTTPS": '{"client_kwargs": {"trust_env": true}}',  # proxies
    }
    offline = {} if network else {"HF_HUB_OFFLINE": "1"}
    return {**os.environ, **ours, **offline}


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let a process end, as no more comes; a while later, make it."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError, ValueError):  # what it did not take any more
                pipe.close()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
