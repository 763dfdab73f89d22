"""The engine: alignment of branches, two passes, many streams, memory, faults."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from audiopipe.engine import Engine, Lockstep
from audiopipe.errors import MemoryExhaustedError, StageError
from audiopipe.framing import Concatenate, Framing
from audiopipe.plan import Graph, Node, plan
from audiopipe.registry import find_stage
from audiopipe.signals import Audio, Levels, Signal, Stems
from audiopipe.spool import Spool
from audiopipe.stage import Fidelity, Reach, Stage, Stateful, TwoPass, Windowed

MONO = Audio.empty(16000, 1)
BLOCKS = [1, 7, 64, 1000, 100_000]


class Late(Windowed):
    """Gives what it gets, but wants to see `ahead` samples more first."""

    name = "late"
    ahead: int = 0

    def output(self, source: Audio) -> Audio:
        return source

    def framing(self, source: Audio) -> Framing:
        window = 32 + self.ahead
        return Framing(window, 32, 0, window - 1, Concatenate(32))

    def compute(self, model: None, windows: Tensor) -> Tensor:
        return windows[..., :32]


class Halves(Windowed):
    """Two ports: the louder half of each window's channels, and the rest."""

    name = "halves"

    def output(self, source: Audio) -> Mapping[str, Signal]:
        return {"double": source, "negative": source}

    def framing(self, source: Audio) -> Framing:
        return Framing(10, 10, 0, 9, Concatenate(10))

    def compute(self, model: None, windows: Tensor) -> tuple[Tensor, Tensor]:
        return windows * 2, -windows


class Peak(TwoPass):
    """Brings the highest sample to 1."""

    name = "peak"

    @property
    def fidelity(self) -> Fidelity:
        return Fidelity("offline", why="the peak is known at the end", instead="use a limiter")

    def output(self, source: Audio) -> Audio:
        return source

    def start(self, model: Any, sources: Sequence[Audio]) -> list[float]:
        return [0.0]

    def measure(self, model: Any, state: list[float], block: Audio) -> None:
        if len(block):
            state[0] = max(state[0], float(block.samples.abs().max()))

    def step(self, model: Any, state: list[float], blocks: Sequence[Audio], last: bool) -> Audio:
        (block,) = blocks
        return block.like(block.samples / (state[0] or 1.0), start=block.start)


class First(Stateful):
    """The first 100 samples: a stage that changes the length."""

    name = "first"
    retimes = True

    def output(self, source: Audio) -> Audio:
        return source

    def reach(self, source: Audio) -> Reach:
        return Reach(0, 0, 0)

    def start(self, model: Any, sources: Sequence[Audio]) -> list[int]:
        return [0]

    def step(self, model: Any, state: list[int], blocks: Sequence[Audio], last: bool) -> Audio:
        (block,) = blocks
        kept = block.samples[:, : max(0, 100 - state[0])]
        start, state[0] = state[0], state[0] + kept.shape[1]
        return block.like(kept, start=start)


class Broken(Stateful):
    """Breaks at once."""

    name = "broken"

    def output(self, source: Audio) -> Audio:
        return source

    def reach(self, source: Audio) -> Reach:
        return Reach(0, 0, 0)

    def start(self, model: Any, sources: Sequence[Audio]) -> None:
        return None

    def step(self, model: Any, state: None, blocks: Sequence[Audio], last: bool) -> Audio:
        raise IndexError("no such bin")


class Hungry(Windowed):
    """Runs out of memory above a number of windows."""

    name = "hungry"
    fits: ClassVar[int] = 4
    seen: ClassVar[list[int]] = []

    def output(self, source: Audio) -> Audio:
        return source

    def framing(self, source: Audio) -> Framing:
        return Framing(10, 10, 0, 9, Concatenate(10))

    def compute(self, model: None, windows: Tensor) -> Tensor:
        if len(windows) > self.fits:
            raise torch.OutOfMemoryError("CUDA out of memory")
        self.seen.append(len(windows))
        return windows * 2


class Starved(Hungry):
    """Has no room for one window."""

    fits = 0


def stage(name: str, **config: Any) -> Stage:
    return find_stage(name).model_validate(config)


def graph(*nodes: tuple[str, Stage, tuple[str, ...]], **outputs: str) -> Graph:
    return Graph(tuple(Node(*node) for node in nodes), outputs)


def engine(made: Graph, source: Audio = MONO) -> Engine:
    return Engine(plan(made, source, device="cpu"))


def noise(length: int, rate: int = 16000, channels: int = 1, seed: int = 0) -> Audio:
    made = torch.Generator().manual_seed(seed)
    return Audio(torch.randn(channels, length, generator=made) * 0.1, rate)


def run(made: Engine, audio: Audio, size: int = 1 << 30) -> dict[str, Any]:
    stream, blocks = made.stream(), []
    starts = range(0, max(1, len(audio)), size)
    for start in starts[:-1]:
        blocks.append(stream.push(audio.cut(start, start + size)))
    blocks += stream.finish(audio.cut(starts[-1], len(audio)))
    found: dict[str, list[Any]] = {}
    for out in blocks:
        for name, block in out.items():
            found.setdefault(name, []).append(block)
    return {name: type(parts[0]).join(parts) for name, parts in found.items()}


def close(a: Audio, b: Audio, tolerance: float = 1e-6) -> bool:
    return len(a) == len(b) and bool(torch.allclose(a.samples, b.samples, atol=tolerance, rtol=0))


class TestAlignment:
    @pytest.mark.parametrize("size", BLOCKS)
    @pytest.mark.parametrize("ahead", [0, 1, 31, 32, 500])
    def test_a_late_branch_lines_up_with_the_direct_path(self, ahead: int, size: int):
        made = engine(
            graph(
                ("late", Late(ahead=ahead), ("input",)),
                ("sum", stage("mix", gains=("-6.0206 dB",) * 2), ("late", "input")),
            )
        )
        audio = noise(2500)
        assert close(run(made, audio, size)["sum"], audio)

    @pytest.mark.parametrize("order", [("there", "input"), ("input", "there")])
    @pytest.mark.parametrize("size", [113, 4096, 100_000])
    def test_resampled_there_and_back_lines_up_to_the_sample(self, order, size: int):
        made = engine(
            graph(
                ("down", stage("resample", rate=16000), ("input",)),
                ("there", stage("resample", rate=44100), ("down",)),
                ("sum", stage("mix"), order),
                there="there",
                sum="sum",
            ),
            Audio.empty(44100, 1),
        )
        delta = Audio(torch.zeros(1, 9001), 44100)
        delta.samples[0, 4444] = 1
        out = run(made, delta, size)
        there, total = out["there"].samples[0], out["sum"].samples[0]
        assert len(total) == len(there) == 9001
        assert int(there.argmax()) == int(total.argmax()) == 4444
        assert torch.allclose(total, there + delta.samples[0], atol=1e-6)
        around = there[4444 - 300 : 4444 + 301]
        assert torch.allclose(around, around.flip(0), atol=1e-3)

    def test_a_tone_that_was_resampled_there_and_back_adds_up_with_itself(self):
        made = engine(
            graph(
                ("down", stage("resample", rate=16000), ("input",)),
                ("sum", stage("mix"), ("input", "down")),
            ),
            Audio.empty(44100, 2),
        )
        assert [step.name for step in made.plan.steps][1] == "down/resample-44100"
        tone = torch.sin(torch.arange(20000) * 2 * torch.pi * 440 / 44100).repeat(2, 1)
        total = run(made, Audio(tone, 44100), 1000)["sum"].samples
        assert torch.allclose(total[:, 2000:-2000], 2 * tone[:, 2000:-2000], atol=2e-3)

    @pytest.mark.parametrize("order", [("short", "long"), ("long", "short")])
    @pytest.mark.parametrize("long", [Late(ahead=50), Peak()], ids=["late", "two passes"])
    @pytest.mark.parametrize("size", [30, 64, 1000])
    def test_a_branch_that_ends_early_is_continued_with_zeros(
        self, order, long: Stage, size: int, monkeypatch
    ):
        monkeypatch.setattr("audiopipe.packet.REPLAY_SIZE", 80)
        made = engine(
            graph(
                ("short", First(), ("input",)),
                ("long", long, ("input",)),
                ("sum", stage("mix"), order),
            )
        )
        audio = noise(450)
        audio.samples[0, 200] = 1
        want = audio.samples.clone()
        want[:, :100] *= 2
        stream, blocks = made.stream(), []
        for start in range(0, 450, size):
            blocks.append(stream.push(audio.cut(start, min(450, start + size))))
        found = [out["sum"] for out in [*blocks, *stream.finish()] if "sum" in out]
        assert close(Audio.join(found), Audio(want, 16000))
        at = 0
        for block in found:
            assert block.start == at
            at = block.stop

    def test_outputs_of_a_branch_count_from_the_same_start(self):
        made = engine(
            graph(
                ("late", Late(ahead=100), ("input",)),
                ("meter", stage("tap", hop=100), ("late",)),
                direct="input",
                late="late",
                meter="meter",
            )
        )
        audio = noise(1050)
        out = run(made, audio, 333)
        assert close(out["direct"], audio)
        assert close(out["late"], audio)
        assert isinstance(out["meter"], Levels)
        assert len(out["meter"]) == 11
        assert float(out["meter"].peak[0, 3]) == float(audio.samples[0, 300:400].abs().max())


class TestPorts:
    @pytest.mark.parametrize("size", [1, 33, 1000])
    def test_ports_are_taken_one_by_one_or_together(self, size: int):
        made = engine(
            graph(
                ("parts", Halves(), ("input",)),
                ("sum", stage("mix"), ("parts.double", "parts.negative")),
                both="parts",
                one="parts.negative",
                sum="sum",
            )
        )
        audio = noise(205)
        stream, stems = made.stream(), []
        for start in range(0, 205, size):
            stems.append(stream.push(audio.cut(start, min(205, start + size))).get("both"))
        (last,) = stream.finish()
        found = [block for block in [*stems, last["both"]] if block is not None]
        assert all(isinstance(block, Stems) for block in found)
        double = Audio.join([block["double"] for block in found])
        assert close(double, Audio(audio.samples * 2, 16000))
        assert close(run(made, audio, size)["sum"], audio)


class TestTwoPass:
    @pytest.mark.parametrize("size", [100, 999, 1 << 20])
    def test_the_recording_is_seen_twice(self, size: int, monkeypatch):
        monkeypatch.setattr("audiopipe.packet.REPLAY_SIZE", 300)
        made = engine(graph(("loud", Peak(), ("input",))))
        audio = noise(1000)
        out = run(made, audio, size)["loud"]
        assert close(out, Audio(audio.samples / audio.samples.abs().max(), 16000))

    def test_nothing_comes_before_the_end(self):
        stream = engine(graph(("loud", Peak(), ("input",)))).stream()
        assert stream.push(noise(500)) == {}
        assert [len(out["loud"]) for out in stream.finish()] == [500]

    def test_one_after_the_other_and_beside_the_direct_path(self, monkeypatch):
        monkeypatch.setattr("audiopipe.packet.REPLAY_SIZE", 128)
        made = engine(
            graph(
                ("loud", Peak(), ("input",)),
                ("late", Late(ahead=40), ("loud",)),
                ("quiet", stage("mix", gains=("-20 dB",)), ("late",)),
                ("again", Peak(), ("quiet",)),
                ("sum", stage("mix"), ("again", "input")),
            )
        )
        audio = noise(1000)
        want = audio.samples / audio.samples.abs().max() + audio.samples
        assert close(run(made, audio, 300)["sum"], Audio(want, 16000), 1e-5)

    @pytest.mark.parametrize("at", [0, 1, 2])
    def test_a_saved_stream_keeps_what_it_has_heard(self, at: int):
        made, audio = engine(graph(("loud", Peak(), ("input",)))), noise(900)
        blocks = [audio.cut(start, start + 300) for start in (0, 300, 600)]
        stream = made.stream()
        for block in blocks[:at]:
            stream.push(block)
        saved = stream.save()
        for block in blocks[at:]:
            stream.push(block)
        (want,) = stream.finish()
        for _ in range(2):
            other = made.stream()
            other.restore(saved)
            for block in blocks[at:]:
                other.push(block)
            (got,) = other.finish()
            assert close(got["loud"], want["loud"])
            assert len(got["loud"]) == 900


class TestSpool:
    def test_gives_back_what_was_written_in_blocks_of_another_size(self):
        spool, audio = Spool(Audio.empty(8000, 3)), noise(1000, 8000, 3)
        for start in (0, 1, 400):
            spool.append(audio.cut(start, {0: 1, 1: 400, 400: 1000}[start]))
        blocks = list(spool.blocks(170))
        assert [block.start for block in blocks] == [0, 170, 340, 510, 680, 850]
        assert torch.equal(Audio.join(blocks).samples, audio.samples)

    def test_nothing_is_one_empty_block(self):
        blocks = list(Spool(Audio.empty(8000, 2)).blocks(100))
        assert [(len(block), block.channels) for block in blocks] == [(0, 2)]

    @pytest.mark.gpu
    @pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
    def test_keeps_what_comes_from_a_gpu(self):
        audio = noise(10, 8000).to("cuda")
        spool = Spool(audio.format)
        spool.append(audio)
        assert torch.equal(next(spool.blocks(10)).samples, audio.samples.cpu())

    def test_a_copy_is_independent(self):
        import copy

        spool = Spool(Audio.empty(8000, 1))
        spool.append(noise(10, 8000))
        other = copy.deepcopy(spool)
        spool.append(noise(5, 8000, seed=1))
        other.append(noise(7, 8000, seed=2))
        assert [len(next(s.blocks(100))) for s in (spool, other)] == [15, 17]


def big() -> Engine:
    return engine(
        graph(
            ("late", Late(ahead=70), ("input",)),
            ("sum", stage("mix"), ("late", "input")),
            ("meter", stage("tap", hop=64), ("sum",)),
            sum="sum",
            meter="meter",
        )
    )


class TestStreams:
    @pytest.mark.parametrize("at", [0, 1, 3, 5])
    def test_save_and_restore(self, at: int):
        made, audio = big(), noise(1200)
        blocks = [audio.cut(start, start + 200) for start in range(0, 1200, 200)]
        stream = made.stream()
        for block in blocks[:at]:
            stream.push(block)
        saved = stream.save()
        want = [*map(stream.push, blocks[at:]), *stream.finish()]
        for _ in range(2):
            other = made.stream()
            other.restore(saved)
            got = [*map(other.push, blocks[at:]), *other.finish()]
            assert [out.keys() for out in got] == [out.keys() for out in want]
            for ours, theirs in zip(got, want, strict=True):
                for name, block in theirs.items():
                    assert ours[name].start == block.start
                    for a, b in zip(ours[name].tensors, block.tensors, strict=True):
                        assert torch.equal(a, b)

    def test_lockstep_streams_of_different_lengths(self):
        made = big()
        audio = {"a": noise(1000), "b": noise(333, seed=1), "c": noise(0), "d": noise(1, seed=2)}
        together: Lockstep[str] = Lockstep(made)
        found: dict[str, list[Audio]] = {key: [] for key in audio}
        for start in range(0, 1000, 100):
            live = {key: a for key, a in audio.items() if start == 0 or len(a) > start}
            blocks = {k: a.cut(start, min(len(a), start + 100)) for k, a in live.items()}
            ends = {key: a.duration for key, a in live.items() if len(a) <= start + 100}
            for out in together.push(blocks, ends):
                for key, given in out.items():
                    found[key] += [given["sum"]] if "sum" in given else []
        for key, alone in audio.items():
            assert close(Audio.join(found[key]), run(made, alone)["sum"])

    def test_windows_of_all_streams_go_through_a_stage_in_one_batch(self):
        Hungry.seen.clear()
        made = engine(graph(("hungry", Hungry(), ("input",))))
        together: Lockstep[int] = Lockstep(made)
        audio = noise(10)
        for _ in together.push(dict.fromkeys(range(4), audio), {}):
            pass
        assert Hungry.seen == [4]

    def test_a_stream_of_nothing_ends(self):
        out = run(big(), noise(0))
        assert {name: len(block) for name, block in out.items()} == {"sum": 0, "meter": 0}

    @pytest.mark.parametrize("rate", [8000, 44100, 48000])
    def test_length_is_kept_through_other_rates(self, rate: int):
        made = engine(
            graph(
                ("there", stage("resample", rate=22050), ("input",)),
                ("back", stage("resample", rate=rate), ("there",)),
            ),
            Audio.empty(rate, 1),
        )
        for length in (0, 1, 2, 1000, 12345):
            assert len(run(made, noise(length, rate), 777)["back"]) == length


class TestMemory:
    def test_out_of_memory_halves_the_batch_and_says_so(self, caplog):
        Hungry.seen.clear()
        made = engine(graph(("hungry", Hungry(), ("input",))))
        audio = noise(255)
        with caplog.at_level(logging.WARNING, logger="audiopipe"):
            out = run(made, audio)["hungry"]
        assert close(out, Audio(audio.samples * 2, 16000))
        assert [r.message for r in caplog.records] == [
            f"hungry: out of memory, going on {size} windows at a time" for size in (13, 6, 3)
        ]
        assert max(Hungry.seen) == 3
        caplog.clear()
        run(made, audio)
        assert not caplog.records  # it goes on with what fits

    def test_not_even_one_window(self, caplog):
        made = engine(graph(("starved", Starved(), ("input",))))
        with pytest.raises(MemoryExhaustedError) as caught:
            run(made, noise(100))
        assert str(caught.value) == (
            "'starved' (hungry): not even one window fits into the memory of cpu; use another "
            "device or a smaller model"
        )

    def test_the_allocator_of_the_cpu_raises_another_error(self):
        class OnCpu(Hungry):
            def compute(self, model: None, windows: Tensor) -> Tensor:
                if len(windows) > 4:
                    raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried …")
                return windows

        audio = noise(255)
        assert close(run(engine(graph(("hungry", OnCpu(), ("input",)))), audio)["hungry"], audio)

    def test_a_stateful_stage_that_runs_out_of_memory(self):
        class Full(Broken):
            def step(self, model: Any, state: None, blocks: Sequence[Audio], last: bool) -> Audio:
                raise torch.OutOfMemoryError("CUDA out of memory")

        with pytest.raises(MemoryExhaustedError) as caught:
            run(engine(graph(("full", Full(), ("input",)))), noise(100))
        assert str(caught.value) == (
            "'full' (broken): the memory of cpu is full; use another device or a smaller model"
        )

    def test_weights_that_do_not_fit(self):
        class Heavy(Late):
            def load(self, source: Audio, device: torch.device, dtype: torch.dtype) -> None:
                raise torch.OutOfMemoryError("CUDA out of memory")

        with pytest.raises(MemoryExhaustedError, match=r"'heavy' .*the memory of cpu is full"):
            engine(graph(("heavy", Heavy(), ("input",))))

    def test_another_runtime_error_is_a_fault_of_the_stage(self):
        class Wrong(Hungry):
            def compute(self, model: None, windows: Tensor) -> Tensor:
                raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

        with pytest.raises(StageError, match=r"'hungry' .*shapes cannot be multiplied"):
            run(engine(graph(("hungry", Wrong(), ("input",)))), noise(100))


class TestFaults:
    def test_the_stage_is_named(self):
        made = engine(graph(("late", Late(), ("input",)), ("bad", Broken(), ("late",))))
        with pytest.raises(StageError) as caught:
            run(made, noise(100))
        assert str(caught.value) == (
            "'bad' (broken) broke: IndexError: no such bin; this is a fault in the stage, please "
            "report it"
        )
        assert isinstance(caught.value.__cause__, IndexError)

    @pytest.mark.parametrize("kind", [OSError, MemoryError])
    def test_what_is_no_fault_of_the_stage_goes_through(self, kind: type[Exception]):
        class Full(Broken):
            def step(self, model: Any, state: None, blocks: Sequence[Audio], last: bool) -> Audio:
                raise kind("No space left on device")

        with pytest.raises(kind, match="No space left"):
            run(engine(graph(("bad", Full(), ("input",)))), noise(100))

    def test_loading_happens_once_and_is_reported(self, caplog):
        with caplog.at_level(logging.INFO, logger="audiopipe"):
            made = big()
            assert [r.message.split(" (")[0] for r in caplog.records] == [
                f"loading {name} on cpu, float32" for name in ("late", "sum", "meter")
            ]
            caplog.clear()
            run(made, noise(100))
        assert not caplog.records


def test_ends_are_exact_fractions():
    """100 minutes at 44.1 kHz plus one sample: no rounding of seconds loses it."""
    made = engine(graph(("down", stage("resample", rate=16000), ("input",))), Audio.empty(44100, 1))
    together: Lockstep[int] = Lockstep(made)
    (out,) = together.push({0: noise(1, 44100)}, {0: Fraction(1, 44100)})
    assert len(out[0]["down"]) == 1
