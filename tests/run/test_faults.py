"""Batches in which something goes wrong: one bad file, a full disk."""

import re
import shutil
import subprocess

import numpy as np
import pytest
import soundfile
from folders import COPY, samples, status, tree

from audiopipe.errors import ModelError, OutputError
from audiopipe.pipeline import Pipeline, chain, load
from audiopipe.run.batch import run_batch
from audiopipe.signals import Audio
from audiopipe.stages.mix import Mix
from audiopipe.stages.tap import Tap


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
