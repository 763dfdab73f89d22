"""Recordings with known contents, a microphone without hardware, and the plug-in whose stages
misbehave."""

import os
import signal
import sys
from pathlib import Path

import hypothesis
import numpy as np
import pulse
import pytest
import soundfile
import torch

from audiopipe import registry
from audiopipe.signals import Audio

# The same examples in every run; blocks are computed slowly on a machine that is busy.
hypothesis.settings.register_profile("audiopipe", derandomize=True, deadline=None)
hypothesis.settings.load_profile("audiopipe")

# A shell that starts a job in the background has it ignore Ctrl-C; some tests are about that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Blocks in tests are small: threads that wait for each other cost more than they give.
torch.set_num_threads(1)
os.environ["OMP_NUM_THREADS"] = "1"

PLUGIN = Path(__file__).with_name("plugin")
SHARED = Path(__file__).parents[2] / "shared" / "audio"


def forget_stages():
    """Have the stages looked for anew."""
    registry.find_stage.cache_clear()
    registry.stage_names.cache_clear()


@pytest.fixture
def planted(monkeypatch):
    """The module `tests/plugin/planted.py`, installed as a plug-in for this test.

    Processes that the test starts have it too.
    """
    monkeypatch.syspath_prepend(str(PLUGIN))
    monkeypatch.setenv("PYTHONPATH", str(PLUGIN), prepend=os.pathsep)
    forget_stages()
    import planted

    planted.LOADED.clear()
    yield planted
    monkeypatch.undo()
    sys.modules.pop("planted", None)
    forget_stages()


@pytest.fixture
def sound():
    """A maker of sound that differs at every sample: a tone with some noise."""

    def make(seconds=0.5, rate=16000, channels=1, *, hz=220.0, level=0.5, seed=0):
        generator = np.random.default_rng(seed)
        time = np.arange(round(seconds * rate)) / rate
        rows = [np.sin(2 * np.pi * hz * (c + 1) * time) for c in range(channels)]
        noisy = np.array(rows) * 0.9 + generator.uniform(-0.1, 0.1, (channels, len(time)))
        return Audio(torch.tensor(noisy * level, dtype=torch.float32), rate)

    return make


@pytest.fixture
def write(tmp_path):
    """A writer of audio into files below `tmp_path`; 16 bits, so that nothing is rounded twice."""

    def make(name, audio, folder=tmp_path, **settings):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, audio.numpy().T, audio.rate, **settings)
        return path

    return make


@pytest.fixture
def as_nobody(tmp_path):
    """Do something as somebody who may not; give what is raised. Root may do everything."""

    def run(action):
        if os.geteuid() == 0:
            for folder in (tmp_path, *tmp_path.parents):
                if not folder.stat().st_mode & 0o001:
                    folder.chmod(0o755)
        else:
            tmp_path.chmod(0o555)
        receive, send = os.pipe()
        child = os.fork()
        if not child:
            told = "nothing was raised"
            try:
                if os.geteuid() == 0:
                    os.setuid(65534)
                action()
            except BaseException as error:
                told = f"{type(error).__name__}: {error}"
            os.write(send, told.encode())
            os._exit(0)
        os.close(send)
        with os.fdopen(receive) as answer:
            told = answer.read()
        os.waitpid(child, 0)
        tmp_path.chmod(0o755)
        return told

    return run


@pytest.fixture
def recordings():
    """The folder of real recordings; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"the real recordings are not in {SHARED}")
    return SHARED


@pytest.fixture
def null_sink():
    """A microphone that hears what is played into it: see `pulse.py`."""
    with pulse.null_sink() as sink:
        yield sink
