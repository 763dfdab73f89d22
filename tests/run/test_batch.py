"""Batches: many files, faults, and going on after an interruption."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiopipe.errors import AudioError, CollisionError, ModelError, OutputError
from audiopipe.io.read import open_audio
from audiopipe.pipeline import BLOCK, Pipeline, chain, load
from audiopipe.run.batch import run_batch
from audiopipe.run.journal import Journal, fingerprint
from audiopipe.signals import Audio
from audiopipe.stages.mix import Mix
from audiopipe.stages.resample import Resample
from audiopipe.stages.tap import Tap

COPY = {"audiopipe": 1, "stages": ["mix"], "outputs": {"{name}.wav": "mix"}}
"""A definition whose output is its input."""


def tree(folder):
    """All files below a folder but the journal's, sorted."""
    files = (path.relative_to(folder) for path in Path(folder).rglob("*") if path.is_file())
    return sorted(str(path) for path in files if path.parts[0] != ".audiopipe")


def status(report):
    return {file.input.name: file.status for file in report.files}


def samples(path):
    with open_audio(path) as reader:
        return Audio.join([reader.format, *reader.blocks(BLOCK)]).numpy()


@pytest.fixture
def three(sound, write, tmp_path):
    """A folder of three files."""
    for number, name in enumerate(("a.wav", "b.wav", "sub/c.wav")):
        write(f"in/{name}", sound(0.2, seed=number))
    return tmp_path / "in"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


class TestInputs:
    def test_folders_keep_their_structure(self, three, out):
        write_hidden = three / ".hidden.wav"
        write_hidden.write_bytes(b"no audio")
        (three / "notes.txt").write_text("no audio")
        report = run_batch(load(COPY), [three], out)
        assert report.count("done") == 3
        assert tree(out) == ["a.wav", "b.wav", "sub/c.wav"]

    def test_outputs_without_a_name_go_into_a_folder_for_each_input(self, three, out):
        run_batch(Pipeline([Tap()], outputs={"levels.csv": "tap", "x/y": "tap"}), [three], out)
        assert tree(out) == [
            "a/levels.csv", "a/x/y.csv", "b/levels.csv", "b/x/y.csv",
            "sub/c/levels.csv", "sub/c/x/y.csv",
        ]  # fmt: skip

    def test_patterns(self, three, out):
        report = run_batch(load(COPY), [f"{three}/**/*.wav", f"{three}/a*"], out)
        assert status(report) == {"a.wav": "done", "b.wav": "done", "c.wav": "done"}
        assert tree(out) == ["a.wav", "b.wav", "sub/c.wav"]

    def test_a_name_with_brackets_is_a_name(self, sound, write, out):
        path = write("take [1].wav", sound(0.1))
        assert status(run_batch(load(COPY), [path], out)) == {"take [1].wav": "done"}

    @pytest.mark.parametrize(
        ("input", "message"),
        [("empty", "there is no audio in this folder"), ("*.mp3", "no file matches this pattern")],
    )
    def test_nothing_found_is_an_error(self, tmp_path, out, input, message):
        (tmp_path / "empty").mkdir()
        with pytest.raises(AudioError, match=f"{re.escape(input)}: {message}"):
            run_batch(load(COPY), [tmp_path / input], out)

    def test_one_file_by_two_names_is_read_once(self, three, out, monkeypatch):
        monkeypatch.chdir(three)
        report = run_batch(load(COPY), ["a.wav", "./a.wav", three / "a.wav", "."], out)
        assert report.count("done") == 3

    @pytest.mark.parametrize("where", ["out", "."])
    def test_outputs_among_the_inputs_are_no_inputs_of_the_next_run(self, three, where):
        definition = COPY | {"outputs": {"copy.wav": "mix"}}
        run_batch(load(definition), [three], three / where)
        again = run_batch(load(definition), [three], three / where)
        assert status(again) == dict.fromkeys(("a.wav", "b.wav", "c.wav"), "skipped")
        again = run_batch(load(definition), [f"{three}/**/*.wav"], three / where)
        assert again.count("skipped") == len(again.files) == 3


class TestCollisions:
    def test_two_inputs_for_one_output(self, sound, write, out, tmp_path):
        first, second = write("1/a.wav", sound(0.1)), write("2/a.wav", sound(0.1))
        with pytest.raises(CollisionError) as error:
            run_batch(load(COPY), [first, second], out)
        assert str(error.value) == (
            f"{out}/a.wav: would be written for both {first} and {second}; run them into two "
            "folders, or give the folder that holds both"
        )
        assert not out.exists(), "nothing is begun"
        assert run_batch(load(COPY), [tmp_path], out).count("done") == 2

    def test_the_same_name_with_two_suffixes(self, sound, write, out):
        paths = [write("a.wav", sound(0.1)), write("a.flac", sound(0.1))]
        with pytest.raises(CollisionError, match=r"out/a\.wav: would be written for both"):
            run_batch(load(COPY), paths, out)

    def test_inputs_are_not_overwritten(self, three):
        before = (three / "a.wav").read_bytes()
        with pytest.raises(CollisionError) as error:
            run_batch(load(COPY), [three], three)
        assert str(error.value) == (
            f"{three}/a.wav: is an input and would be overwritten; choose another folder"
        )
        assert (three / "a.wav").read_bytes() == before

    def test_nor_through_a_link(self, three, tmp_path):
        (tmp_path / "link").symlink_to(three)
        with pytest.raises(CollisionError, match="is an input"):
            run_batch(load(COPY), [three], tmp_path / "link")


class TestFaults:
    def test_bad_files_are_reported_and_the_rest_is_done(self, three, out):
        (three / "b.wav").write_text("This is text.")
        nan = np.zeros(16000, np.float32)
        nan[8000] = np.nan
        soundfile.write(three / "nan.wav", nan, 16000, subtype="FLOAT")
        report = run_batch(load(COPY), [three, three / "missing.mp3"], out)
        assert status(report) == {
            "a.wav": "done", "b.wav": "failed", "nan.wav": "failed", "c.wav": "done",
            "missing.mp3": "failed",
        }  # fmt: skip
        errors = {file.input.name: file for file in report.files if file.error}
        assert errors["nan.wav"].error.startswith(
            f"{three}/nan.wav: the sample at 0.500000 s (number 8000, channel 1) is NaN"
        )
        missing = f"{three}/missing.mp3: there is no such file; check the name"
        assert errors["missing.mp3"].error == missing
        assert {file.exit_code for file in errors.values()} == {3}
        assert tree(out) == ["a.wav", "sub/c.wav"]

    @pytest.mark.parametrize("together", [None, 4])
    def test_a_stage_that_breaks_is_named_and_the_rest_is_done(
        self, planted, sound, write, out, tmp_path, together
    ):
        for name, level in {"a": 0.5, "b": 5.0, "c": 0.5, "d": 0.5}.items():
            write(f"in/{name}.wav", sound(0.3, level=level), subtype="FLOAT")
        report = run_batch(chain("broken"), [tmp_path / "in"], out, together=together)
        found = status(report)
        assert found == {"a.wav": "done", "b.wav": "failed", "c.wav": "done", "d.wav": "done"}
        (broken,) = (file for file in report.files if file.error)
        assert broken.exit_code == 8
        assert broken.error.startswith("'broken' (broken) broke: IndexError: off the table;")
        assert tree(out) == ["a/broken.wav", "c/broken.wav", "d/broken.wav"]

    def test_a_stage_that_cannot_be_loaded_is_named(self, planted, three, out):
        report = run_batch(chain("unloadable"), [three / "a.wav"], out)
        assert report.files[0].error.startswith("'unloadable' (unloadable) broke: KeyError")

    def test_a_model_that_is_missing_ends_the_batch(self, three, out, monkeypatch):
        def load(self, source, device, dtype):
            raise ModelError("model 'x' is not there")

        monkeypatch.setattr(Tap, "load", load)
        with pytest.raises(ModelError, match="model 'x'"):
            run_batch(chain("tap"), [three], out)
        assert tree(out) == []

    def test_the_output_folder_is_a_file(self, three, out):
        out.touch()
        with pytest.raises(OutputError) as error:
            run_batch(load(COPY), [three], out)
        assert str(error.value) == f"{out}: a file is in the way of this folder; choose another"

    def test_a_folder_stands_where_an_output_goes(self, three, out):
        (out / "a.wav").mkdir(parents=True)
        report = run_batch(load(COPY), [three], out)
        assert status(report)["a.wav"] == "failed"
        assert report.files[0].error == f"{out}/a.wav: is a folder; name a file in it"
        assert tree(out) == ["b.wav", "sub/c.wav"]

    def test_an_empty_recording_gives_empty_outputs(self, write, out):
        path = write("a.wav", Audio(np.zeros((2, 0)), 44100))
        assert run_batch(load(COPY), [path], out).count("done") == 1
        assert samples(out / "a.wav").shape == (2, 0)


class TestTogether:
    """Files that go through the stages together come out as if they were alone."""

    SHAPES = (
        (3.1, 44100, 2), (0.0, 44100, 2), (0.01, 44100, 2), (4.7, 44100, 2),
        (1.0, 22050, 1), (3.5, 44100, 1), (0.9, 44100, 2),
    )  # fmt: skip

    def pipeline(self):
        stages = {"low": Resample(rate=16000), "level": Tap(), "mono": (Mix(channels=1), "input")}
        return Pipeline(stages, outputs={"low.wav": "low", "l.csv": "level", "mono.flac": "mono"})

    def test_several_together_equal_one_by_one(self, sound, write, tmp_path):
        for number, (seconds, rate, channels) in enumerate(self.SHAPES):
            audio = sound(seconds, rate, channels, seed=number)
            write(f"in/{number}.{'flac' if number in (0, 5) else 'wav'}", audio)
        one, many = tmp_path / "one", tmp_path / "many"
        assert run_batch(self.pipeline(), [tmp_path / "in"], one).count("done") == 7
        report = run_batch(self.pipeline(), [tmp_path / "in"], many, together=4)
        assert report.count("done") == 7
        assert tree(one) == tree(many)
        for name in tree(one):
            if name.endswith(".csv"):
                assert (one / name).read_text() == (many / name).read_text()
            else:
                a, b = samples(one / name), samples(many / name)
                np.testing.assert_allclose(a, b, atol=1e-6)

    def test_recordings_that_need_two_passes(self, planted, sound, write, tmp_path):
        lengths = {"a": BLOCK * 3 + 5, "b": 1000, "c": BLOCK}
        for name, length in lengths.items():
            audio = sound(length / 16000, 16000, level=0.1)
            write(f"in/{name}.wav", audio, subtype="FLOAT")
        pipeline = Pipeline([planted.Twice(), Tap()], outputs={"a.wav": "twice", "b.csv": "tap"})
        report = run_batch(pipeline, [tmp_path / "in"], tmp_path / "out", together=3)
        assert report.count("done") == 3
        for name, length in lengths.items():
            made = samples(tmp_path / "out" / name / "a.wav")
            assert made.shape[1] == length
            assert np.abs(made).max() == pytest.approx(1, abs=1e-4)


class TestJournal:
    """Only what is missing is done again."""

    def again(self, three, out, **changes):
        report = run_batch(load(COPY | changes), [three], out)
        return [file.input.name for file in report.files if file.status == "done"]

    def test_nothing_is_done_twice(self, three, out):
        assert self.again(three, out) == ["a.wav", "b.wav", "c.wav"]
        assert self.again(three, out) == []
        assert self.again(three, out, about="other words") == []

    def test_what_changed_is_done_again(self, three, out, write, sound):
        self.again(three, out)
        os.utime(three / "a.wav", (1, 1))
        assert self.again(three, out) == ["a.wav"]
        write("in/b.wav", sound(0.3))
        assert self.again(three, out) == ["b.wav"]
        (out / "sub/c.wav").unlink()
        assert self.again(three, out) == ["c.wav"]
        (out / "a.wav").write_bytes(b"cut")
        assert self.again(three, out) == ["a.wav"]
        everything = ["a.wav", "b.wav", "c.wav"]
        assert self.again(three, out, stages=[{"use": "mix", "gains": ["1 dB"]}]) == everything
        assert self.again(three, out, outputs={"{name}.flac": "mix"}) == everything

    def test_the_precision_is_part_of_what_was_done(self, three, out):
        self.again(three, out)
        assert run_batch(load(COPY), [three], out, dtype="float16").count("done") == 3

    def test_an_input_in_another_place_is_done_again(self, three, out):
        self.again(three, out)
        report = run_batch(load(COPY), [three / "sub/c.wav"], out)
        assert report.count("done") == 1
        assert tree(out) == ["a.wav", "b.wav", "c.wav", "sub/c.wav"]

    def test_the_folder_may_move(self, three, out, tmp_path, monkeypatch):
        self.again(three, out)
        out.rename(tmp_path / "moved")
        monkeypatch.chdir(tmp_path)
        assert self.again(three, "moved") == []

    @pytest.mark.parametrize(
        "damage",
        [b'{"input": "/cu', b"no json\n", b'["a"]\n', b'{"input": 1, "outputs": 3}\n', b"\xff\n"],
    )
    def test_damaged_lines_count_for_nothing(self, three, out, damage):
        self.again(three, out)
        (out / "b.wav").unlink()
        journal = out / ".audiopipe/journal.jsonl"
        journal.write_bytes(journal.read_bytes() + damage)
        assert self.again(three, out) == ["b.wav"]
        assert self.again(three, out) == []

    def test_a_line_cut_short_is_done_again(self, three, out):
        self.again(three, out)
        journal = out / ".audiopipe/journal.jsonl"
        journal.write_bytes(journal.read_bytes()[:-20])
        assert self.again(three, out) == ["c.wav"]
        assert self.again(three, out) == []

    def test_a_journal_that_cannot_be_written_is_told_and_stops_nothing(
        self, three, out, monkeypatch, caplog
    ):
        def full(descriptor):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        assert self.again(three, out) == ["a.wav", "b.wav", "c.wav"]
        assert "No space left on device" in caplog.text

    def test_two_runs_into_one_folder(self, three, out):
        running = Journal(out, fingerprint(load(COPY).definition.graph))
        with running, pytest.raises(OutputError) as error:
            run_batch(load(COPY), [three], out)
        assert str(error.value) == (
            f"{out}: another run (process {os.getpid()}) is writing here; wait, or choose a folder"
        )
        assert self.again(three, out) == ["a.wav", "b.wav", "c.wav"]

    def test_only_what_the_dead_have_left_is_swept(self, three, out):
        from audiopipe.io.atomic import Replacement

        out.mkdir()
        dead = out / ".a.wav.12345678.part"
        dead.write_bytes(b"half")
        living = Replacement(out / "other.csv")
        self.again(three, out)
        assert not dead.exists()
        living.commit()
        assert tree(out) == ["a.wav", "b.wav", "other.csv", "sub/c.wav"]


class TestInterrupted:
    """Ctrl-C anywhere leaves nothing half-written."""

    def test_by_a_listener(self, three, out):
        class Impatient:
            def begin(self, files): ...
            def end(self, report): ...

            def advance(self, input, done, total):
                if input.name == "b.wav":
                    raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run_batch(load(COPY), [three], out, listener=Impatient())
        assert tree(out) == ["a.wav"]
        assert run_batch(load(COPY), [three], out).count("skipped") == 1
        assert tree(out) == ["a.wav", "b.wav", "sub/c.wav"]

    def test_while_a_file_is_being_opened(self, three, out, monkeypatch):
        from audiopipe.run import batch

        def interrupted(reader, size):
            raise KeyboardInterrupt

        monkeypatch.setattr(batch, "Reading", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run_batch(load(COPY), [three], out)
        assert tree(out) == []


DEFINITION = """
audiopipe: 1
stages: [{use: slow, pause: 0.1}]
outputs: {"{name}.wav": slow}
"""


@pytest.fixture
def lengthy(planted, sound, write, tmp_path):
    """A command that takes about 2 s for 6 files of 2 blocks, and what it makes of them."""
    for number in range(6):
        audio = sound((2 * BLOCK + number) / 16000, 16000, seed=number)
        write(f"in/{number}.flac", audio)
    (tmp_path / "p.yaml").write_text(DEFINITION)
    command = [sys.executable, "-m", "audiopipe", "run", "p.yaml", "in", "-o", "out", "--json"]
    return command


def begin(command, folder, files):
    """Start a batch, and wait until so many files are done and the next is under way."""
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    for _ in range(files):
        assert json.loads(process.stdout.readline())["status"] == "done"
    until = time.monotonic() + 20
    while not list((folder / "out").glob(".*.part")):
        assert time.monotonic() < until
        time.sleep(0.005)
    return process


def check_whole(folder):
    assert tree(folder / "out") == [f"{number}.wav" for number in range(6)]
    for number in range(6):
        made, given = folder / f"out/{number}.wav", folder / f"in/{number}.flac"
        np.testing.assert_array_equal(samples(made), samples(given))


@pytest.mark.slow
def test_killed_and_resumed(lengthy, planted, tmp_path):
    process = begin(lengthy, tmp_path, 2)
    process.kill()
    process.communicate()
    left = tree(tmp_path / "out")
    assert any(name.endswith(".part") for name in left), "it was killed in the middle of a file"
    assert not any(name in left for name in ("3.wav", "4.wav", "5.wav"))
    before = (tmp_path / "out/0.wav").stat().st_mtime_ns
    report = run_batch(load(tmp_path / "p.yaml"), [tmp_path / "in"], tmp_path / "out")
    assert [file.status for file in report.files].count("skipped") >= 2
    assert report.count("failed") == 0
    assert (tmp_path / "out/0.wav").stat().st_mtime_ns == before
    check_whole(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_and_resumed(lengthy, planted, tmp_path, number):
    process = begin(lengthy, tmp_path, 1)
    process.send_signal(number)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 130
    assert told == "interrupted\n"
    left = tree(tmp_path / "out")
    assert all(re.fullmatch(r"\d\.wav", name) for name in left), left
    assert len(left) < 6
    assert run_batch(load(tmp_path / "p.yaml"), [tmp_path / "in"], tmp_path / "out").files
    check_whole(tmp_path)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 2 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


class TestDiskFull:
    def test_is_told_and_leaves_nothing_half_written(self, small_disk, sound, write, tmp_path):
        write("in/long.wav", sound(60, 16000))
        write("in/short.wav", sound(0.5, 16000))
        report = run_batch(load(COPY), [tmp_path / "in"], small_disk / "out")
        assert status(report) == {"long.wav": "failed", "short.wav": "done"}
        assert tree(small_disk / "out") == ["short.wav"]
        failed = report.files[0]
        assert failed.exit_code == 4
        assert re.fullmatch(
            rf"{small_disk}/out/long\.wav: the disk is full: [\d.]+ MB of this file were computed "
            rf"and it is not done, [\d.]+ \w+ are free in {small_disk}/out; free some space or "
            r"write elsewhere",
            failed.error,
        )

    def test_while_a_recording_is_gone_over_again(
        self, planted, small_disk, sound, write, tmp_path
    ):
        for name in ("a", "b", "c"):
            write(f"in/{name}.wav", sound(60 if name == "b" else 1, 16000))
        pipeline = Pipeline([planted.Twice(), Mix()], outputs={"{name}.wav": "mix"})
        report = run_batch(pipeline, [tmp_path / "in"], small_disk / "out", together=3)
        assert status(report) == {"a.wav": "done", "b.wav": "failed", "c.wav": "done"}
        assert tree(small_disk / "out") == ["a.wav", "c.wav"]

    def test_where_recordings_are_kept_to_be_gone_over_again(
        self, planted, small_disk, sound, write, tmp_path, monkeypatch
    ):
        monkeypatch.setattr("tempfile.tempdir", str(small_disk))
        path = write("a.wav", sound(60, 16000))
        report = run_batch(chain("twice"), [path], tmp_path / "out")
        assert report.files[0].exit_code == 4
        assert report.files[0].error == (
            f"{small_disk}: a recording that is gone over twice is kept here, and cannot be "
            "written: No space left on device; free some space, or set TMPDIR to another folder"
        )
        assert tree(tmp_path / "out") == []


def test_a_folder_that_may_not_be_written(three, tmp_path, as_nobody):
    told = as_nobody(lambda: run_batch(load(COPY), [three], tmp_path / "out"))
    assert told == (
        f"OutputError: {tmp_path}/out: may not write in {tmp_path}; change its permissions or "
        "write elsewhere"
    )


def test_a_batch_equals_a_run(sound, write, tmp_path):
    path = write("a.wav", sound(2.5, 44100, 2))
    pipeline = Pipeline([Resample(rate=16000)], outputs={"a.wav": "resample"})
    whole = pipeline.run(path)["a.wav"]
    run_batch(pipeline, [path], tmp_path / "out")
    np.testing.assert_allclose(samples(tmp_path / "out/a/a.wav"), whole.numpy(), atol=1e-6)
