"""audiopipe: typed, checked, streamable pipelines for audio and speech.

>>> import audiopipe
>>> pipeline = audiopipe.chain("tap")
>>> pipeline.run(audiopipe.Audio([0.0, 0.5], rate=8000))["tap"]
Levels(1 × 1 frames, hop 400 at 8000 Hz)
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Names are imported when they are first used: torch takes seconds, `audiopipe --help` must not.
_HOME = {
    "load": "pipeline",
    "parse": "pipeline",
    "chain": "pipeline",
    "Pipeline": "pipeline",
    "Result": "pipeline",
    "Plan": "plan",
    "Audio": "signals",
    "Spectrogram": "signals",
    "PitchTrack": "signals",
    "Levels": "signals",
    "Scores": "signals",
    "Detection": "signals",
    "Detections": "signals",
    "Note": "signals",
    "Notes": "signals",
    "Segment": "signals",
    "Text": "signals",
    "Stems": "signals",
    "Stage": "stage",
    "Windowed": "stage",
    "Stateful": "stage",
    "TwoPass": "stage",
    "Chain": "stage",
    "Fidelity": "stage",
    "Reach": "stage",
    "Framing": "framing",
    "teach": "teaching.teach",
    "Taught": "teaching.teach",
    "AudiopipeError": "errors",
}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'audiopipe' has no attribute {name!r}")
    return getattr(import_module(f"audiopipe.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
