"""Compare what came out with what should have, and say where it differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor

import torch
from torch import Tensor

from audiopipe.signals import Detections, Sampled, Signal

Outcome = Mapping[str, Signal]
"""What a run gave, by output name."""


class ConformanceError(AssertionError):
    """A stage does not keep a promise: what was promised, what was measured, and where."""

    def __init__(self, promised: str, measured: str, where: str = "") -> None:
        self.promised, self.measured, self.where = promised, measured, where
        self.case = self.check = ""
        super().__init__(promised, measured, where)

    def __str__(self) -> str:
        head = f"{self.case}: check {self.check!r} failed" if self.check else "check failed"
        lines = [head, f"  promised: {self.promised}", f"  measured: {self.measured}"]
        return "\n".join([*lines, f"  where: {self.where}"] if self.where else lines)


def compare(got: Outcome, want: Outcome, tolerance: float, promised: str, where: str) -> float:
    """Raise ConformanceError where `got` is not `want`; give the largest difference.

    Differences are relative to the largest value of a series, or to 1 if that is larger. NaN
    equals NaN.
    """
    if got.keys() != want.keys():
        raise ConformanceError(promised, f"outputs {sorted(got)}, not {sorted(want)}", where)
    largest = 0.0
    for label, wanted in want.items():
        given = got[label]
        if isinstance(wanted, Sampled) and isinstance(given, Sampled):
            largest = max(
                largest, _sampled(given, wanted, tolerance, promised, f"{where}, {label!r}")
            )
        elif isinstance(wanted, Detections) and isinstance(given, Detections):
            largest = max(
                largest, _events(given, wanted, tolerance, promised, f"{where}, {label!r}")
            )
        elif given != wanted:
            raise ConformanceError(promised, f"{given!r}, not {wanted!r}", f"{where}, {label!r}")
    return largest


def _sampled(given: Sampled, wanted: Sampled, tolerance: float, promised: str, where: str) -> float:
    if len(given) != len(wanted):
        raise ConformanceError(promised, f"{len(given)} elements, not {len(wanted)}", where)
    largest = 0.0
    for name, a, b in zip(wanted.series, given.tensors, wanted.tensors, strict=True):
        if a.shape != b.shape:
            raise ConformanceError(promised, f"{tuple(a.shape)}, not {tuple(b.shape)}", where)
        error = differences(a, b)
        if not error.numel():
            continue
        if bool((error > tolerance).any()):
            at = int((error > tolerance).reshape(-1, len(wanted)).any(0).nonzero()[0])
            count = int((error > tolerance).reshape(-1, len(wanted)).any(0).sum())
            raise ConformanceError(
                f"{promised} (to {tolerance:g})",
                f"{name} differs by {float(error.max()):.3g} at most, in {count} of "
                f"{len(wanted)} elements",
                f"{where}, first at element {at} ({float(time(wanted, at)):.6g} s)",
            )
        largest = max(largest, float(error.max()))
    return largest


def _events(
    given: Detections, wanted: Detections, tolerance: float, promised: str, where: str
) -> float:
    if len(given) != len(wanted):
        raise ConformanceError(promised, f"{len(given)} events, not {len(wanted)}", where)
    largest = 0.0
    for a, b in zip(given, wanted, strict=True):
        for name, wish in vars(b).items():
            value = getattr(a, name)
            if isinstance(wish, float):
                largest = max(largest, abs(value - wish))
            if largest > tolerance or (value != wish and not isinstance(wish, float)):
                raise ConformanceError(promised, f"{a}, not {b}", where)
    return largest


def differences(a: Tensor, b: Tensor) -> Tensor:
    """The relative difference of each element; 1 where flags differ, infinite for a lone NaN."""
    a, b = a.detach().cpu(), b.detach().cpu()
    if not (b.is_floating_point() or b.is_complex()):
        return (a != b).float()
    finite = b.isfinite()
    scale = max(1.0, float(b[finite].abs().max())) if bool(finite.any()) else 1.0
    error = (a - b).abs() / scale
    same = (a == b) | (a.isnan() & b.isnan())
    return error.nan_to_num(nan=torch.inf).masked_fill(same, 0.0)


def changed(a: Sampled, b: Sampled, tolerance: float) -> Tensor:
    """Which elements [time] differ."""
    columns = [
        (differences(x, y) > tolerance).reshape(-1, len(b)).any(0)
        for x, y in zip(a.tensors, b.tensors, strict=True)
    ]
    return torch.stack(columns).any(0)


def time(signal: Sampled, element: int) -> Fraction:
    """The time of an element in s."""
    return Fraction(element * signal.hop, signal.rate)


def due(signal: Signal, end: Fraction) -> int:
    """How many elements lie before `end` s; events count where they stop."""
    if isinstance(signal, Sampled):
        return min(len(signal), max(0, ceil(end * signal.rate / signal.hop)))
    if isinstance(signal, Detections):
        return sum(Fraction(event.stop, signal.rate) < end for event in signal)
    return 0


def until(outcome: Outcome, end: Fraction) -> Outcome:
    """What lies at or before `end` s."""
    return {label: _between(signal, None, end) for label, signal in outcome.items()}


def since(outcome: Outcome, start: Fraction) -> Outcome:
    """What lies at or after `start` s."""
    return {label: _between(signal, start, None) for label, signal in outcome.items()}


def _between(signal: Signal, start: Fraction | None, end: Fraction | None) -> Signal:
    rate = signal.rate
    if isinstance(signal, Sampled):
        first = 0 if start is None else max(0, ceil(start * rate / signal.hop))
        stop = len(signal) if end is None else floor(end * rate / signal.hop) + 1
        stop = min(len(signal), max(0, stop))
        return signal.cut(min(first, stop), stop)
    if isinstance(signal, Detections):
        events = [
            event
            for event in signal
            if (start is None or event.start >= start * rate)
            and (end is None or event.stop <= end * rate)
        ]
        return replace(signal, events=tuple(events))
    return signal


def all_finite(signal: Sampled) -> bool:
    """Whether there is neither NaN nor infinity in any series."""
    return all(bool(tensor.isfinite().all()) for tensor in signal.tensors)
