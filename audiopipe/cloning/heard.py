"""A reference for an engine, which reads it from a file of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from audiopipe.cloning.contour import RATE
from audiopipe.cloning.reference import examine
from audiopipe.consent import read_consent
from audiopipe.io.save import save
from audiopipe.signals import Audio


class Heard:
    """A recording of a voice that has consented, as WAV that every engine reads: mono, 24 kHz, its
    first five minutes.

    `told` is what is to be told of it. Raises ConsentError without a consent that holds, and what
    `examine` raises.
    """

    def __init__(self, reference: str, consent: str) -> None:
        record = read_consent(consent)
        record.check(reference)
        found = examine(reference, torch.device("cpu"))
        self._folder = tempfile.TemporaryDirectory(prefix="audiopipe-")
        samples = Audio(found.samples[None], RATE)
        self.path = save(samples, Path(self._folder.name) / "reference.wav")
        self.digest = record.reference
        self.told = found.told
