"""Live runs: the same result as batch, bounded queues, latency as declared, good endings."""

import csv
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from audiopipe.errors import AudioError, OfflineError, OutputError, OverrunError, StageError
from audiopipe.io.pcm import PcmFormat
from audiopipe.io.read import open_audio
from audiopipe.pipeline import Pipeline, chain, load
from audiopipe.plan import Reference
from audiopipe.registry import find_stage
from audiopipe.run.live import Percentiles, run_live
from audiopipe.run.source import Feed, paced_file, pcm_input
from audiopipe.signals import Audio, Stems
from audiopipe.stages.mix import Mix
from audiopipe.stages.resample import Resample
from audiopipe.stages.tap import Tap


def blocks_of(audio, size=320, *, pause=0.0, until=None):
    """Blocks of `size` samples, each after `pause` s; at the end wait for `until`."""
    for start in range(0, len(audio), size):
        if pause:
            time.sleep(pause)
        yield audio.cut(start, min(start + size, len(audio)))
    if until is not None:
        until.wait(10)


def feed(audio, **settings):
    """A source that is never too early: everything is taken."""
    return Feed(audio.format, blocks_of(audio), **({"policy": "block"} | settings))


class Collect:
    """Takes what comes out, and joins it."""

    def __init__(self):
        self.blocks = {}

    def __call__(self, out):
        for name, block in out.items():
            self.blocks.setdefault(name, []).append(block)

    def __getitem__(self, name):
        blocks = self.blocks[name]
        return type(blocks[0]).join(blocks)


def samples(path):
    with open_audio(path) as reader:
        return Audio.join([reader.format, *reader.blocks(1 << 20)]).numpy()


def some_pipeline():
    stages = {"low": Resample(rate=8000), "level": Tap(), "mono": (Mix(channels=1), "input")}
    outputs = {"low.wav": "low", "level.csv": "level", "{name}.wav": "mono", "raw.flac": "input"}
    return Pipeline(stages, outputs=outputs)


READY = {
    "chain": lambda: some_pipeline(),
    "tuner": lambda: load(Path(__file__).parents[2] / "pipelines/tuner.yaml"),
    "spectrogram": lambda: load(Path(__file__).parents[2] / "pipelines/spectrogram.yaml"),
}


@pytest.mark.parametrize("name", READY)
def test_live_equals_batch(sound, name):
    audio, pipeline, taken = sound(1.7, 16000, 2), READY[name](), Collect()
    report = run_live(pipeline, feed(audio), take=taken)
    whole = pipeline.run(audio)
    assert list(whole) == sorted(taken.blocks, key=list(whole).index)
    for output, signal_ in whole.items():
        made = taken[output]
        assert len(made) == len(signal_)
        for a, b in zip(made.tensors, signal_.tensors, strict=True):
            torch.testing.assert_close(a, b, atol=2e-3 if a.is_floating_point() else 0, rtol=1e-4)
    assert report.seconds == 1.7
    assert report.queue.drops == report.overruns == 0
    assert report.queue.got == len(audio)


def test_files_are_written_whole(sound, tmp_path):
    audio = sound(1.0, 16000, 2)
    run_live(some_pipeline(), feed(audio), folder=tmp_path / "a/b")
    names = sorted(path.name for path in (tmp_path / "a/b").iterdir())
    assert names == ["level.csv", "live.wav", "low.wav", "raw.flac"]
    np.testing.assert_allclose(samples(tmp_path / "a/b/raw.flac"), audio.numpy(), atol=2e-7)
    assert samples(tmp_path / "a/b/low.wav").shape == (2, 8000)


def test_what_is_watched_is_given_and_not_written(sound, tmp_path):
    taken, seen = Collect(), Collect()
    audio, pipeline = sound(0.5, 16000, 2), chain("pitch")

    class Watch:
        def begin(self, plan):
            assert list(plan.outputs) == ["pitch"]

        def hear(self, heard, out, waiting):
            seen(out)

    watch = {"inside": Reference("pitch/evidence"), "heard": Reference("input")}
    report = run_live(
        pipeline, feed(audio), folder=tmp_path, take=taken, listener=Watch(), watch=watch
    )
    assert sorted(taken.blocks) == sorted(seen.blocks) == ["heard", "inside", "pitch"]
    torch.testing.assert_close(taken["heard"].samples, audio.samples)
    assert [path.name for path in tmp_path.iterdir()] == ["pitch.csv"]
    assert list(report.latency) == list(report.declared) == ["pitch"]


def test_outputs_may_lie_in_folders(sound, tmp_path):
    pipeline = Pipeline([Tap()], outputs={"deep/level.csv": "tap"})
    run_live(pipeline, feed(sound()), folder=tmp_path)
    assert (tmp_path / "deep/level.csv").exists()


def test_an_output_that_cannot_be_written_is_told_before_listening(sound, tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(OutputError, match="out"):
        run_live(chain("mix"), feed(sound()), folder=tmp_path / "out")


def test_a_source_of_nothing(tmp_path):
    report = run_live(some_pipeline(), feed(Audio.empty(16000, 2)), folder=tmp_path)
    assert report.seconds == 0
    assert report.processing == Percentiles(0, 0, 0)
    assert samples(tmp_path / "live.wav").shape == (1, 0)


def test_for_ever_is_until_the_source_ends(sound):
    assert run_live(some_pipeline(), feed(sound(1.7)), seconds=float("inf")).seconds == 1.7


def test_it_stops_after_so_many_seconds(sound, tmp_path):
    source = feed(sound(3.0))
    report = run_live(some_pipeline(), source, seconds=0.777, folder=tmp_path)
    assert report.seconds == pytest.approx(0.777, abs=1e-4)
    assert samples(tmp_path / "live.wav").shape[1] == round(0.777 * 16000)
    assert source.queue.closed


class TestTooSlow:
    """The consumer needs 20 ms for what comes every 2 ms."""

    LIMIT = 0.2

    def run(self, planted, sound, folder=None, take=None, policy="drop-oldest", **others):
        audio = sound(4.0)
        source = Feed(
            audio.format, blocks_of(audio, pause=0.002), seconds=self.LIMIT, policy=policy
        )
        stages = {"slow": planted.Slow(pause=0.02), "level": Tap(hop=20 * 16)}
        outputs = {"slow.wav": "slow", "level.csv": "level", "sum.wav": "sum", "raw.wav": "input"}
        stages["sum"] = (Mix(), ["slow", "input"])
        pipeline = Pipeline(stages | others, outputs=outputs | {name: name for name in others})
        return audio, run_live(pipeline, source, folder=folder, take=take)

    def test_drops_are_counted_and_time_stays_right(self, planted, sound, tmp_path):
        taken = Collect()
        audio, report = self.run(planted, sound, tmp_path, taken)
        queue = report.queue
        assert queue.drops > 10
        assert queue.got + queue.dropped == queue.put == len(audio)
        assert 0 < queue.fullest <= self.LIMIT
        kept = np.ones(len(audio), bool)
        for first, count in queue.gaps:
            kept[first : first + count] = False
        for name, gain in (("slow.wav", 1), ("sum.wav", 2), ("raw.wav", 1)):
            made = samples(tmp_path / name)[0]
            assert len(made) == len(audio), "the file is as long as what was heard"
            np.testing.assert_allclose(made, audio.numpy()[0] * kept * gain, atol=1e-6)
        assert report.seconds == 4.0
        times = [block.start for block in taken.blocks["slow.wav"]]
        assert times == sorted(times)
        with (tmp_path / "level.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == len(audio) // 320
        assert [float(row["time_s"]) for row in rows] == pytest.approx(
            [k * 0.02 for k in range(len(rows))]
        )

    def test_stems_keep_time_too(self, planted, sound, tmp_path):
        audio, report = self.run(planted, sound, tmp_path, parts=(planted.Halves(), "slow"))
        assert report.queue.drops
        assert samples(tmp_path / "parts/low.wav").shape[1] == len(audio)

    def test_a_gap_in_a_spectrogram_is_silence(self, planted, sound, tmp_path):
        spectrogram = find_stage("spectrogram")(scale="log-mel", hop="20 ms", window="40 ms")
        stages = {"mel": (spectrogram, "input")}
        audio, report = self.run(planted, sound, tmp_path, **stages)
        values = np.load(tmp_path / "mel.npz")["values"]
        silent = chain(spectrogram).run(Audio(np.zeros(16000), 16000))["spectrogram"].numpy()
        first, count = max(report.queue.gaps, key=lambda gap: gap[1])
        inside = values[..., first // 320 + 2 : (first + count) // 320 - 2]
        assert inside.shape[-1] > 0
        np.testing.assert_allclose(inside, np.broadcast_to(silent[..., 9:10], inside.shape))
        assert values.max() > inside.max()
        assert values.shape[-1] == pytest.approx(len(audio) // 320, abs=1)

    def test_memory_does_not_grow(self, planted, sound):
        waiting = []

        class Watch:
            def begin(self, plan): ...

            def hear(self, heard, out, wait):
                waiting.append(wait)

        audio = sound(4.0)
        source = Feed(audio.format, blocks_of(audio, pause=0.001), seconds=self.LIMIT)
        pipeline = Pipeline([planted.Slow(pause=0.03)])
        before = threading.active_count()
        run_live(pipeline, source, listener=Watch())
        assert max(waiting) <= self.LIMIT
        assert threading.active_count() <= before

    def test_fail_ends_the_run_and_leaves_nothing(self, planted, sound, tmp_path):
        with pytest.raises(OverrunError) as error:
            self.run(planted, sound, tmp_path, policy="fail")
        assert str(error.value).startswith("the pipeline is slower than its input: 0.2 s were")
        assert not any(path.is_file() for path in tmp_path.rglob("*"))

    def test_block_makes_the_source_wait(self, planted, sound, tmp_path):
        audio = sound(1.0)
        source = Feed(audio.format, blocks_of(audio), seconds=self.LIMIT, policy="block")
        report = run_live(Pipeline([planted.Slow(pause=0.005)]), source, folder=tmp_path)
        assert report.queue.drops == 0
        np.testing.assert_allclose(samples(tmp_path / "slow.wav"), audio.numpy(), atol=1e-6)


class TestRefusals:
    def test_what_cannot_stream_is_refused_before_anything_is_heard(self, planted, sound):
        heard = []

        def blocks():
            heard.append(True)
            yield from ()

        released = []
        source = Feed(sound().format, blocks(), release=lambda: released.append(True))
        with pytest.raises(OfflineError) as error:
            run_live(chain("slow", "twice"), source)
        assert str(error.value) == (
            "'twice' (twice) cannot stream: the peak is known at the end; use mix"
        )
        assert (heard, planted.LOADED, released) == ([], [], [True])

    def test_a_stage_that_breaks_is_named(self, planted, sound, tmp_path):
        with pytest.raises(StageError, match="'broken'"):
            run_live(chain("broken"), feed(sound(level=2)), folder=tmp_path)
        assert list(tmp_path.iterdir()) == []

    def test_what_breaks_in_the_source_is_told(self, sound, tmp_path):
        def blocks():
            yield sound()
            raise AudioError("stdin", "ends inside a sample")

        with pytest.raises(AudioError, match="stdin: ends inside a sample"):
            run_live(chain("mix"), Feed(sound().format, blocks()), folder=tmp_path)
        assert list(tmp_path.iterdir()) == []


class TestInterrupted:
    """Ctrl-C ends well: outputs are complete, and there is a report."""

    def test_in_take(self, sound, tmp_path):
        audio, calls = sound(3.0), []

        def take(out):
            calls.append(out)
            if len(calls) == 10:
                raise KeyboardInterrupt

        report = run_live(some_pipeline(), feed(audio), take=take, folder=tmp_path)
        count = round(report.seconds * 16000)
        assert 0 < count < len(audio)
        assert len(calls) >= 10, "what comes at the end is taken too"
        np.testing.assert_allclose(
            samples(tmp_path / "live.wav"), audio.numpy()[:, :count], atol=1e-6
        )
        assert samples(tmp_path / "low.wav").shape[1] == -(-count // 2)

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_by_a_signal_in_the_middle_of_a_block(self, planted, sound, tmp_path, number):
        audio, over = sound(1.0), threading.Event()
        source = Feed(audio.format, blocks_of(audio, until=over), seconds=10)
        threading.Timer(0.3, os.kill, (os.getpid(), number)).start()
        before = signal.getsignal(number)
        pipeline = Pipeline({"slow": planted.Slow(pause=0.01), "low": Resample(rate=8000)})
        try:
            report = run_live(pipeline, source, folder=tmp_path)
        finally:
            over.set()
        assert signal.getsignal(number) is before
        made = samples(tmp_path / "low.wav")
        assert made.shape[1] == round(report.seconds * 8000)
        whole = pipeline.run(audio.cut(0, round(report.seconds * 16000)))
        np.testing.assert_allclose(made, whole["low"].numpy(), atol=1e-5)

    def test_twice_ends_at_once(self, planted, sound, tmp_path):
        audio = sound(30.0)
        source = Feed(audio.format, blocks_of(audio), seconds=60)
        for delay in (0.6, 0.9):
            threading.Timer(delay, os.kill, (os.getpid(), signal.SIGINT)).start()
        report = run_live(Pipeline([planted.Slow(pause=0.02)]), source, folder=tmp_path)
        assert 0 < report.seconds < 10
        assert samples(tmp_path / "slow.wav").shape[1] == round(report.seconds * 16000)


class TestReport:
    def test_percentiles(self):
        found = Percentiles.of([k / 1000 for k in range(101)])
        assert (found.p50, found.p95, found.p99) == pytest.approx((0.05, 0.095, 0.099))
        assert str(found) == "50.0 / 95.0 / 99.0 ms"

    @pytest.mark.slow
    def test_latency_at_real_time_is_what_is_declared(self, sound, write, tmp_path):
        path = write("a.wav", sound(2.0, 16000))
        pipeline = Pipeline(
            {"low": Resample(rate=8000), "level": Tap(hop="50 ms"), "raw": (Mix(), "input")},
            outputs={"low.wav": "low", "level.csv": "level", "raw.wav": "raw"},
        )
        began = time.monotonic()
        report = run_live(pipeline, paced_file(path))
        assert time.monotonic() - began >= 2
        assert report.queue.drops == 0
        for name, latency in report.latency.items():
            declared = report.declared[name]
            assert latency.p50 <= latency.p95 <= latency.p99
            # It is measured to the first sample of a block: at most a block and a hop older.
            assert declared <= latency.p50 <= declared + 0.02 + 0.05 + 0.05, name
        assert report.declared["raw"] == 0
        assert report.processing.p50 < 0.02


def test_pcm_that_ends_inside_a_sample(tmp_path):
    (tmp_path / "x").write_bytes(b"\0" * 1001)
    with (tmp_path / "x").open("rb") as stream, pytest.raises(AudioError, match="inside a sample"):
        run_live(chain("tap"), pcm_input(stream, PcmFormat(16000)))


def test_stems_reach_whoever_takes_them(planted, sound):
    taken = Collect()
    run_live(Pipeline([planted.Halves()]), feed(sound()), take=taken)
    assert isinstance(taken["halves"], Stems)
    assert len(taken["halves"]["low"]) == 8000
