"""How a training runs for a given time: its clock, learning rate, averaged weights and log.

The time is what counts, not steps: the learning rate has fallen to nothing when it is over. What
was spent before a training was cut off stays spent.
"""

from __future__ import annotations

import json
import math
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Protocol

import torch
from torch import Tensor

WARM_UP = 0.01
EMA_DECAY = 0.999
LOGGED, SAVED = 50, 120.0
"""Steps between lines of the log, and seconds between checkpoints."""


class Training(Protocol):
    """What learns."""

    steps: int

    def step(self, progress: float) -> Mapping[str, float | Tensor]:
        """Take a batch and improve the network; gives the figures of the step."""

    def resume(self, folder: Path) -> float:
        """Read the checkpoint, if there is one; returns the seconds spent so far."""

    def save(self, folder: Path, seconds: float) -> None:
        """Write the checkpoint and the averaged weights, each whole or not at all."""


class Clock:
    """Time spent, over all the runs that a training was cut into: of the processor where that does
    the work, so that a busy machine changes nothing."""

    def __init__(self, budget: float, spent: float, device: torch.device) -> None:
        self.now = time.process_time if device.type == "cpu" else time.monotonic
        self.budget, self.begun = budget, self.now() - spent

    def seconds(self) -> float:
        return self.now() - self.begun

    def progress(self) -> float:
        """From 0 to 1."""
        return min(1.0, self.seconds() / self.budget)


def schedule(progress: float) -> float:
    """Factor of the learning rate: a short rise, then half a cosine down to a hundredth."""
    rise = min(1.0, progress / WARM_UP + 0.01)
    return rise * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))


@torch.no_grad()
def follow(averaged: list[Tensor], current: list[Tensor], count: Tensor | int) -> None:
    """Exponential average of the weights, quick in the first steps so that it forgets the start."""
    decay = min(EMA_DECAY, (1 + int(count)) / (10 + int(count)))
    torch._foreach_lerp_(averaged, current, 1 - decay)


def run(training: Training, folder: Path, minutes: float, device: str = "cpu") -> None:
    """Go on with a training until its minutes are over, or SIGTERM asks for a checkpoint.

    `log.jsonl` in the folder gets a line of the figures' means every `LOGGED` steps.
    """
    torch.set_flush_denormal(True)  # silence would cost a CPU twice the time
    folder.mkdir(parents=True, exist_ok=True)
    clock = Clock(60 * minutes, training.resume(folder), torch.device(device))
    stop: list[bool] = []
    before = signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    saved, found = clock.seconds(), dict[str, list[float | Tensor]]()
    with (folder / "log.jsonl").open("a") as log:
        while clock.progress() < 1.0 and not stop:
            for name, value in training.step(clock.progress()).items():
                found.setdefault(name, []).append(value)
            if training.steps % LOGGED == 0:
                line = {"step": training.steps, "seconds": round(clock.seconds(), 1)}
                line |= {name: round(fmean(map(float, each)), 4) for name, each in found.items()}
                print(json.dumps(line), file=log, flush=True)
                found = {}
            if clock.seconds() - saved > SAVED:
                training.save(folder, clock.seconds())
                saved = clock.seconds()
    training.save(folder, clock.seconds())
    signal.signal(signal.SIGTERM, before)
