"""Batches: many files, and which of them go together."""

import re

import numpy as np
import pytest
from folders import COPY, samples, status, tree

from audiopipe.errors import AudioError, CollisionError
from audiopipe.pipeline import BLOCK, Pipeline, load
from audiopipe.run.batch import run_batch
from audiopipe.stages.mix import Mix
from audiopipe.stages.resample import Resample
from audiopipe.stages.tap import Tap


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


def test_a_batch_equals_a_run(sound, write, tmp_path):
    path = write("a.wav", sound(2.5, 44100, 2))
    pipeline = Pipeline([Resample(rate=16000)], outputs={"a.wav": "resample"})
    whole = pipeline.run(path)["a.wav"]
    run_batch(pipeline, [path], tmp_path / "out")
    np.testing.assert_allclose(samples(tmp_path / "out/a/a.wav"), whole.numpy(), atol=1e-6)
