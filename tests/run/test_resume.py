"""Batches that go on after an interruption: the journal."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from folders import COPY, samples, tree

from audiopipe.errors import OutputError
from audiopipe.pipeline import BLOCK, load
from audiopipe.run.batch import run_batch
from audiopipe.run.journal import Journal, fingerprint


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
