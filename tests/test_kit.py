"""The conformance kit can fail: each planted fault is caught by its check, its twin passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import torch
from faulty import (
    CONTEXT,
    BreaksOnNothing,
    Centred,
    CoarseInHalf,
    Delay,
    DividesByZero,
    DropsTail,
    Echo,
    Fader,
    ForgetsAtSeams,
    Hushed,
    Leveller,
    LoadsWhilePlanning,
    LooksAtItsBatch,
    Loud,
    LoudByBlock,
    NoAlternative,
    OneForAll,
    Overwrites,
    Past,
    Random,
    SharedState,
    ShortContext,
    ShortHalo,
    Smoother,
    TooEarly,
    TooLittleAhead,
    TooLittleBehind,
    TooLong,
    UndeclaredContext,
    UnlimitedBehind,
    WrongChannels,
    WrongHop,
    WrongRate,
    WrongStart,
)
from torch import Tensor

from audiopipe.signals import Audio, Levels
from audiopipe.stage import Reach, Stage, Stateful
from audiopipe.testing import (
    CHECKS,
    Case,
    ConformanceError,
    Source,
    cases,
    check_stage,
    pairs,
    sound,
)


@pytest.mark.parametrize(
    "stage",
    [Smoother, Leveller, Fader, Delay, Echo, UnlimitedBehind, Hushed, Centred, Loud],
    ids=lambda kind: kind.__name__,
)
def test_a_right_stage_passes(stage: type[Stage]):
    report = check_stage(stage, chunkings=10, formats=1)
    assert report.chunkings == 10
    assert {check for _, check, _ in report.findings} == {check.name for check in CHECKS}


@pytest.mark.parametrize(
    ("stage", "check", "measured"),
    [
        (ShortHalo, "seams", "differs by"),
        (UndeclaredContext, "chunkings", "differs by"),
        (UndeclaredContext, "batch", "differs by"),
        (ShortContext, "chunkings", "differs by"),
        (LoadsWhilePlanning, "loading", "2 calls"),
        (LooksAtItsBatch, "chunkings", "differs by"),
        (LooksAtItsBatch, "batch", "differs by"),
        (LooksAtItsBatch, "lockstep", "differs by"),
        (Overwrites, "untouched", "values of samples were overwritten"),
        (WrongRate, "format", "rate and hop of output"),
        (WrongRate, "length", "elements"),
        (WrongChannels, "format", "[2] torch.float32"),
        (WrongHop, "format", "rate and hop of output"),
        (DividesByZero, "finite", "not finite"),
        (DividesByZero, "tiny", "NaN or infinity"),
        (Random, "repeatable", "differs by"),
        (DropsTail, "length", "elements"),
        (TooLong, "length", "elements"),
        (OneForAll, "streams", "differs by"),
        (OneForAll, "state", "differs by"),
        (SharedState, "streams", "elements"),
        (SharedState, "repeatable", "elements"),
        (TooLittleAhead, "reach", "differs by"),
        (TooLittleBehind, "reach", "differs by"),
        (TooEarly, "latency", "outputs"),
        (WrongStart, "format", "start 0"),
        (BreaksOnNothing, "tiny", "amax"),
        (ForgetsAtSeams, "chunkings", "differs by"),
        (ForgetsAtSeams, "state", "differs by"),
        (CoarseInHalf, "half", "where"),
        (NoAlternative, "fidelity", "none"),
        (LoudByBlock, "chunkings", "events"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_fault_is_caught(stage: type[Stage], check: str, measured: str):
    with pytest.raises(ConformanceError) as caught:
        check_stage(stage, checks=(check,), formats=1, chunkings=10)
    message = str(caught.value)
    assert f"check '{check}' failed" in message
    assert measured in message
    assert caught.value.promised in message


def test_all_that_fails_is_said_at_once():
    with pytest.raises(ConformanceError) as caught:
        check_stage(SharedState, formats=1, chunkings=2)
    message = str(caught.value)
    assert "checks failed" in message
    for check in ("streams", "repeatable", "chunkings"):
        assert f"check '{check}' failed" in message


def test_the_message_says_promise_measure_and_place():
    with pytest.raises(ConformanceError) as caught:
        check_stage(TooLittleAhead(), checks=("reach",), formats=1)
    lines = str(caught.value).splitlines()
    assert lines[0] == "delay() on 16000 Hz, 1 ch: check 'reach' failed"
    assert lines[1].startswith("  promised: ahead 11 (0.6875 ms)")
    assert lines[2].startswith("  measured: samples differs by inf at most, in 1 of")
    assert lines[3].startswith("  where: outputs up to")


def test_the_report_says_how_much_smaller_the_measured_reach_is():
    class Cautious(Echo):
        behind = CONTEXT + 4

    report = check_stage(Cautious, checks=("reach",), formats=1)
    ((_, _, note),) = report.findings
    assert "behind 12 (0.75 ms) measured, 4 (0.25 ms) less than declared" in note
    assert "random chunkings" in str(report)


def test_an_exception_in_a_stage_is_a_failed_check():
    class Broken(Delay):
        def step(self, model: Any, state: Past, blocks: Sequence[Audio], last: bool) -> Audio:
            raise KeyError("lost")

    with pytest.raises(ConformanceError, match=r"StageError: .*KeyError: 'lost'"):
        check_stage(Broken, checks=("nan",), formats=1)


@dataclass(frozen=True, eq=False, repr=False)
class Own(Levels):
    """A signal of a plug-in's own."""


class Peaks(Stateful):
    """Takes a kind that no registered stage gives."""

    name = "peaks"
    takes = Own

    def output(self, source: Own) -> Own:
        return source

    def reach(self, source: Own) -> Reach:
        return Reach(0, 0, 0)

    def start(self, model: Any, sources: Sequence[Own]) -> None:
        return None

    def step(self, model: Any, state: None, blocks: Sequence[Own], last: bool) -> Own:
        return blocks[0]


def test_a_stage_that_takes_a_kind_of_its_own_is_given_sources():
    with pytest.raises(ValueError, match="no input for stage 'peaks', which takes Own"):
        check_stage(Peaks)

    def make(kind: str, length: int, seed: int) -> Own:
        level = sound(16000, 1, length, seed).samples.abs()
        return Own(level, level, 16000, hop=100)

    source = Source("own", make("sound", 0, 0), make)
    assert check_stage(Peaks, sources=[source], chunkings=3).chunkings == 3


def test_a_stage_that_takes_frames_is_fed_by_registered_stages():
    class Quieter(Stateful):
        name = "quieter"
        takes = Levels

        def output(self, source: Levels) -> Levels:
            return source

        def reach(self, source: Levels) -> Reach:
            return Reach(0, 0, 0)

        def start(self, model: Any, sources: Sequence[Levels]) -> None:
            return None

        def step(self, model: Any, state: None, blocks: Sequence[Levels], last: bool) -> Levels:
            (block,) = blocks
            return block.like(block.peak / 2, block.rms / 2, start=block.start)

    assert "quieter() on from tap 1" in str(check_stage(Quieter, chunkings=2))


def test_pairs_are_every_check_with_every_case():
    found = pairs(Delay, formats=2)
    assert len(found) == 2 * len(CHECKS)
    assert {str(check) for check, _ in found} == {check.name for check in CHECKS}


def test_examples_take_turns_through_the_formats():
    assert len({str(case) for case in cases("tap")}) == 4
    assert [case.inputs for case in cases("mix")].count(2) >= 2


class Drifts(Hushed):
    """Gives something else on every device: here, for every engine."""

    loaded: ClassVar[list[int]] = []

    def load(self, source: Audio, device: torch.device, dtype: torch.dtype) -> float:
        self.loaded.append(1)
        return 0.5 + 0.01 * len(self.loaded)

    def compute(self, model: float, windows: Tensor) -> Tensor:
        return windows[..., CONTEXT:-CONTEXT] * model


@pytest.mark.parametrize("stage", [Hushed, Drifts], ids=lambda kind: kind.__name__)
def test_cuda_is_compared_with_the_cpu(stage: type[Stage], monkeypatch):
    """Where there is no CUDA device, the CPU stands in for it."""
    planned = Case.planned
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(
        Case, "planned", lambda self, device="cpu", dtype="float32": planned(self, "cpu", dtype)
    )
    if stage is Hushed:
        assert "CUDA is 0.0e+00 off" in str(check_stage(stage, checks=("cuda",), formats=1))
    else:
        with pytest.raises(ConformanceError, match="check 'cuda' failed"):
            check_stage(stage, checks=("cuda",), formats=1)
