"""What libsndfile cannot decode, ffmpeg does, in a process of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audiopipe.errors import AudioError, MissingDependencyError
from audiopipe.io.pcm import Frames

_SLACK = 0.25
"""Seconds by which a container's promise may exceed what its codec gives."""


@dataclass(frozen=True)
class Track:
    """The first sound track of a file.

    `duration` in s is None where nobody knows it; `counted` says that the container has
    counted its packets, so that a shorter track has been cut off.
    """

    rate: int
    channels: int
    duration: float | None
    counted: bool


def _program(name: str, path: Path, why: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise MissingDependencyError(
            f"{path}: {why}; {name} may read it, but is not installed: install it (Debian, "
            "Ubuntu: apt install ffmpeg; macOS: brew install ffmpeg), or convert the file to "
            "WAV or FLAC"
        )
    return found


def probe(path: Path, why: str = "libsndfile does not know this format") -> Track:
    """Look at a file; raises AudioError, and MissingDependencyError without ffprobe."""
    entries = "format=duration:stream=codec_type,codec_name,sample_rate,channels,duration,nb_frames"
    command = [_program("ffprobe", path, why), "-v", "error", "-show_entries", entries]
    answer = subprocess.run(
        [*command, "-of", "json", f"file:{path}"], capture_output=True, stdin=subprocess.DEVNULL
    )
    found: dict[str, Any] = json.loads(answer.stdout or b"{}")
    streams = found.get("streams", [])
    if answer.returncode or not streams:
        raise AudioError(
            path,
            f"is not audio, or is damaged: {_reason(answer.stderr, path)}; "
            "if it plays elsewhere, convert it to WAV or FLAC there",
        )
    sounds = [s for s in streams if s.get("codec_type") == "audio"]
    if not sounds:
        kinds = ", ".join(
            sorted({f"{s.get('codec_type')} ({s.get('codec_name')})" for s in streams})
        )
        raise AudioError(path, f"has no sound track, only {kinds}; choose a file with sound")
    sound = sounds[0]
    rate, channels = int(sound.get("sample_rate", 0)), int(sound.get("channels", 0))
    if not rate or not channels:
        raise AudioError(path, "its sound track is damaged: it states no rate or no channels")
    duration = sound.get("duration") or found.get("format", {}).get("duration")
    counted = "duration" in sound and "nb_frames" in sound
    return Track(rate, channels, float(duration) if duration else None, counted)


def _reason(stderr: bytes, path: Path) -> str:
    lines = [line.strip() for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    text = lines[0] if lines else "it is empty"
    return text.split("] ", 1)[-1].replace(f"file:{path}: ", "")


class FfmpegSource:
    """Decodes the first sound track by block."""

    def __init__(self, path: Path, why: str = "libsndfile does not know this format") -> None:
        self.path = path
        self.track = probe(path, why)
        self.rate, self.channels = self.track.rate, self.track.channels
        self.frames: int | None = None
        self.duration = self.track.duration
        self._given = 0
        # Errors go to a file: a pipe that nobody empties would stop ffmpeg.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        program = _program("ffmpeg", path, why)
        quiet = [program, "-nostdin", "-v", "error", "-xerror"]
        wanted = ["-map", "0:a:0", "-c:a", "pcm_f32le", "-f", "f32le", "-"]
        self._process = subprocess.Popen(
            [*quiet, "-i", f"file:{path}", *wanted],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )

    def read(self, size: int) -> Frames:
        """Give the next `size` samples [time, channels], fewer only at the end."""
        assert self._process.stdout is not None
        data = self._process.stdout.read(size * self.channels * 4)
        whole = len(data) // (4 * self.channels) * self.channels
        frames = np.frombuffer(data, "<f4", count=whole).reshape(-1, self.channels)
        self._given += len(frames)
        if len(frames) < size:
            self._check_end()
        return frames

    def _check_end(self) -> None:
        status = self._process.wait()
        self._errors.seek(0)
        seconds = self._given / self.rate
        if status:
            why = _reason(self._errors.read(), self.path)
        elif self.track.counted and self.duration and seconds < self.duration - _SLACK:
            why = "the rest is missing"
        else:
            return
        known = f" of {self.duration:.3f}" if self.duration else ""
        raise AudioError(
            self.path,
            f"is damaged or cut off: decoding ended after {seconds:.3f}{known} s ({why}); get the "
            "whole file, or keep what can be decoded with `ffmpeg -i FILE part.wav`",
        )

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._errors.close()
