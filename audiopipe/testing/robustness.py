"""Checks that a stage stands whatever it is fed, is pure, and loads only when told to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from audiopipe.engine import Engine
from audiopipe.errors import OfflineError
from audiopipe.signals import Sampled
from audiopipe.stage import flatten
from audiopipe.testing.case import Case, check, chunking, run
from audiopipe.testing.compare import ConformanceError, all_finite, compare
from audiopipe.testing.inputs import KINDS
from audiopipe.testing.timing import filled

REPEATED = 1e-6
"""How far two runs of the same may differ: sums are ordered by how memory is aligned."""


@check
def finite(case: Case) -> str:
    """Where the input is finite, so is the output: silence, DC and very loud input too."""
    for kind in KINDS:
        for label, output in run(case.engine, case.signal(kind=kind)).items():
            if isinstance(output, Sampled) and not all_finite(output):
                bad = sum(int((~t.isfinite()).sum()) for t in output.tensors)
                raise ConformanceError(
                    "finite output for finite input",
                    f"{bad} values are not finite",
                    f"{label!r}, input: {kind}",
                )
    return f"finite for {', '.join(KINDS)}"


@check
def tiny(case: Case) -> str:
    """Nothing, one element and two are recordings like others."""
    for count in (0, 1, 2):
        for kind in ("sound", "silence") if count else ("sound",):
            for sizes in ([], [0, *[1] * count, 0]):
                _check_tiny(case, case.signal(count, kind=kind), sizes, f"{count} of {kind}")
    return "0, 1 and 2 elements pass"


def _check_tiny(case: Case, signal: Sampled, sizes: list[int], where: str) -> None:
    outcome = run(case.engine, signal, sizes)
    if outcome.keys() != case.formats.keys():
        raise ConformanceError(f"outputs {sorted(case.formats)}", f"{sorted(outcome)}", where)
    for label, output in outcome.items():
        if isinstance(output, Sampled) and not all_finite(output):
            raise ConformanceError("finite output", "NaN or infinity", f"{label!r}, {where}")


@check
def nan(case: Case) -> str:
    """NaN and infinity in the input break nothing, and change no length."""
    signal, count = case.usual, len(case.usual)
    stretches = {"one NaN": (count // 2, count // 2 + 1), "NaN only": (0, count)}
    bad = {name: filled(case, signal, *at, "nan") for name, at in stretches.items()}
    tensors = [t * torch.inf if t.is_floating_point() else t for t in signal.tensors]
    bad["infinity"] = signal.like(*tensors, start=0)
    for name, recording in bad.items():
        for label, output in run(case.engine, recording).items():
            want = case.whole[label]
            if case.stage.retimes or not (
                isinstance(output, Sampled) and isinstance(want, Sampled)
            ):
                continue
            if len(output) != len(want):
                raise ConformanceError(
                    f"{len(want)} elements", f"{len(output)}", f"{label!r}, input with {name}"
                )
    return f"{', '.join(bad)} pass"


@check
def untouched(case: Case) -> str:
    """The stage does not write to its input."""
    rng, signal = case.random("untouched"), case.usual
    before = [tensor.clone() for tensor in signal.tensors]
    for sizes in ([], chunking(len(signal), rng)):
        run(case.engine, signal, sizes)
        for name, old, new in zip(signal.series, before, signal.tensors, strict=True):
            if not torch.equal(old, new):
                count = int((old != new).sum())
                for tensor, kept in zip(signal.tensors, before, strict=True):
                    tensor.copy_(kept)
                raise ConformanceError(
                    "the input stays as it is", f"{count} values of {name} were overwritten"
                )
    return "the input is as it was"


@check
def repeatable(case: Case) -> str:
    """The same input gives the same output: on one engine, on another, for an equal stage."""
    engine, largest = case.fresh(), 0.0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        first = run(engine, case.usual)
        run(engine, case.signal(seed=3))
        runs = {
            "a second run on the same engine": engine,
            "another engine with the same stage": case.fresh(),
            "an equal stage": _twin(case).fresh(),
        }
        for seed, (where, other) in enumerate(runs.items(), start=2):
            torch.manual_seed(seed)
            got = run(other, case.usual)
            largest = max(largest, compare(got, first, REPEATED, repeatable.promise, where))
    return f"{len(runs)} more runs differ by {largest:.1e} at most"


def _twin(case: Case) -> Case:
    stage = case.stage.model_copy(deep=True)
    return Case(stage, case.source, case.inputs, case.chunkings, case.seed)


@check
def loading(case: Case) -> str:
    """Planning loads nothing; an engine loads each stage once, streams load none."""
    stage = case.stage
    parts = flatten(stage)
    with _watched({type(part) for part in parts}) as calls:
        planned = case.planned()
        if calls:
            raise ConformanceError("no `load` while planning", f"{len(calls)} calls")
        engine = Engine(planned)
        # The planner may have put resample and mix in, which may be watched too.
        ours = sum(type(step.stage) in {type(part) for part in parts} for step in planned.steps)
        if len(calls) != ours:
            raise ConformanceError(f"{ours} `load` for an engine", f"{len(calls)} calls")
        run(engine, case.signal(min(case.length, 2000)))
        run(engine, case.signal(1))
        if len(calls) != ours:
            raise ConformanceError("no `load` by a stream", f"{len(calls) - ours} calls")
    return f"{ours} loaded once"


@contextmanager
def _watched(kinds: set[type[Any]]) -> Iterator[list[type[Any]]]:
    """Note the calls of `load`."""
    calls: list[type[Any]] = []
    kept = [(kind, kind.load, "load" in vars(kind)) for kind in kinds]

    def watch(kind: type[Any], load: Any) -> None:
        def counted(self: Any, *given: Any) -> Any:
            calls.append(kind)
            return load(self, *given)

        kind.load = counted

    try:
        for kind, load, _ in kept:
            watch(kind, load)
        yield calls
    finally:
        for kind, load, own in kept:
            if own:
                kind.load = load
            else:
                del kind.load


@check
def fidelity(case: Case) -> str:
    """A stage that cannot stream says why and what instead; one that is approximate says how."""
    promise = case.stage.fidelity
    if promise.kind in ("offline", "approx") and not promise.why:
        raise ConformanceError(f"a reason (`why`) for {promise.kind!r}", "none")
    if promise.kind != "offline":
        case.plan.check_streamable()
        return promise.kind
    if not promise.instead:
        raise ConformanceError("an alternative (`instead`) to an offline stage", "none")
    try:
        case.plan.check_streamable()
    except OfflineError as error:
        return str(error)
    raise ConformanceError("the plan of an offline stage refuses to stream", "it does not")


CHECKS = (finite, tiny, nan, untouched, repeatable, loading, fidelity)
