"""Signals with known answers."""

from pathlib import Path

import numpy as np
import pytest
import torch

from audiopipe.signals import Audio

SHARED = Path(__file__).parents[3] / "shared" / "audio"


@pytest.fixture
def tone():
    """A maker of tones: every channel has its own frequency, so that none is mistaken."""

    def make(frames=4000, rate=16000, channels=1, level=0.5):
        times = np.arange(frames) / rate
        rows = [level * np.sin(2 * np.pi * 220 * (c + 1) * times) for c in range(channels)]
        return Audio(torch.tensor(np.array(rows), dtype=torch.float32), rate)

    return make


@pytest.fixture
def recordings():
    """The folder of real recordings; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"the real recordings are not in {SHARED}")
    return SHARED
