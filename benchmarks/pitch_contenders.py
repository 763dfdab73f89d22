"""The other end of `pitch_serve.py`: a tracker in a process of its own, and what it found kept."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

from audiopipe.metrics import Contour

from . import pitch_peers

Floats = NDArray[np.float64]

HERE = Path(__file__).parent
SAME = 0.06
"""Pitches that differ by less are one that moves: a semitone."""
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}


class TrackerError(Exception):
    """A tracker that does not start, or fails on a file."""


class Track(NamedTuple):
    """What was found, at the tracker's own times."""

    seconds: Floats
    hz: Floats
    voiced: NDArray[np.bool_]

    @classmethod
    def read(cls, path: Path) -> Track:
        with np.load(path) as rows:
            hz = np.nan_to_num(rows["hz"].astype(float))
            return cls(rows["seconds"].astype(float), hz, rows["voiced"].astype(bool))

    def at(self, seconds: Floats, late: float = 0.0) -> Contour:
        """The same at the times of the truth, if frames were `late` seconds too late.

        `mir_eval` would hold the voicing of the frame before, which is unkind to long hops: here
        it is that of the nearest frame. The pitch lies on a line between two that are nearly the
        same, and is else that of the nearest. Where no frame is near, nothing was found.
        """
        own = self.seconds - late
        after = np.searchsorted(own, seconds).clip(1, len(own) - 1)
        before = after - 1
        near = np.where(seconds - own[before] <= own[after] - seconds, before, after)
        share = (seconds - own[before]) / (own[after] - own[before])
        low, high = self.hz[before], self.hz[after]
        hz, both = self.hz[near], (low > 0) & (high > 0) & (share > 0) & (share < 1)
        both &= np.abs(low - high) < SAME * np.minimum(low, high)
        low, high, share = low[both], high[both], share[both]
        hz[both] = low ** (1 - share) * high**share
        reached = np.abs(seconds - own[near]) <= np.median(np.diff(own))
        return Contour(seconds, np.where(reached, hz, 0), self.voiced[near] & reached)


@dataclass
class Contender:
    """A tracker by name (see `pitch_peers.tracker`), run by `python`; a process once needed."""

    name: str
    python: str
    cache: Path | None = None
    """Where tracks are kept; ours are not, as they change."""
    _process: subprocess.Popen[str] | None = field(default=None, repr=False)
    _failed: str = ""

    @property
    def ours(self) -> bool:
        return self.name.startswith("ours")

    def ask(self, **request: Any) -> dict[str, Any]:
        """One request, answered; raises TrackerError."""
        if self._failed:
            raise TrackerError(self._failed)
        if self._process is None:
            self._process = subprocess.Popen(
                [self.python, str(HERE / "pitch_serve.py"), self.name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=os.environ | ONE_THREAD,
            )
            try:
                self._answer(self._process)
            except TrackerError as error:
                self._failed = str(error)
                raise
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._answer(self._process)

    def _answer(self, process: subprocess.Popen[str]) -> dict[str, Any]:
        assert process.stdout is not None
        line = process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": "it ended without a word"}
        if "error" in answer:
            raise TrackerError(f"{self.name}: {answer['error']}")
        return answer

    def track(self, key: str, sound: Callable[[], tuple[Floats, int]]) -> Track:
        """What it finds in a sound; `key` names the sound once and for all."""
        name = hashlib.sha256(f"{self._called} {key}".encode()).hexdigest()[:32]
        kept = None if self.cache is None or self.ours else self.cache / f"{name}.npz"
        if kept is not None and kept.exists():
            return Track.read(kept)
        with tempfile.TemporaryDirectory() as folder:
            wave, out = Path(folder) / "sound.wav", Path(folder) / "out.npz"
            samples, rate = sound()
            soundfile.write(wave, samples, rate, subtype="FLOAT")
            self.ask(path=str(wave), out=str(out))
            found = Track.read(out)
            if kept is not None:
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(out, kept)
        return found

    @property
    def _called(self) -> str:
        """How it is called: what is kept no longer holds when that changes."""
        peer = pitch_peers.PEERS.get(self.name.partition("@")[0])
        if peer is None:
            return self.name
        told = {k: v for k, v in inspect.getclosurevars(peer).nonlocals.items() if not callable(v)}
        ranges = pitch_peers.LOW, pitch_peers.HIGH, pitch_peers.HOP
        return f"{self.name} {ranges} {told} {inspect.getsource(peer)}"
