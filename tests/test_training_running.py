"""How a training runs: for its time, with a log, from where it was cut off."""

import json
import os
import signal

import pytest
import torch

from training import running
from training.running import Clock, run, schedule


class Counting:
    """A training whose steps take a tenth of a second of a clock that is ours."""

    def __init__(self, clock, stop_at=None):
        self.clock, self.stop_at = clock, stop_at
        self.steps = 0
        self.kept = []

    def step(self, progress):
        self.clock[0] += 0.1
        self.steps += 1
        if self.steps == self.stop_at:
            os.kill(os.getpid(), signal.SIGTERM)
        figures = {"loss": torch.tensor(float(self.steps)), "progress": progress}
        return figures | ({"rare": 7.0} if self.steps % 40 == 0 else {})

    def resume(self, folder):
        path = folder / "state.json"
        self.steps, spent = json.loads(path.read_text()) if path.exists() else (0, 0.0)
        return spent

    def save(self, folder, seconds):
        self.kept.append(round(seconds, 3))
        (folder / "state.json").write_text(json.dumps([self.steps, seconds]))


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(running.time, "process_time", lambda: now[0])
    yield now
    torch.set_flush_denormal(False)


def test_a_training_ends_when_its_minutes_are_over(clock, tmp_path):
    training = Counting(clock)
    run(training, tmp_path / "new", minutes=0.25)
    assert training.steps == pytest.approx(150, abs=1)
    lines = [json.loads(line) for line in (tmp_path / "new/log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines][:2] == [50, 100]
    assert [line["loss"] for line in lines][:2] == [25.5, 75.5]
    assert lines[0]["seconds"] == pytest.approx(5.0)
    assert lines[0]["rare"] == 7.0
    assert lines[1]["progress"] == pytest.approx(0.5, abs=0.02)


def test_it_is_kept_now_and_then_and_at_the_end(clock, tmp_path, monkeypatch):
    monkeypatch.setattr(running, "SAVED", 6.0)
    training = Counting(clock)
    run(training, tmp_path, minutes=0.25)
    assert training.kept == pytest.approx([6.1, 12.2, 15.0], abs=0.11)


def test_a_training_that_is_told_to_stop_goes_on_later(clock, tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    first = Counting(clock, stop_at=60)
    run(first, tmp_path, minutes=0.25)
    assert (first.steps, first.kept) == (60, [pytest.approx(6.0)])
    assert signal.getsignal(signal.SIGTERM) is before
    clock[0] += 1000  # the pause is not spent
    second = Counting(clock)
    run(second, tmp_path, minutes=0.25)
    assert second.steps == pytest.approx(150, abs=1)
    steps = [json.loads(each)["step"] for each in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert steps == sorted(set(steps))


def test_the_learning_rate_rises_and_falls_to_a_hundredth():
    rates = [schedule(k / 100) for k in range(101)]
    assert rates[0] < 0.02
    assert max(rates) == pytest.approx(1.0, abs=0.01)
    assert rates[50] == pytest.approx(0.505, abs=0.01)
    assert rates[100] == pytest.approx(0.01)
    assert sorted(rates[2:], reverse=True) == rates[2:]


def test_a_gpu_is_waited_for_by_the_clock_on_the_wall(monkeypatch):
    monkeypatch.setattr(running.time, "monotonic", lambda: 7.0)
    assert Clock(10.0, 2.0, torch.device("cuda")).begun == 5.0
