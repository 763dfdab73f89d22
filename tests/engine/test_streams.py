"""Streams: state, lockstep, memory that is short, stages that break."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch
from streams import (
    Broken,
    Hungry,
    Late,
    Starved,
    big,
    close,
    engine,
    graph,
    noise,
    run,
    stage,
)
from torch import Tensor

from audiopipe.errors import MemoryExhaustedError, StageError
from audiopipe.lockstep import Lockstep
from audiopipe.signals import Audio, Stems
from audiopipe.stage import Reach, Stateful


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

    def test_a_batch_is_cut_from_the_windows_of_all_streams(self, monkeypatch):
        monkeypatch.setattr("audiopipe.compute.BATCH_ELEMENTS", 30)  # three windows of ten
        Hungry.seen.clear()
        made = engine(graph(("hungry", Hungry(), ("input",))))
        together: Lockstep[int] = Lockstep(made)
        audio = {0: noise(20), 1: noise(10, seed=1), 2: noise(40, seed=2)}
        (out,) = together.push(audio, {})
        assert Hungry.seen == [3, 3, 1]
        for key, given in out.items():
            assert close(given["hungry"], Audio(audio[key].samples * 2, 16000))

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


class TestTime:
    def test_blocks_follow_each_other_whatever_their_start_says(self):
        stream = engine(graph(("mono", stage("mix", channels=1), ("input",)))).stream()
        given = [stream.push(noise(100)), stream.push(noise(50)), *stream.finish(noise(7))]
        assert [out["mono"].start for out in given] == [0, 100, 150]

    def test_nothing_comes_behind_the_end(self):
        made = big()
        stream = made.stream()
        saved = stream.save()
        list(stream.finish(noise(10)))
        for go_on in (lambda: stream.push(noise(10)), lambda: list(stream.finish())):
            with pytest.raises(ValueError, match="the stream has ended; begin another"):
                go_on()
        stream.restore(saved)
        assert sum(len(out["sum"]) for out in stream.finish(noise(10))) == 10


def test_ports_may_give_at_different_times():
    class Uneven(Stateful):
        """One port at once, the other at the end."""

        name = "uneven"

        def output(self, source: Audio) -> Mapping[str, Audio]:
            return {"now": source, "then": source}

        def reach(self, source: Audio) -> Reach:
            return Reach(None, 0, 10**6)

        def start(self, model: None, sources: Sequence[Audio]) -> list[Audio]:
            return []

        def step(
            self, model: None, state: list[Audio], blocks: Sequence[Audio], last: bool
        ) -> tuple[Audio, Audio]:
            state.extend(blocks)
            return blocks[0], Audio.join(state) if last else blocks[0].cut(0, 0)

    made, audio = engine(graph(("uneven", Uneven(), ("input",)))), noise(1000)
    stream = made.stream()
    rounds = [stream.push(audio.cut(0, 400)), *stream.finish(audio.cut(400, 1000))]
    stems = Stems.join([out["uneven"] for out in rounds])
    assert all(close(stems[name], audio) for name in ("now", "then"))
