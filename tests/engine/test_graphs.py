"""What flows through a graph: branches that line up, ports, two passes."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from streams import (
    BLOCKS,
    First,
    Halves,
    Late,
    Peak,
    close,
    engine,
    graph,
    noise,
    run,
    stage,
)

from audiopipe.lockstep import Lockstep
from audiopipe.signals import Audio, Levels, Stems
from audiopipe.spool import Spool
from audiopipe.stage import Stage


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


def test_ends_are_exact_fractions():
    """100 minutes at 44.1 kHz plus one sample: no rounding of seconds loses it."""
    made = engine(graph(("down", stage("resample", rate=16000), ("input",))), Audio.empty(44100, 1))
    together: Lockstep[int] = Lockstep(made)
    (out,) = together.push({0: noise(1, 44100)}, {0: Fraction(1, 44100)})
    assert len(out[0]["down"]) == 1


class TestWaiting:
    """A branch that waits for a two-pass stage does so on the disk."""

    GRAPH = (("loud", Peak(), ("input",)), ("sum", stage("mix"), ("loud", "input")))

    @pytest.fixture(autouse=True)
    def _little_memory(self, monkeypatch):
        monkeypatch.setattr("audiopipe.packet.WAITING", 250)
        monkeypatch.setattr("audiopipe.packet.REPLAY_SIZE", 128)

    def test_it_lines_up(self):
        audio = noise(1003, channels=2)
        made = engine(graph(*self.GRAPH), audio.format)
        want = audio.samples / audio.samples.abs().max() + audio.samples
        for size in (10, 100, 10_000):
            assert close(run(made, audio, size)["sum"], Audio(want, 16000), 1e-5)

    def test_it_lines_up_with_a_shorter_and_a_longer_one(self):
        made = engine(
            graph(
                ("short", First(), ("input",)),
                ("loud", Peak(), ("short",)),
                ("again", Peak(), ("loud",)),
                ("late", Late(ahead=70), ("input",)),
                ("sum", stage("mix"), ("again", "late", "input")),
            )
        )
        audio = noise(1000)
        want = 2 * audio.samples
        want[:, :100] += audio.samples[:, :100] / audio.samples[:, :100].abs().max()
        assert close(run(made, audio, 90)["sum"], Audio(want, 16000), 1e-5)

    def test_memory_does_not_grow_with_length(self):
        together: Lockstep[int] = Lockstep(engine(graph(*self.GRAPH)))
        for start in range(0, 5000, 100):
            list(together.push({0: noise(5000).cut(start, start + 100)}))
            backlogs = together._progress["sum", 0].backlogs
            assert sum(len(block) for b in backlogs for block in b.blocks) <= 250

    def test_a_saved_stream_takes_it_along(self):
        made, audio = engine(graph(*self.GRAPH)), noise(900)
        blocks = [audio.cut(start, start + 300) for start in (0, 300, 600)]
        stream = made.stream()
        stream.push(blocks[0])
        stream.push(blocks[1])
        saved = stream.save()
        want = run(made, audio)["sum"]
        for each in (stream, made.stream(), made.stream()):
            each.restore(saved)
            got = [out["sum"] for out in each.finish(blocks[2])]
            assert close(Audio.join(got), want)
