"""Words in hours of sound: which are missed, what gives false alarms, and when events are told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import add
from typing import Any

from audiopipe.engine import Engine
from audiopipe.metrics import Hit, Spotting, Timing, spot, timing
from audiopipe.pipeline import BLOCK
from audiopipe.plan import INPUT, Graph, Node, plan
from audiopipe.recognizers import keyword_threshold
from audiopipe.signals import Audio, Detection, Detections, Signal
from audiopipe.stage import Stage
from audiopipe.stages.keywords import Keywords
from training.keywords.clips import RATE
from training.keywords.streams import Recording

LIVE = RATE // 100
"""Samples of a block from a microphone: 10 ms."""
FINE = (*(k / 20 for k in range(4, 20)), 0.97, 0.98, 0.99, 0.995)
"""Thresholds at which events are counted."""


@dataclass(frozen=True)
class Heard:
    """What became of a recording at each threshold."""

    name: str
    said: Detections
    spottings: Mapping[float, Spotting]


class Spotter:
    """The stage over recordings: the network once, what it finds for each threshold."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.usual = keyword_threshold(model)
        self.thresholds = tuple(sorted({*FINE, self.usual}))
        self._looking, self._deciding = _engines(model, self.thresholds)

    def hear(self, recordings: Iterable[Recording]) -> list[Heard]:
        """What is found in each recording at each threshold."""
        return [self._hear(recording) for recording in recordings]

    def _hear(self, recording: Recording) -> Heard:
        seconds = recording.audio.duration
        evidence = _run(self._looking, _blocks(recording.audio, BLOCK))
        spottings = {
            threshold: spot(recording.truth, _run(engine, [evidence]), seconds)
            for threshold, engine in self._deciding.items()
        }
        return Heard(recording.name, recording.said, spottings)

    def live(self, recordings: Iterable[Recording], threshold: float) -> Timing:
        """When events are told if sound comes in blocks of 10 ms, and computing takes no time."""
        stage = Keywords(model=self.model, threshold=threshold)
        engine = _engine([stage], Audio.empty(RATE, 1))
        hits: list[Hit] = []
        latest: dict[Detection, int] = {}
        for recording in recordings:
            told = _told(engine, recording.audio)
            found = Detections(tuple(told), RATE)
            hits += spot(recording.truth, found, recording.audio.duration).hits
            latest |= told
        return timing(hits, RATE, latest)


def _told(engine: Engine, audio: Audio) -> dict[Detection, int]:
    """The events in a recording, with the number of samples after which each was told."""
    stream, heard = engine.stream(), 0
    told: dict[Detection, int] = {}
    for block in _blocks(audio, LIVE):
        heard += len(block)
        for found in stream.push(block).values():
            told |= dict.fromkeys(found, heard)  # type: ignore[arg-type]
    return told


def _engines(model: str, thresholds: Sequence[float]) -> tuple[Engine, dict[float, Engine]]:
    """What makes scores and the like of sound, and what makes events of these."""
    *looking, _ = Keywords(model=model).parts()
    scoring = _engine(looking, Audio.empty(RATE, 1))
    (evidence,) = (scoring.plan.output(name) for name in scoring.plan.outputs)
    deciding = {
        t: _engine([Keywords(model=model, threshold=t).parts()[-1]], evidence) for t in thresholds
    }
    return scoring, deciding


def _engine(stages: Sequence[Stage], form: Signal) -> Engine:
    names = [INPUT, *(f"part{k}" for k in range(len(stages)))]
    nodes = (
        Node(name, stage, (above,))
        for (above, name), stage in zip(pairwise(names), stages, strict=True)
    )
    return Engine(plan(Graph(tuple(nodes)), form))


def _run(engine: Engine, blocks: Iterable[Signal]) -> Any:
    """What comes out of an engine with one output, in one piece."""
    stream = engine.stream()
    rounds = [*(stream.push(block) for block in blocks), *stream.finish()]
    given = [out for outs in rounds for out in outs.values()]
    return type(given[0]).join(given)


def _blocks(audio: Audio, size: int) -> Iterator[Audio]:
    for at in range(0, len(audio), size):
        yield audio.cut(at, min(at + size, len(audio)))


def together(heard: Iterable[Heard]) -> dict[float, Spotting]:
    """All recordings as one, by threshold."""
    rows = [one.spottings for one in heard]
    return {t: reduce(add, (row[t] for row in rows)) for t in rows[0]}


def culprits(heard: Iterable[Heard], threshold: float) -> Counter[tuple[str, str]]:
    """What was heard falsely, with what was said there instead: ("go", "the old man ...")."""
    found: Counter[tuple[str, str]] = Counter()
    for one in heard:
        for event in one.spottings[threshold].false:
            found[event.label, _said_at(one.said, event)] += 1
    return found


def _said_at(said: Detections, event: Detection) -> str:
    middle = (event.start + event.stop) // 2
    return next((e.label for e in said if e.start <= middle < e.stop), "(a pause)")
