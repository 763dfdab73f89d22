"""How fast keywords are found: one inference, a block of 10 ms, and hours in batch."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits

from audiopipe.engine import Engine
from audiopipe.nets.keywords import folded
from audiopipe.pipeline import BLOCK
from audiopipe.plan import INPUT, Graph, Node, plan
from audiopipe.recognizers import keyword_net
from audiopipe.signals import Audio
from audiopipe.stages.keywords import RATE, Keywords, log_mel

MINUTES = 5


@contextmanager
def threads(count: int) -> Iterator[None]:
    """So many threads for torch and numpy, for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        with threadpool_limits(count), torch.inference_mode():
            yield
    finally:
        torch.set_num_threads(before)


def seconds(
    call: Callable[[], object], rounds: int, clock: Callable[[], float] = time.process_time
) -> float:
    """The median time of a call, after one that warms up: of the processor, which other work on
    the machine disturbs least, or of another `clock`."""
    times = []
    for _ in range(rounds + 1):
        began = clock()
        call()
        times.append(clock() - began)
    return statistics.median(times[1:])


def inference(model: str) -> dict[str, float]:
    """Seconds for one clip on one core: the network, and its spectra."""
    net, clip = folded(keyword_net(model)), torch.randn(1, RATE)
    decibels = log_mel(clip)
    with threads(1):
        return {
            "network": seconds(lambda: net(decibels), 200),
            "log-mel of a clip": seconds(lambda: log_mel(clip), 200),
        }


def batch(model: str, cores: int) -> float:
    """Hours of sound a minute, from samples to events, in blocks as `audiopipe run` feeds them."""
    sound = Audio(0.1 * torch.randn(1, MINUTES * 60 * RATE), RATE)
    engine = _engine(model, sound)
    with threads(cores):
        spent = seconds(lambda: _through(engine, sound, BLOCK), 3, time.perf_counter)
    return MINUTES / 60 / (spent / 60)


def live(model: str) -> float:
    """The share of a core that a stream takes in blocks of 10 ms."""
    sound = Audio(0.1 * torch.randn(1, 20 * RATE), RATE)
    engine = _engine(model, sound)
    with threads(1):
        return seconds(lambda: _through(engine, sound, RATE // 100), 3) / 20


def _engine(model: str, sound: Audio) -> Engine:
    node = Node("keywords", Keywords(model=model), (INPUT,))
    return Engine(plan(Graph((node,)), sound.format, device="cpu"))


def _through(engine: Engine, sound: Audio, size: int) -> None:
    stream = engine.stream()
    for at in range(0, len(sound), size):
        stream.push(sound.cut(at, min(at + size, len(sound))))
    list(stream.finish())
