"""Signals to try a stage on: seeded, and of every kind that a stage may take."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from audiopipe.engine import Engine
from audiopipe.plan import INPUT, Graph, Node, plan
from audiopipe.registry import find_stage, stage_names
from audiopipe.signals import Audio, Sampled, Signal
from audiopipe.stage import Stage, ports

Kind = Literal["sound", "silence", "dc", "loud"]
KINDS: tuple[Kind, ...] = ("sound", "silence", "dc", "loud")

AUDIO_FORMATS = ((16000, 1), (44100, 2), (8000, 1), (48000, 6), (48000, 2))
"""Rates in Hz and channels."""


@dataclass(frozen=True)
class Source:
    """Makes recordings of one format: `make(kind, length, seed)`, length in elements."""

    name: str
    format: Signal
    make: Callable[[Kind, int, int], Sampled]


def sound(rate: int, channels: int, length: int, seed: int = 0) -> Audio:
    """Make what a stage may meet: a gliding voice, a tone, bursts of noise; with pauses.

    >>> sound(8000, channels=2, length=400)
    Audio(2 channels, 400 samples, 8000 Hz, 0.05 s)
    """
    rng = np.random.default_rng((seed, rate, channels))
    t = np.arange(length) / rate
    pitch = 130 + 40 * np.sin(2 * np.pi * 2.5 * t + rng.uniform(0, 6))
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    syllables = np.maximum(0, np.sin(2 * np.pi * 4 * t + rng.uniform(0, 6)))
    voice = syllables * sum(np.sin(k * phase) / k for k in range(1, 9))
    rows = []
    for _ in range(channels):
        tone = np.sin(2 * np.pi * rng.uniform(200, 3000) * t)
        burst = np.sin(2 * np.pi * 3 * t + rng.uniform(0, 6)) > 0.6
        noise = rng.standard_normal(length) * (0.02 + 0.5 * burst)
        rows.append(0.2 * voice + 0.05 * tone + 0.2 * noise)
    return Audio(torch.tensor(np.array(rows), dtype=torch.float32), rate)


def audio_source(rate: int, channels: int) -> Source:
    """Recordings at a rate and a number of channels."""

    def make(kind: Kind, length: int, seed: int) -> Audio:
        audio = sound(rate, channels, length, seed)
        values = {
            "sound": audio.samples,
            "silence": torch.zeros_like(audio.samples),
            "dc": torch.full_like(audio.samples, 0.5),
            "loud": audio.samples * 1e6,
        }
        return Audio(values[kind], rate)

    return Source(f"{rate} Hz, {channels} ch", Audio.empty(rate, channels), make)


def derived_sources(kind: type[Signal]) -> Iterator[Source]:
    """What our own stages make of audio, where it is of the kind that is wanted."""
    audio = audio_source(16000, 1)
    for name in stage_names():
        found = find_stage(name)
        if not issubclass(Audio, found.takes):
            continue
        for number, example in enumerate(found.examples()):
            try:
                (format,) = ports(example.output(*example.accepts(audio.format))).values()
            except ValueError:
                continue
            if isinstance(format, kind) and isinstance(format, Sampled):
                yield _derived(f"{name} {number + 1}", example, audio)


def _derived(name: str, stage: Stage, audio: Source) -> Source:
    planned = plan(Graph((Node("made", stage, (INPUT,)),)), audio.format, device="cpu")
    engine = Engine(planned)
    format = planned.output("made")
    assert isinstance(format, Sampled)

    def make(kind: Kind, length: int, seed: int) -> Sampled:
        samples = 1000 + (length + 8) * format.hop * audio.format.rate // format.rate
        while True:
            whole = audio.make(kind, samples, seed)
            rounds = [out["made"] for out in engine.stream().finish(whole) if "made" in out]
            made: Sampled = type(format).join(rounds)  # type: ignore[arg-type]
            if len(made) >= length:
                return made.cut(0, length)
            samples *= 2

    return Source(f"from {name}", format, make)


def sources(stage: Stage, inputs: int = 1) -> list[Source]:
    """All that the stage can be fed with, as it wants it fed: no two of the same format.

    Raises ValueError where nothing fits.
    """
    offered: list[Source] = []
    if issubclass(Audio, stage.takes):
        offered += [audio_source(rate, channels) for rate, channels in AUDIO_FORMATS]
    else:
        offered += derived_sources(stage.takes)
    found: dict[object, Source] = {}
    reasons = []
    for source in offered:
        try:
            wishes: Sequence[Signal] = stage.accepts(*(source.format,) * inputs)
        except ValueError as error:
            reasons.append(f"{source.name}: {error}")
            continue
        wish = wishes[0]
        if isinstance(wish, Audio):
            source = audio_source(wish.rate, wish.channels)
        assert isinstance(source.format, Sampled)
        found.setdefault(source.format.signature, source)
    if not found:
        raise ValueError(
            f"no input for stage {stage.name!r}, which takes {stage.takes.__name__}: give "
            f"`sources` ({'; '.join(reasons) or 'no registered stage gives that'})"
        )
    return list(found.values())
