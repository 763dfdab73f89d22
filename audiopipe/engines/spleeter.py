"""Deezer's own Spleeter as an engine: its networks run by TensorFlow, in a process of their own.

Sound is cut and joined by ours, with the same frames and segments, so that any length can be
separated; only magnitudes and masks go through the pipe between the two.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import weakref
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from audiopipe.engines.environments import Environments
from audiopipe.errors import EngineError
from audiopipe.nets.spleeter import masks

WORKER = Path(__file__).with_name("spleeter_worker.py")


class DeezerNet:
    """The networks of a checkpoint: as `SpleeterNet`, magnitudes [n, 2, frames, bins] to the share
    of each stem [n, stems, 2, frames, bins].

    `configuration` is Spleeter's name of it, as `2stems-16kHz`; `checkpoint` is the path of its
    files up to `.index`. Raises EngineError: the engine is not installed, or fails.
    """

    def __init__(
        self, configuration: str, checkpoint: Path, stems: int, filters: Sequence[int]
    ) -> None:
        python = Environments().python("spleeter")
        self._stems = stems
        self._lock = Lock()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [str(python), "-I", str(WORKER)],  # or this file would be taken for `spleeter`
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
        )
        self._end = weakref.finalize(self, _end, self._process)
        asked: dict[str, Any] = {
            "configuration": configuration,
            "checkpoint": str(checkpoint),
            "filters": list(filters),
        }
        self._write(json.dumps(asked).encode() + b"\n")
        self._read(len(b"ready\n"))

    def __call__(self, magnitudes: Tensor) -> Tensor:
        count, channels, frames, bins = magnitudes.shape
        block = magnitudes.permute(0, 2, 3, 1).contiguous().cpu().numpy()
        with self._lock:
            self._write(count.to_bytes(4, "little") + block.tobytes())
            content = self._read(4 * self._stems * block.size)
        found = np.frombuffer(content, np.float32)
        stems = torch.from_numpy(found.reshape(self._stems, count, frames, bins, channels).copy())
        return masks(stems.permute(1, 0, 4, 2, 3).to(magnitudes.device))

    def close(self) -> None:
        """End the process."""
        self._end()

    def _write(self, content: bytes) -> None:
        pipe = self._pipe(self._process.stdin)
        try:
            pipe.write(content)
            pipe.flush()
        except OSError:
            raise self._refusal() from None

    def _read(self, size: int) -> bytes:
        content = self._pipe(self._process.stdout).read(size)
        if len(content) < size:
            raise self._refusal()
        return content

    def _pipe(self, pipe: IO[bytes] | None) -> IO[bytes]:
        assert pipe is not None
        return pipe

    def _refusal(self) -> EngineError:
        self._end()
        self._said.seek(0)
        last = self._said.read().decode(errors="replace").strip().splitlines()[-3:]
        told = "\n  ".join(last)
        return EngineError(
            f"engine 'spleeter' ended with {self._process.returncode}; run: audiopipe engines "
            f"remove spleeter, and install it again, if this is not for want of memory:\n  {told}"
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let a process end, as no more comes; a while later, make it."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):  # what it did not take any more
                pipe.close()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
