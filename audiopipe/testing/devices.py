"""Checks that precision and device change little."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from audiopipe.engine import Engine
from audiopipe.signals import Detections, Sampled
from audiopipe.testing.case import Case, check, run
from audiopipe.testing.compare import ConformanceError, Outcome

HALF = 2e-2
"""Error of half precision allowed, RMS relative to the signal; also the share of flags."""
DEVICE = 1e-3
"""The same for CUDA against CPU."""


@check
def half(case: Case) -> str:
    """Half precision gives nearly what float32 gives."""
    if not any(step.stage.half for step in case.plan.steps):
        return "does not apply: float32 only"
    outcome = run(Engine(case.planned(dtype="float16")), case.usual)
    return f"float16 is {_near(outcome, case.whole, HALF):.1e} off"


@check
def cuda(case: Case) -> str:
    """A CUDA device gives what the CPU gives."""
    if not torch.cuda.is_available():
        return "not tried: there is no CUDA device"
    outcome = run(Engine(case.planned(device="cuda")), case.usual)
    return f"CUDA is {_near(outcome, case.whole, DEVICE):.1e} off"


def _near(got: Outcome, want: Outcome, allowed: float) -> float:
    largest = 0.0
    for label, wanted in want.items():
        given = got[label]
        errors: dict[str, float] = {}
        if isinstance(wanted, Sampled) and isinstance(given, Sampled):
            if len(given) != len(wanted):
                raise ConformanceError(f"{len(wanted)} elements", f"{len(given)}", f"{label!r}")
            for name, a, b in zip(wanted.series, given.tensors, wanted.tensors, strict=True):
                errors[name] = _error(a.cpu(), b)
        elif isinstance(wanted, Detections) and isinstance(given, Detections):
            labels = [[event.label for event in events] for events in (given, wanted)]
            if labels[0] != labels[1]:
                raise ConformanceError(f"events {labels[1]}", f"{labels[0]}", f"{label!r}")
            pairs = zip(given, wanted, strict=True)
            errors["score"] = max((abs(a.score - b.score) for a, b in pairs), default=0.0)
        for name, error in errors.items():
            largest = max(largest, error)
            if not error <= allowed:
                raise ConformanceError(
                    f"an error of {allowed:g} at most", f"{error:.3g}", f"{label!r}, {name}"
                )
    return largest


def _error(a: Tensor, b: Tensor) -> float:
    if not b.numel():
        return 0.0
    if b.dtype is torch.bool:
        return float((a != b).float().mean())
    return float(
        (a - b).abs().square().mean().sqrt() / b.abs().square().mean().sqrt().clamp_min(1e-6)
    )


CHECKS = (half, replace(cuda, gpu=True))
