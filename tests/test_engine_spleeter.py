"""The process that runs Deezer's networks: what goes to it and comes back, and how it ends."""

import sys
import time

import pytest
import spleeters
import torch

from audiopipe import Audio, Pipeline
from audiopipe.engines import spleeter as engine
from audiopipe.engines.environments import Environments
from audiopipe.engines.spleeter import DeezerNet
from audiopipe.errors import EngineError
from audiopipe.separators.base import Choice
from audiopipe.separators.spleeter import parts

WORKER = """
import json, sys
from importlib.util import find_spec
import numpy as np

assert find_spec("beside") is None, "a file of ours would be taken for a package of theirs"

asked = json.loads(sys.stdin.buffer.readline())
print("chatter", file=sys.stderr)
if asked["configuration"] == "broken":
    raise SystemExit("no such network")
sys.stdout.buffer.write(b"ready\\n")
sys.stdout.flush()
while head := sys.stdin.buffer.read(4):
    count = int.from_bytes(head, "little")
    if count == 3:
        raise SystemExit("out of memory")
    block = np.frombuffer(sys.stdin.buffer.read(count * SIZE * 4), np.float32)
    for stem in (block, 2 * block):
        sys.stdout.buffer.write(stem.tobytes())
    sys.stdout.flush()
"""


@pytest.fixture
def worker(tmp_path, monkeypatch):
    """A stand-in for TensorFlow: the second stem is twice as loud as the first."""

    def make(size):
        path = tmp_path / "worker.py"
        path.write_text(WORKER.replace("SIZE", str(size)))
        (tmp_path / "beside.py").write_text("")
        monkeypatch.setattr(engine, "WORKER", path)
        monkeypatch.setattr(Environments, "python", lambda self, name: sys.executable)

    return make


def test_there_and_back(worker, tmp_path):
    worker(2 * 3 * 5)
    net = DeezerNet("2stems", tmp_path / "model", 2, (1, 2))
    magnitudes = torch.rand(2, 2, 3, 5) + 0.1
    found = net(magnitudes)
    assert found.shape == (2, 2, 2, 3, 5)
    torch.testing.assert_close(found[:, 0], torch.full_like(magnitudes, 0.2))
    torch.testing.assert_close(found.sum(1), torch.ones_like(magnitudes))
    net.close()
    net.close()


def test_a_process_that_does_not_begin(worker, tmp_path):
    worker(1)
    with pytest.raises(EngineError, match=r"ended with 1.*\n  chatter\n  no such network"):
        DeezerNet("broken", tmp_path / "model", 2, ())


def test_a_process_that_ends(worker, tmp_path):
    worker(2 * 3 * 5)
    net = DeezerNet("2stems", tmp_path / "model", 2, ())
    with pytest.raises(EngineError, match="out of memory"):
        net(torch.rand(3, 2, 3, 5))


def test_the_process_ends_with_the_net(worker, tmp_path):
    worker(1)
    net = DeezerNet("2stems", tmp_path / "model", 2, ())
    process = net._process
    del net
    for _ in range(100):
        if process.poll() is not None:
            break
        time.sleep(0.1)
    assert process.returncode == 0


def test_as_a_separator(worker, tmp_path):
    worker(2 * 512 * 1024)
    model = spleeters.tiny(tmp_path / "m", 2, engine='"spleeter"', high_band="average")
    sound = torch.randn(2, 20000, generator=torch.Generator().manual_seed(0))
    found = Pipeline([*parts(Choice(model))]).run(Audio(sound, 44100))["spleeter"]
    torch.testing.assert_close(found.parts["vocals"].samples, 0.2 * sound, atol=1e-4, rtol=1e-4)


def test_without_the_engine(tmp_path, monkeypatch):
    monkeypatch.setenv("AUDIOPIPE_ENGINES", str(tmp_path / "none"))
    with pytest.raises(EngineError, match="run: audiopipe engines install spleeter"):
        DeezerNet("2stems", tmp_path / "model", 2, ())
