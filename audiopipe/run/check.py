"""Run the tests that a definition carries."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from audiopipe.definition import Test
from audiopipe.errors import AudiopipeError, DeviceError, Place
from audiopipe.pipeline import Pipeline, nominal
from audiopipe.run.generate import generate
from audiopipe.signals import (
    Audio,
    Detections,
    Levels,
    PitchTrack,
    Sampled,
    Segment,
    Signal,
    Spectrogram,
    Text,
)

_BETWEEN = re.compile(
    r"^\s*(?:(?P<measure>[a-z ]+?)\s+)?(?P<value>[+-]?[\d.]+)\s*(?P<unit>[A-Za-z%]*)"
    r"\s*(?:±|\+-|\+/-)\s*(?P<margin>[\d.]+)\s*[A-Za-z%]*\s*$"
)


@dataclass(frozen=True)
class Outcome:
    """One expectation, and what was found; `passed` says whether it holds."""

    place: Place
    reference: str
    expected: str
    found: str
    passed: bool


def run_tests(pipeline: Pipeline, device: str = "auto") -> list[Outcome]:
    """Run every test of a definition, on signals that are made or read from files."""
    outcomes = []
    for test in pipeline.definition.tests:
        try:
            outcomes += _run(pipeline, test, device)
        except DeviceError:
            raise  # the definition is not to blame
        except (AudiopipeError, ValueError) as error:
            outcomes.append(Outcome(test.place, "", test.input, str(error), False))
    return outcomes


def _run(pipeline: Pipeline, test: Test, device: str) -> list[Outcome]:
    definition = pipeline.definition
    # A port's name, stems.vocals, would be taken for that of a file.
    outputs = {f"expected-{number}": name for number, name in enumerate(test.expect)}
    graph = replace(definition.graph, outputs=outputs, places={})
    file = Path(definition.file).parent / test.input
    source: Signal | Path
    if file.suffix and " " not in test.input:
        source = file
    elif isinstance(nominal(graph), Text):
        source = Text((Segment(test.input),))
    else:
        source = generate(test.input)
    result = Pipeline.of(replace(definition, graph=graph)).run(source, device=device)
    outcomes = []
    for output, (reference, expected) in zip(outputs, test.expect.items(), strict=True):
        passed, found = _compare(result[output], expected)
        outcomes.append(Outcome(test.place, reference, expected, found, passed))
    return outcomes


def _compare(signal: Signal, expected: str) -> tuple[bool, str]:
    """Whether a signal is as expected, and what it is."""
    if expected == "unvoiced" and isinstance(signal, PitchTrack):
        count = int(signal.voiced.sum())
        return count == 0, f"{count} of {len(signal)} frames are voiced"
    if isinstance(signal, Detections):
        heard = [event.label for event in signal]
        words = [word.strip() for word in expected.split(",") if word.strip()]
        return heard == words, ", ".join(heard)
    match = _BETWEEN.match(expected)
    if not match:
        raise ValueError(f"cannot check {expected!r}; write it as in '440 Hz ± 1'")
    measure, unit = match["measure"] or "", match["unit"]
    known = _measures(signal)
    wanted = [(m, u) for m, u in known if u.lower() == unit.lower() and measure in ("", m)]
    if not wanted:
        names = ", ".join(f"'{m} … {u}'".replace("  ", " ") for m, u in known)
        raise ValueError(f"cannot check {expected!r} of a {type(signal).__name__}; it has {names}")
    value = known[wanted[0]]()
    return abs(value - float(match["value"])) <= float(match["margin"]), f"{value:.6g} {unit}"


def _measures(signal: Signal) -> dict[tuple[str, str], Callable[[], float]]:
    """What can be measured of a signal, by (name, unit)."""
    measures: dict[tuple[str, str], Callable[[], float]] = {}
    if isinstance(signal, PitchTrack):
        measures["pitch", "Hz"] = lambda: float(signal.hz[signal.voiced].median())
        measures["voiced", "%"] = lambda: 100 * float(signal.voiced.float().mean())
    if isinstance(signal, Spectrogram) and signal.frequencies:
        values = signal.values.abs() if signal.values.is_complex() else signal.values
        strongest = int(values.mean(dim=(0, 2)).argmax())
        measures["peak", "Hz"] = lambda: signal.frequencies[strongest]
    if isinstance(signal, Audio):
        measures["peak", "dB"] = lambda: _decibels(signal.samples.abs().max())
        measures["rms", "dB"] = lambda: _decibels(signal.samples.square().mean().sqrt())
    if isinstance(signal, Levels):
        measures["peak", "dB"] = lambda: _decibels(signal.peak.max())
        measures["rms", "dB"] = lambda: _decibels(signal.rms.square().mean().sqrt())
    if isinstance(signal, Sampled):
        measures["length", "s"] = lambda: float(signal.duration)
    return measures


def _decibels(value: torch.Tensor) -> float:
    return float(20 * torch.log10(value.clamp_min(1e-10)))
