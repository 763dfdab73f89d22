"""Checks of what a stage says about time: format, length, reach, latency."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

import torch

from audiopipe.framing import OverlapAdd
from audiopipe.plan import Step
from audiopipe.signals import Audio, Sampled, Signal
from audiopipe.stage import Windowed
from audiopipe.testing.case import Case, check, chunking, feed, run, split
from audiopipe.testing.compare import (
    ConformanceError,
    changed,
    compare,
    due,
    since,
    time,
    until,
)


@check
def format(case: Case) -> str:
    """Blocks have the format that `output` declares, and follow each other without a gap."""
    for step in case.plan.steps:
        if isinstance(step.stage, Windowed):
            _check_grid(step)
    rng, signal = case.random("format"), case.usual
    rounds = feed(case.engine.stream(), split(signal, chunking(len(signal), rng)))
    for label, declared in case.formats.items():
        blocks = [out[label] for out in rounds if label in out]
        if not blocks:
            raise ConformanceError(f"an output {label!r}", "nothing came out")
        position = 0
        for block in blocks:
            if type(block) is not type(declared):
                raise ConformanceError(
                    f"{type(declared).__name__}", type(block).__name__, f"{label!r}"
                )
            if not (isinstance(block, Sampled) and isinstance(declared, Sampled)):
                continue
            where = f"{label!r}, the block at {block.start}"
            if block.signature != declared.signature:
                raise ConformanceError(f"format {_signature(declared)}", _signature(block), where)
            if block.start != position:
                raise ConformanceError(f"start {position}", f"start {block.start}", where)
            position = block.stop
    return ", ".join(f"{label}: {signal!r}" for label, signal in case.formats.items())


def _signature(signal: Sampled) -> str:
    kind, data, *others = signal.signature
    shapes = ", ".join(f"{[*shape]} {dtype}" for shape, dtype in data)
    values = ", ".join(str(value) for value in others if not isinstance(value, tuple))
    return f"{kind.__name__}({shapes}; {values})"


def _check_grid(step: Step) -> None:
    assert isinstance(step.stage, Windowed)
    framing, source = step.stage.framing(step.formats[0]), step.formats[0]
    assert isinstance(source, Sampled)
    hop = Fraction(framing.hop * source.hop, source.rate)
    size = framing.join.hop if isinstance(framing.join, OverlapAdd) else framing.join.size
    for port, format in step.outputs.items():
        assert isinstance(format, Sampled)
        given = Fraction(size * format.hop, format.rate)
        if given != hop:
            raise ConformanceError(
                f"{size} element(s) of {format!r} last as long as the framing's hop, "
                f"{float(hop):.6g} s",
                f"{float(given):.6g} s",
                f"rate and hop of output {port or step.name!r}",
            )


@check
def length(case: Case) -> str:
    """Audio is as long as the input, to the sample; no frame is dropped at the end."""
    if case.stage.retimes:
        return "does not apply: the stage changes durations"
    rng = case.random("length")
    lengths = [0, 1, 2, case.length - 1, *rng.integers(3, case.length, 3).tolist()]
    for count in lengths:
        signal = case.signal(count)
        for label, given in run(case.engine, signal, chunking(count, rng)).items():
            if isinstance(given, Sampled):
                _check_length(case, label, given, signal)
    return f"{len(lengths)} lengths are kept"


def _check_length(case: Case, label: str, given: Sampled, signal: Sampled) -> None:
    behind, ahead = case.reach(case.outputs[label])
    least = most = ceil(signal.duration * given.rate / given.hop)
    if not isinstance(given, Audio):
        tick = Fraction(given.hop, given.rate)
        last = signal.duration - case.tick
        least = max(0, floor((last - ahead) / tick) + 1) if len(signal) else 0
        most = floor((signal.duration + (tick if behind is None else behind)) / tick) + 1
        most = max(least, most) if len(signal) else 0
    if not least <= len(given) <= most:
        wanted = f"{least}" if least == most else f"{least} to {most}"
        raise ConformanceError(
            f"{wanted} elements for {float(signal.duration):.6g} s",
            f"{len(given)} elements",
            f"{label!r}, an input of {len(signal)} elements",
        )


@check
def seams(case: Case) -> str:
    """Where windows are joined, an `exact` stage leaves no trace: its halo is wide enough."""
    steps = [s for s in case.plan.steps if isinstance(s.stage, Windowed)]
    exact = case.stage.fidelity.kind == "exact" and not case.stage.retimes
    if not (steps and exact and isinstance(case.usual, Audio)):
        return "does not apply: no windows of audio, or on a declared grid"
    rng, largest, tried = case.random("seams"), 0.0, 0
    for shift in (1, *rng.integers(2, max(3, case.length // 3), 3).tolist()):
        signal = case.usual
        samples = torch.nn.functional.pad(signal.samples, (shift, 0))
        got = run(case.engine, signal.like(samples, start=0))
        for label, want in case.whole.items():
            given = got[label]
            if not (isinstance(want, Audio) and isinstance(given, Audio)):
                continue
            moved = shift * case.tick * want.rate
            if moved.denominator > 1:
                continue
            late = Audio(given.samples[:, moved.numerator :], given.rate)
            where = f"the same sound {shift} samples later, so cut elsewhere (or declare `grid`)"
            error = compare({label: late}, {label: want}, case.tolerance, seams.promise, where)
            largest, tried = max(largest, error), tried + 1
    return f"{tried} shifts change the sound by {largest:.1e} at most"


@check
def reach(case: Case) -> str:
    """An output depends on no more input than the declared reach."""
    if case.stage.retimes or case.offline:
        return "does not apply: " + ("offline" if case.offline else "durations change")
    rng, notes = case.random("reach"), []
    for label, reference in case.outputs.items():
        behind, ahead = case.reach(reference)
        moments = _moments(case, label, rng.uniform(0, 1, 3).tolist(), ahead, behind)
        for early, late in moments:
            for filling in ("nan", "noise"):
                _check_side(case, label, early, ahead, filling, later=True)
                if behind is not None:
                    _check_side(case, label, late, behind, filling, later=False)
        if isinstance(case.whole[label], Sampled):
            notes.append(_measure(case, label, moments[:2], behind, ahead))
        else:
            notes.append(f"{label}: {_count(case.whole[label])} events, none from further off")
    return "; ".join(notes)


def _moments(
    case: Case, label: str, places: list[float], ahead: Fraction, behind: Fraction | None
) -> list[tuple[Fraction, Fraction]]:
    """Times of outputs: some whose reach ahead ends within the input, some for that behind.

    The first lie where a window begins, or just before that: there the reach is widest.
    """
    output, end = case.whole[label], case.usual.duration
    tick = Fraction(output.hop if isinstance(output, Sampled) else 1, output.rate)
    found = []
    for number, place in enumerate(map(Fraction, places)):
        early = place * max(tick, end - ahead)
        late = end - place * max(tick, end - (behind or 0))
        grid, offset = _grid(case, tick) if number == 0 else (tick, Fraction(0))
        early = floor((early + offset) / grid) * grid - offset
        late = ceil((late + offset) / grid) * grid - offset - tick
        found.append((max(Fraction(0), early), max(Fraction(0), min(late, end - tick))))
    return found


def _grid(case: Case, tick: Fraction) -> tuple[Fraction, Fraction]:
    """The distance of the last step's windows, and how far the first begins before 0, in s."""
    step = case.plan.steps[-1]
    if not isinstance(step.stage, Windowed):
        return tick, Fraction(0)
    join = step.stage.framing(step.formats[0]).join
    if isinstance(join, OverlapAdd):
        return join.hop * tick, join.before * tick
    return join.size * tick, Fraction(0)


def _check_side(
    case: Case, label: str, moment: Fraction, reach: Fraction, filling: str, *, later: bool
) -> None:
    """Replace all input out of reach of the outputs up to, or from, a moment."""
    signal, count = case.usual, len(case.usual)
    if later:
        first, stop = min(count, max(0, floor((moment + reach) / case.tick) + 1)), count
    else:
        first, stop = 0, min(count, max(0, ceil((moment - reach) / case.tick)))
    if first == stop:
        return
    got = run(case.engine, filled(case, signal, first, stop, filling))
    side = until if later else since
    want = {label: case.whole[label]}
    direction, sign = ("ahead", "+") if later else ("behind", "-")
    compare(
        side({label: got[label]}, moment),
        side(want, moment),
        case.tolerance,
        f"{direction} {_elements(case, reach)}: no input further off changes an output",
        f"outputs {'up to' if later else 'from'} {float(moment):.6g} s, all input "
        f"{'after' if later else 'before'} that {sign} {float(reach):.6g} s replaced by {filling}",
    )


def filled(case: Case, signal: Sampled, first: int, stop: int, filling: str) -> Sampled:
    """The recording with some elements replaced by other sound, or by NaN."""
    other = case.signal(len(signal), seed=7)
    tensors = []
    for tensor, noise in zip(signal.tensors, other.tensors, strict=True):
        tensor = tensor.clone()
        if filling == "nan" and (tensor.is_floating_point() or tensor.is_complex()):
            tensor[..., first:stop] = torch.nan
        elif tensor.dtype is torch.bool:
            tensor[..., first:stop] = ~tensor[..., first:stop]
        else:
            tensor[..., first:stop] = noise[..., first:stop] + 0.1
        tensors.append(tensor)
    return signal.like(*tensors, start=signal.start)


def _measure(
    case: Case,
    label: str,
    moments: list[tuple[Fraction, Fraction]],
    behind: Fraction | None,
    ahead: Fraction,
) -> str:
    """Change one element at a time, and see what changes; compare with what is declared."""
    count, whole = len(case.usual), case.whole[label]
    assert isinstance(whole, Sampled)
    places = {0, count - 1, count // 2}
    for early, late in moments:
        places.add(floor((early + ahead) / case.tick))
        places.add(ceil((late - (behind or 0)) / case.tick))
    furthest = {"behind": Fraction(0), "ahead": Fraction(0)}
    for place in sorted(place for place in places if 0 <= place < count):
        for filling in ("nan", "noise") if place == count // 2 else ("nan",):
            got = run(case.engine, filled(case, case.usual, place, place + 1, filling))[label]
            assert isinstance(got, Sampled)
            elements = changed(got, whole, case.tolerance).nonzero().flatten().tolist()
            if elements:
                at = place * case.tick
                furthest["ahead"] = max(furthest["ahead"], at - time(whole, elements[0]))
                furthest["behind"] = max(furthest["behind"], time(whole, elements[-1]) - at)
    notes = []
    for direction, declared in (("behind", behind), ("ahead", ahead)):
        measured = furthest[direction]
        if declared is None:
            notes.append(f"{direction} without limit")
            continue
        if measured > declared:
            raise ConformanceError(
                f"{direction} {_elements(case, declared)}",
                _elements(case, measured),
                f"{label!r}, one input element changed",
            )
        spare = _elements(case, declared - measured)
        notes.append(
            f"{direction} {_elements(case, measured)} measured, {spare} less than declared"
        )
    return f"{label}: {', '.join(notes)}"


def _elements(case: Case, seconds: Fraction) -> str:
    return f"{float(seconds / case.tick):.6g} ({float(seconds * 1000):.4g} ms)"


@check
def latency(case: Case) -> str:
    """Once all input before t is there, all output before t - latency is out."""
    if case.stage.retimes or case.offline:
        return "does not apply: " + ("offline" if case.offline else "durations change")
    rng, notes = case.random("latency"), []
    for label, reference in case.outputs.items():
        declared, whole = case.plan.latency(reference), case.whole[label]
        cuts = _cuts(case, whole, declared, rng.uniform(0, 1, 60).tolist())
        stream, position, given, latest = case.engine.stream(), 0, 0, Fraction(0)
        for cut in cuts:
            out = stream.push(case.usual.cut(position, cut))
            position = cut
            given += _count(out.get(label))
            now = cut * case.tick
            wanted = due(whole, now - declared)
            if given < wanted:
                raise ConformanceError(
                    f"latency {_elements(case, declared)}: {wanted} outputs after {cut} elements",
                    f"{given} outputs",
                    f"{label!r}, {float(now):.6g} s",
                )
            if isinstance(whole, Sampled) and given < len(whole):
                latest = max(latest, now - time(whole, given))
        measured, spare = _elements(case, latest), _elements(case, declared - latest)
        notes.append(f"{label}: {measured} measured, {spare} less than declared")
    return "; ".join(notes)


def _cuts(case: Case, whole: Signal, declared: Fraction, places: list[float]) -> list[int]:
    """Where to cut: just when an output has to be out, and elsewhere."""
    count = len(case.usual)
    cuts = {int(place * count) for place in places[:20]}
    for place in places:
        moment = Fraction(place) * case.usual.duration
        if isinstance(whole, Sampled):
            moment = time(whole, int(place * len(whole)))
        cuts.add(floor((moment + declared) / case.tick) + 1)
    return sorted(cut for cut in cuts if 0 < cut <= count)


def _count(block: Signal | None) -> int:
    return 0 if block is None else len(block)  # type: ignore[arg-type]


CHECKS = (format, length, seams, reach, latency)
