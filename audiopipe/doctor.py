"""Look at a machine: what is there, what is missing, and what to install."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from audiopipe.errors import AudiopipeError
from audiopipe.registry import find_stage, stage_names

PACKAGES = (
    "numpy",
    "torch",
    "torchaudio",
    "librosa",
    "soundfile",
    "pydantic",
    "ruamel.yaml",
    "safetensors",
)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    state: Literal["ok", "optional", "missing"]
    told: str


def examine() -> list[Finding]:
    """Look at everything; nothing is raised."""
    findings = [Finding("python", "ok", sys.version.split()[0])]
    findings += map(_package, PACKAGES)
    for what, look, otherwise in (
        ("ffmpeg", _ffmpeg, "missing it, m4a, video and other formats cannot be read"),
        ("sound devices", _sound, "without them, live runs take files and raw PCM"),
        ("gpu", _gpu, "the CPU is used"),
        ("models", _models, ""),
    ):
        try:
            findings.append(Finding(what, "ok", look()))
        except AudiopipeError as error:
            findings.append(Finding(what, "optional", f"{error}; {otherwise}".rstrip("; ")))
    findings += _stages()
    return findings


def _package(name: str) -> Finding:
    try:
        import_module(name)
        return Finding(name, "ok", version(name))
    except (ImportError, OSError, PackageNotFoundError, RuntimeError) as error:
        cure = "pip install -c constraints.txt audiopipe"
        return Finding(name, "missing", f"cannot be imported ({error}); {cure}")


def _ffmpeg() -> str:
    path = shutil.which("ffmpeg")
    if path is None:
        raise AudiopipeError("not found; install it (Debian, Ubuntu: apt install ffmpeg)")
    told = subprocess.run([path, "-version"], capture_output=True, text=True, check=False)
    return told.stdout.partition(" Copyright")[0].removeprefix("ffmpeg version ")


def _sound() -> str:
    from audiopipe.io.devices import list_devices

    found = list_devices()
    if not found:
        raise AudiopipeError("PortAudio is there, but it finds no device")
    inputs = sum(device.inputs > 0 for device in found)
    return f"{inputs} with inputs, {sum(device.outputs > 0 for device in found)} with outputs"


def _gpu() -> str:
    from audiopipe.device import computing_devices

    found = [f"{name}: {what}" for name, what in computing_devices().items() if name != "cpu"]
    if not found:
        raise AudiopipeError("none can be used")
    return ", ".join(found)


def _models() -> str:
    from audiopipe.models import Store

    store = Store()
    return f"{len(store.names())} known; downloads go to {store.root}"


def _stages() -> Iterator[Finding]:
    for name in stage_names():
        try:
            find_stage(name)
        except Exception as error:
            yield Finding(f"stage {name}", "missing", f"cannot be imported: {error}")
    yield Finding("stages", "ok", ", ".join(stage_names()))
