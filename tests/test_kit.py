"""The conformance kit can fail: each planted fault is caught by its check, its twin passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from audiopipe.framing import Concatenate, Framing, OverlapAdd
from audiopipe.signals import Audio, Detection, Detections, Levels
from audiopipe.stage import Fidelity, Reach, Stage, Stateful, TwoPass, Windowed
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

CONTEXT = 12
"""Samples to either side that a moving average looks at."""
STRETCH = 64
"""Samples a window gives."""


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Blocks are small: threads that wait for each other cost more than they give."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Smoother(Windowed):
    """A moving average over a halo on both sides."""

    name = "smoother"
    halo: ClassVar[int] = CONTEXT

    def output(self, source: Audio) -> Audio:
        return source

    def framing(self, source: Audio) -> Framing:
        halo = self.halo
        return Framing(STRETCH + 2 * halo, STRETCH, halo, STRETCH + halo, Concatenate(STRETCH))

    def compute(self, model: None, windows: Tensor) -> Tensor:
        halo = CONTEXT - self.halo
        windows = torch.nn.functional.pad(windows, (halo, halo))
        return windows.unfold(-1, 2 * CONTEXT + 1, 1).mean(-1)


class ShortHalo(Smoother):
    """Has less context than its average is long: zeros stand in for it at the windows' edges."""

    halo = CONTEXT - 5


class UndeclaredContext(Smoother):
    """Takes the context that it does not declare from the next window in the batch."""

    halo = 0

    def compute(self, model: None, windows: Tensor) -> Tensor:
        row = torch.nn.functional.pad(windows.movedim(0, -2).flatten(-2), (CONTEXT, CONTEXT))
        smooth = row.unfold(-1, 2 * CONTEXT + 1, 1).mean(-1)
        return smooth.unflatten(-1, (windows.shape[0], STRETCH)).movedim(-2, 0)


class LoadsWhilePlanning(Smoother):
    """Reads its weights to know its format."""

    def output(self, source: Audio) -> Audio:
        self.load(source, torch.device("cpu"), torch.float32)
        return source


class LooksAtItsBatch(Smoother):
    """Normalises over all windows that happen to be computed together."""

    def compute(self, model: None, windows: Tensor) -> Tensor:
        return super().compute(model, windows) / (1 + windows.abs().amax())


class Overwrites(Smoother):
    """Works in place, on what may be the caller's own memory."""

    halo = 0

    def compute(self, model: None, windows: Tensor) -> Tensor:
        return windows.mul_(0.5)


class WrongRate(Smoother):
    """Says that half as many samples a second come out."""

    def output(self, source: Audio) -> Audio:
        return Audio.empty(source.rate // 2, source.channels)


class WrongChannels(Smoother):
    """Gives one channel more than it says."""

    def compute(self, model: None, windows: Tensor) -> Tensor:
        smooth = super().compute(model, windows)
        return torch.cat([smooth, smooth[:, :1]], dim=1)


class Random(Smoother):
    """Adds noise that nobody can have again."""

    def compute(self, model: None, windows: Tensor) -> Tensor:
        smooth = super().compute(model, windows)
        return smooth + 0.01 * torch.randn_like(smooth)


class Leveller(Windowed):
    """Levels by frame; its ratio is kept from dividing by zero."""

    name = "leveller"
    declared: ClassVar[int] = 100
    least: ClassVar[float] = 1e-9

    def output(self, source: Audio) -> Levels:
        return Levels.empty(source.rate, self.declared, source.channels)

    def framing(self, source: Audio) -> Framing:
        return Framing(100, 100, after=99)

    def compute(self, model: None, windows: Tensor) -> tuple[Tensor, Tensor]:
        peak = windows.abs().amax(-1, keepdim=True)
        return peak, windows.square().mean(-1, keepdim=True).sqrt() / (peak + self.least)


class WrongHop(Leveller):
    """Says that there are more frames than there are."""

    declared = 80


class DividesByZero(Leveller):
    """0/0 in silence."""

    least = 0.0


class Fader(Windowed):
    """Overlap-add of windows that are left as they are."""

    name = "fader"
    before: ClassVar[int] = 32

    def output(self, source: Audio) -> Audio:
        return source

    def framing(self, source: Audio) -> Framing:
        weight = torch.hann_window(64)
        return Framing(64, 32, 32, 64, OverlapAdd(32, self.before, weight, weight))

    def compute(self, model: None, windows: Tensor) -> Tensor:
        return windows


@dataclass
class Past:
    """The last samples of a stream; `given` counts what came out."""

    held: Tensor
    given: int = 0


class Delay(Stateful):
    """The mean of a sample and the one `CONTEXT` after it."""

    name = "delay"
    behind: ClassVar[int | None] = 0
    ahead: ClassVar[int] = CONTEXT
    latency: ClassVar[int] = CONTEXT

    def output(self, source: Audio) -> Audio:
        return source

    def reach(self, source: Audio) -> Reach:
        return Reach(self.behind, self.ahead, self.latency)

    def start(self, model: Any, sources: Sequence[Audio]) -> Past:
        return Past(torch.zeros(sources[0].channels, 0))

    def step(self, model: Any, state: Past, blocks: Sequence[Audio], last: bool) -> Audio:
        (block,) = blocks
        held = torch.cat([state.held, block.samples], dim=1)
        if last:
            held = torch.nn.functional.pad(held, (0, CONTEXT))
        count = max(0, held.shape[1] - CONTEXT)
        given = (held[:, :count] + held[:, CONTEXT : CONTEXT + count]) / 2
        state.held = held[:, count:]
        start, state.given = state.given, state.given + count
        return block.like(given, start=start)


class DropsTail(Delay):
    """Gives nothing back of what it holds when the stream ends."""

    def step(self, model: Any, state: Past, blocks: Sequence[Audio], last: bool) -> Audio:
        return super().step(model, state, blocks, last=False)


class TooLong(Delay):
    """Gives what it padded, too."""

    def step(self, model: Any, state: Past, blocks: Sequence[Audio], last: bool) -> Audio:
        given = super().step(model, state, blocks, last)
        return given.like(torch.nn.functional.pad(given.samples, (0, 5 * last)), start=given.start)


class OneForAll(Delay):
    """Keeps the streams' state in the model."""

    def load(self, source: Audio, device: torch.device, dtype: torch.dtype) -> Past:
        return Past(torch.zeros(source.channels, 0))

    def start(self, model: Past, sources: Sequence[Audio]) -> None:
        model.held, model.given = torch.zeros(sources[0].channels, 0), 0

    def step(self, model: Past, state: None, blocks: Sequence[Audio], last: bool) -> Audio:
        return super().step(model, model, blocks, last)


class SharedState(Delay):
    """Starts every stream with the same object."""

    def load(self, source: Audio, device: torch.device, dtype: torch.dtype) -> Past:
        return Past(torch.zeros(source.channels, 0))

    def start(self, model: Past, sources: Sequence[Audio]) -> Past:
        return model


class TooLittleAhead(Delay):
    """Declares to look ahead less than it does."""

    ahead = CONTEXT - 1


class TooEarly(Delay):
    """Declares less latency than it has."""

    latency = CONTEXT - 1


class WrongStart(Delay):
    """Starts every block at 0."""

    def step(self, model: Any, state: Past, blocks: Sequence[Audio], last: bool) -> Audio:
        given = super().step(model, state, blocks, last)
        return given.like(given.samples, start=0)


class BreaksOnNothing(Delay):
    """Cannot stand an empty block."""

    def step(self, model: Any, state: Past, blocks: Sequence[Audio], last: bool) -> Audio:
        blocks[0].samples.amax()
        return super().step(model, state, blocks, last)


class Echo(Stateful):
    """The mean of a sample and the one `CONTEXT` before it."""

    name = "echo"
    behind: ClassVar[int | None] = CONTEXT

    def output(self, source: Audio) -> Audio:
        return source

    def reach(self, source: Audio) -> Reach:
        return Reach(self.behind, 0, 0)

    def start(self, model: Any, sources: Sequence[Audio]) -> Past:
        return Past(torch.zeros(sources[0].channels, CONTEXT))

    def step(self, model: Any, state: Past, blocks: Sequence[Audio], last: bool) -> Audio:
        (block,) = blocks
        held = torch.cat([state.held, block.samples], dim=1)
        state.held = held[:, len(block) :]
        return block.like((block.samples + held[:, : len(block)]) / 2, start=block.start)


class TooLittleBehind(Echo):
    """Declares to look back less than it does."""

    behind = CONTEXT - 1


class ShortContext(Echo):
    """Keeps less between blocks than it looks back."""

    def step(self, model: Any, state: Past, blocks: Sequence[Audio], last: bool) -> Audio:
        state.held[:, :5] = 0
        return super().step(model, state, blocks, last)


class UnlimitedBehind(Echo):
    """Declares no limit, which is no fault."""

    behind = None


class ForgetsAtSeams(Echo):
    """Keeps no context between blocks."""

    def step(self, model: Any, state: Past, blocks: Sequence[Audio], last: bool) -> Audio:
        state.held = torch.zeros_like(state.held)
        return super().step(model, state, blocks, last)


class Hushed(Smoother):
    """Half precision with a promise that it can keep."""

    half = True

    def compute(self, model: None, windows: Tensor) -> Tensor:
        return windows[..., CONTEXT:-CONTEXT] * 0.5


class CoarseInHalf(Hushed):
    """Adds up what half precision cannot hold."""

    def compute(self, model: None, windows: Tensor) -> Tensor:
        return (windows[..., CONTEXT:-CONTEXT] + 4096) - 4096


class Centred(TwoPass):
    """Without its mean."""

    name = "centred"
    instead: ClassVar[str] = "use a high-pass"

    @property
    def fidelity(self) -> Fidelity:
        return Fidelity("offline", why="the mean is known at the end", instead=self.instead)

    def output(self, source: Audio) -> Audio:
        return source

    def start(self, model: Any, sources: Sequence[Audio]) -> dict[str, float]:
        return {"sum": 0.0, "count": 0}

    def measure(self, model: Any, state: dict[str, float], block: Audio) -> None:
        state["sum"] += float(block.samples.double().sum())
        state["count"] += block.samples.numel()

    def step(self, model: Any, state: Any, blocks: Sequence[Audio], last: bool) -> Audio:
        (block,) = blocks
        return block.like(block.samples - state["sum"] / max(1, state["count"]), start=block.start)


class NoAlternative(Centred):
    """Refuses without helping."""

    instead = ""


class Loud(Stateful):
    """An event for each sample above half of full scale in the first channel."""

    name = "loud"
    late: ClassVar[int] = 0

    def output(self, source: Audio) -> Detections:
        return Detections((), source.rate)

    def reach(self, source: Audio) -> Reach:
        return Reach(0, self.late, self.late)

    def start(self, model: Any, sources: Sequence[Audio]) -> Past:
        return Past(torch.zeros(1, 0))

    def step(self, model: Any, state: Past, blocks: Sequence[Audio], last: bool) -> Detections:
        (block,) = blocks
        loud = (block.samples[0] > 0.5).nonzero().flatten() + block.start
        return Detections(
            tuple(Detection(int(n), int(n), "loud", 1.0) for n in loud), rate=block.rate
        )


class LoudByBlock(Loud):
    """Hears the beginning of every block."""

    def step(self, model: Any, state: Past, blocks: Sequence[Audio], last: bool) -> Detections:
        found = super().step(model, state, blocks, last)
        first = Detection(blocks[0].start, blocks[0].start, "begins", 1.0)
        return Detections((first, *found.events), found.rate)


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
