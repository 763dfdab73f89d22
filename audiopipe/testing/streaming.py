"""Checks that a stream is the whole recording, however it is cut, kept, and mixed with others."""

from __future__ import annotations

from audiopipe.lockstep import Lockstep
from audiopipe.signals import Signal
from audiopipe.stage import Windowed
from audiopipe.testing.case import Case, Rounds, check, chunking, feed, join, run, split
from audiopipe.testing.compare import compare


@check
def chunkings(case: Case) -> str:
    """A stream cut anyhow gives what the whole recording gives."""
    rng, signal, count = case.random("chunkings"), case.usual, len(case.usual)
    promised = f"streamed equals whole ({case.stage.fidelity.kind})"
    usual = [chunking(count, rng) for _ in range(case.chunkings)]
    singles = [count * 2 // 3, *[1] * min(100, count // 3)]
    fixed = [[count], [count // 2, count - count // 2], singles]
    largest = 0.0
    for sizes in (*usual, *fixed):
        got = run(case.engine, signal, sizes)
        where = f"{count} elements in blocks of {_short(sizes)}"
        largest = max(largest, compare(got, case.whole, case.tolerance, promised, where))
    brief = case.signal(min(count, 120))
    want, got = run(case.engine, brief), run(case.engine, brief, [1] * len(brief))
    where = f"{len(brief)} elements, one by one"
    largest = max(largest, compare(got, want, case.tolerance, promised, where))
    case.tried += len(usual)
    return (
        f"{len(usual)} random chunkings and {len(fixed) + 1} fixed ones differ from whole by "
        f"{largest:.1e} at most, {case.tolerance:g} allowed"
    )


def _short(sizes: list[int]) -> str:
    shown = ", ".join(map(str, sizes[:8]))
    return f"{shown}, … ({len(sizes)} in all)" if len(sizes) > 8 else f"{shown} and the rest"


@check
def batch(case: Case) -> str:
    """Every window is computed by itself, whatever else is in the batch."""
    windowed = [s for s in case.plan.steps if isinstance(s.stage, Windowed)]
    if not windowed:
        return "does not apply: the stage is not windowed"
    largest = 0.0
    for size in (1, 3):
        engine = case.fresh()
        engine.batch.update({step.name: size for step in windowed})
        signal = case.signal(min(case.length, 20000))
        got, want = run(engine, signal), run(case.engine, signal)
        where = f"{size} window(s) at a time"
        largest = max(largest, compare(got, want, case.tolerance, batch.promise, where))
    return f"windows alone differ by {largest:.1e} at most"


@check
def state(case: Case) -> str:
    """A stream saved in its middle goes on the same, there and in another stream."""
    rng, signal, largest = case.random("state"), case.usual, 0.0
    for _ in range(3):
        blocks = split(signal, chunking(len(signal), rng))
        at = int(rng.integers(0, len(blocks)))
        stream = case.engine.stream()
        first = [stream.push(block) for block in blocks[:at]]
        saved = stream.save()
        rest = feed(stream, blocks[at:]) if at < len(blocks) else []
        before = f"saved after {sum(map(len, blocks[:at]))} elements"
        got = join([*first, *rest])
        compare(got, case.whole, case.tolerance, "saving does not disturb the stream", before)
        for turn in ("restored", "restored once more"):
            other = case.engine.stream()
            other.restore(saved)
            again = join([*first, *feed(other, blocks[at:])])
            where = f"{before}, {turn}"
            largest = max(largest, compare(again, got, case.tolerance, state.promise, where))
    return f"a restored stream differs by {largest:.1e} at most"


@check
def streams(case: Case) -> str:
    """Two streams on one engine do not touch each other."""
    rng, engine = case.random("streams"), case.fresh()
    signals = [case.usual, case.signal(case.length * 2 // 3 + 1, seed=1)]
    blocks = [split(signal, chunking(len(signal), rng)) for signal in signals]
    both = [engine.stream(), engine.stream()]
    rounds: list[Rounds] = [[], []]
    left = [0] * len(blocks[0][:-1]) + [1] * len(blocks[1][:-1])
    rng.shuffle(left)
    position = [0, 0]
    for turn in left:
        rounds[turn].append(both[turn].push(blocks[turn][position[turn]]))
        position[turn] += 1
    for turn in (1, 0):
        rounds[turn] += both[turn].finish(blocks[turn][-1])
    largest = 0.0
    for turn, signal in enumerate(signals):
        want = run(case.fresh(), signal)
        where = f"stream {turn + 1} of two, interleaved"
        got = join(rounds[turn])
        largest = max(largest, compare(got, want, case.tolerance, streams.promise, where))
    return f"interleaved streams differ by {largest:.1e} at most"


@check
def lockstep(case: Case) -> str:
    """Streams of several lengths that go through the engine together give what each gives alone."""
    rng = case.random("lockstep")
    together: Lockstep[int] = Lockstep(case.engine)
    lengths = (case.length, case.length // 3, 1, 0)
    signals = {key: case.signal(length, seed=key) for key, length in enumerate(lengths)}
    left = {key: split(s, chunking(len(s), rng)) for key, s in signals.items()}
    rounds: dict[int, Rounds] = {key: [] for key in signals}
    while left:
        chosen = [key for key in left if rng.random() < 0.8]
        blocks: dict[int, Signal] = {key: left[key].pop(0) for key in chosen}
        ends = {key: signals[key].duration for key in chosen if not left[key]}
        for out in together.push(blocks, ends):
            for key, given in out.items():
                rounds[key].append(given)
        left = {key: blocks for key, blocks in left.items() if blocks}
    largest = 0.0
    for key, signal in signals.items():
        where = f"{len(signal)} elements beside others of {lengths}"
        got, want = join(rounds[key]), run(case.engine, signal)
        largest = max(largest, compare(got, want, case.tolerance, lockstep.promise, where))
    return f"{len(lengths)} streams together differ by {largest:.1e} at most"


CHECKS = (chunkings, batch, state, streams, lockstep)
