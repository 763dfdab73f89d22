"""Pipelines as people use them from Python."""

import logging
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile
import torch

import audiopipe
from audiopipe.errors import (
    AudioError,
    DefinitionError,
    DeviceError,
    OfflineError,
    OutputError,
    PlanError,
    StageError,
)
from audiopipe.pipeline import BLOCK, Pipeline, chain, load, parse
from audiopipe.run.batch import run_batch
from audiopipe.signals import Audio, Stems
from audiopipe.stages.mix import Mix
from audiopipe.stages.resample import Resample
from audiopipe.stages.tap import Tap

BRANCHED = """
audiopipe: 1
stages:
  low: {use: resample, rate: 8 kHz}
  level: {use: tap, hop: 20 ms}
  mono: {use: mix, channels: 1, from: input}
outputs: {low.wav: low, level.csv: level, mono: mono}
"""


def same(first, second, tolerance=1e-6):
    assert list(first) == list(second)
    for name in first:
        assert first[name].signature == second[name].signature
        for a, b in zip(first[name].tensors, second[name].tensors, strict=True):
            torch.testing.assert_close(a, b, atol=tolerance, rtol=0)


def joined(rounds):
    collected = {}
    for out in rounds:
        for name, block in out.items():
            collected.setdefault(name, []).append(block)
    return {name: type(blocks[0]).join(blocks) for name, blocks in collected.items()}


def cut(audio, sizes):
    start = 0
    for size in sizes:
        yield audio.cut(start, min(start + size, len(audio)))
        start += size
    yield audio.cut(min(start, len(audio)), len(audio))


def test_file_audio_and_stream_give_the_same(sound, write):
    audio = sound(3.3, 44100, 2)
    path = write("a.wav", audio, subtype="FLOAT")
    pipeline = parse(BRANCHED)
    whole = pipeline.run(audio)
    same(whole, pipeline.run(path))
    same(whole, pipeline.run(str(path)))
    streamed = joined(pipeline.stream(cut(audio, [1, 0, 700, 441, 30000, 3])))
    same({name: whole[name] for name in streamed}, streamed)
    assert len(whole["low.wav"]) == round(3.3 * 8000)


def test_a_recording_longer_than_a_block_keeps_its_length(sound):
    audio = sound((BLOCK * 2 + 17) / 48000, 48000)
    heard = []
    result = chain("mix").run(audio, progress=lambda done, total: heard.append((done, total)))
    assert torch.equal(result["mix"].samples, audio.samples)
    assert heard == [(BLOCK, len(audio)), (2 * BLOCK, len(audio)), (len(audio), len(audio))]


def test_empty_audio_runs():
    result = parse(BRANCHED).run(Audio.empty(44100, 2))
    assert {name: len(signal) for name, signal in result.items()} == {
        "low.wav": 0,
        "level.csv": 0,
        "mono": 0,
    }


def test_a_stream_of_nothing_gives_nothing():
    assert list(chain("tap").stream([])) == []


def test_a_stream_that_changes_its_format_is_refused(sound):
    blocks = [sound(0.1, 16000), sound(0.1, 8000)]
    with pytest.raises(ValueError, match="8000"):
        list(chain("tap").stream(blocks))


class TestInCode:
    def test_a_list_is_a_chain(self, sound):
        pipeline = Pipeline([Resample(rate=8000), Mix(channels=1), Mix(gains=(-6,)), Tap()])
        assert [step.name for step in pipeline.plan().steps] == ["resample", "mix", "mix-2", "tap"]
        assert list(pipeline.run(sound())) == ["tap"]

    def test_a_mapping_names_and_tuples_say_where_from(self, sound):
        pipeline = Pipeline(
            {"mono": Mix(channels=1), "raw": (Tap(), "input"), "sum": (Mix(), ["mono", "input"])},
            outputs={"a.csv": "raw", "b.wav": "sum", "c.wav": "mono"},
            about="x",
        )
        audio = sound(channels=1)
        result = pipeline.run(audio)
        assert list(result) == ["a.csv", "b.wav", "c.wav"]
        torch.testing.assert_close(result["b.wav"].samples, 2 * audio.samples)
        assert pipeline.about == "x"

    def test_names_are_stages_with_their_defaults(self):
        assert [step.stage.name for step in chain("mix", Tap()).plan().steps] == ["mix", "tap"]

    @pytest.mark.parametrize(
        ("stages", "outputs", "message"),
        [
            ([Tap(), Mix()], {}, "'mix' (mix): takes Audio, but 'tap' gives Levels"),
            ({"a": (Tap(), "b"), "b": Mix()}, {}, "stage 'b' comes later; put it first"),
            ({"a": (Tap(), "bb")}, {}, "there is no stage 'bb' here; there is a, input"),
            ([Tap()], {"x.csv": "tab"}, "there is no stage 'tab' here; did you mean 'tap'?"),
        ],
    )
    def test_what_does_not_fit_is_told_by_plan(self, stages, outputs, message):
        with pytest.raises(PlanError, match=re.escape(message)):
            Pipeline(stages, outputs=outputs).plan()

    def test_strict_refuses_what_would_be_inserted(self):
        stages = {"low": Resample(rate=8000), "sum": (Mix(), ["input", "low"])}
        assert any(step.why for step in Pipeline(stages).plan().steps)
        with pytest.raises(PlanError, match="strict"):
            Pipeline(stages, strict=True).plan()


def test_an_unknown_stage_is_refused():
    with pytest.raises(audiopipe.AudiopipeError, match="did you mean 'tap'"):
        chain("tapp")


def test_devices_and_precisions_are_checked(sound):
    with pytest.raises(DeviceError, match="unknown device 'gpu'; write auto, cpu, cuda"):
        chain("tap").plan(device="gpu")
    with pytest.raises(DeviceError, match="unknown dtype 'float8'; write float32"):
        chain("tap").run(sound(), dtype="float8")


def test_files_that_are_not_audio_are_refused(tmp_path):
    with pytest.raises(AudioError, match="there is no such file"):
        chain("tap").run(tmp_path / "a.wav")


class TestResult:
    def test_is_a_mapping_that_shows_itself(self, sound):
        result = parse(BRANCHED).run(sound())
        assert list(result) == ["low.wav", "level.csv", "mono"]
        assert repr(result).splitlines()[0] == (
            "low.wav: Audio(1 channel, 4000 samples, 8000 Hz, 0.5 s)"
        )
        assert len(result) == 3

    def test_is_found_by_file_or_by_stage(self, sound):
        result = parse(BRANCHED).run(sound())
        assert result["level"] is result["level.csv"]
        assert "level" in result
        with pytest.raises(KeyError, match=r"no output 'lvel'; did you mean 'level'\?"):
            result["lvel"]

    def test_shows_itself_in_a_notebook(self, sound):
        shown = parse(BRANCHED).run(sound(0.1))._repr_html_()
        assert shown.count("<audio controls") == 2
        assert shown.count("data:image/png;base64,") == 3
        assert "<h4>level.csv</h4>" in shown

    def test_a_name_cannot_break_the_page(self, sound):
        shown = Pipeline([Tap()], outputs={"<b>.csv": "tap"}).run(sound(0.1))._repr_html_()
        assert "<h4>&lt;b&gt;.csv</h4>" in shown

    def test_is_saved_under_its_names(self, sound, write, tmp_path):
        path = write("song.wav", sound())
        pipeline = Pipeline(
            {"a": Mix(), "b": Tap()},
            outputs={"{name}.flac": "a", "sub/{name}.levels.csv": "b", "b": "b"},
        )
        saved = pipeline.run(path).save(tmp_path / "out" / "deep")
        names = [str(file.relative_to(tmp_path / "out/deep")) for file in saved]
        assert names == ["song.flac", "sub/song.levels.csv", "b.csv"]
        assert all(file.stat().st_size for file in saved)

    def test_of_audio_it_is_called_audio(self, sound, tmp_path):
        pipeline = Pipeline([Tap()], outputs={"{name}.csv": "tap"})
        (saved,) = pipeline.run(sound()).save(tmp_path)
        assert saved.name == "audio.csv"

    def test_a_folder_that_cannot_be_made_is_told(self, sound, tmp_path):
        (tmp_path / "out").touch()
        with pytest.raises(OutputError, match=r"out: a file is in the way"):
            chain("tap").run(sound()).save(tmp_path / "out")


class TestPlanted:
    """With stages of a plug-in."""

    def test_loading_is_apart_from_planning_and_done_once(self, planted, sound, write):
        pipeline = chain("slow")
        pipeline.plan()
        assert planted.LOADED == []
        for _ in range(3):
            pipeline.run(sound(0.1))
            joined(pipeline.stream([sound(0.1)]))
        pipeline.run(write("a.wav", sound(0.1)))
        assert planted.LOADED == ["slow"]
        pipeline.run(sound(0.1, channels=2))
        assert planted.LOADED == ["slow", "slow"], "another format is another plan"

    def test_stages_that_break_are_named(self, planted, sound):
        message = (
            "'broken' (broken) broke: IndexError: off the table; this is a fault in the stage, "
            "please report it"
        )
        with pytest.raises(StageError, match=re.escape(message)):
            chain("broken").run(sound(level=2))
        with pytest.raises(StageError, match=r"'unloadable' \(unloadable\) broke: KeyError"):
            chain("unloadable").run(sound())

    def test_offline_stages_refuse_to_stream_and_load_nothing(self, planted, sound):
        pipeline = chain("slow", "twice")
        assert float(pipeline.run(sound(level=0.1))["twice"].samples.abs().max()) == 1
        planted.LOADED.clear()
        with pytest.raises(OfflineError) as error:
            next(chain("slow", "twice").stream([sound()]))
        assert str(error.value) == (
            "'twice' (twice) cannot stream: the peak is known at the end; use mix"
        )
        assert planted.LOADED == []

    def test_ports_together_are_stems(self, planted, sound, tmp_path):
        audio = sound(0.5, channels=2)
        result = Pipeline(
            [planted.Halves()],
            outputs={"all": "halves", "low.wav": "halves.low", "{name}.{stem}.flac": "halves"},
        ).run(audio)
        stems = result["all"]
        assert isinstance(stems, Stems)
        torch.testing.assert_close(stems["low"].samples + stems["high"].samples, audio.samples)
        assert torch.equal(result["low.wav"].samples, stems["low"].samples)
        result.save(tmp_path)
        names = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file())
        assert names == [
            "all/high.wav", "all/low.wav", "audio.high.flac", "audio.low.flac", "low.wav",
        ]  # fmt: skip

    def test_stems_of_a_batch(self, planted, sound, write, tmp_path):
        audio = sound(0.5, channels=2)
        write("in/a.wav", audio)
        definition = {
            "audiopipe": 1,
            "stages": ["halves"],
            "outputs": {"parts": "halves", "{name}-{stem}.flac": "halves"},
        }
        report = run_batch(load(definition), [tmp_path / "in"], tmp_path / "out")
        names = ["a/parts/low.wav", "a/parts/high.wav", "a-low.flac", "a-high.flac"]
        (file,) = report.files
        assert [str(p.relative_to(tmp_path / "out")) for p in file.outputs] == names
        for name, share in zip(names, [1 / 4, 3 / 4, 1 / 4, 3 / 4], strict=True):
            samples, rate = soundfile.read(tmp_path / "out" / name)
            assert rate == 16000
            np.testing.assert_allclose(samples.T, audio.numpy() * share, atol=1e-4)
        again = run_batch(load(definition), [tmp_path / "in"], tmp_path / "out")
        assert again.count("skipped") == 1
        (tmp_path / "out" / "a-low.flac").unlink()
        again = run_batch(load(definition), [tmp_path / "in"], tmp_path / "out")
        assert again.count("done") == 1

    def test_stems_and_another_output_in_one_file(self, planted):
        outputs = {"{stem}.wav": "halves", "low.wav": "halves.low"}
        with pytest.raises(audiopipe.AudiopipeError, match="would both be written to low"):
            load({"audiopipe": 1, "stages": ["halves"], "outputs": outputs})

    def test_a_port_that_is_not_there(self, planted):
        definition = {"audiopipe": 1, "stages": ["halves", "mix"]}
        with pytest.raises(
            audiopipe.AudiopipeError,
            match=re.escape("'halves' has several outputs: choose halves.low, halves.high"),
        ):
            load(definition)
        definition["stages"][1] = {"use": "mix", "from": "halves.hi"}
        with pytest.raises(
            audiopipe.AudiopipeError,
            match=re.escape("'halves' has no output 'hi'; did you mean 'high'?"),
        ):
            load(definition)


class TestRefusedInCode:
    @pytest.mark.parametrize("name", ["input", "a.b", "a/b"])
    def test_names_that_references_could_not_tell_apart(self, name):
        with pytest.raises(DefinitionError) as error:
            Pipeline({name: Tap()})
        assert str(error.value) == (
            f"{name!r} cannot name a stage: no dots, no slashes, not 'input'"
        )

    @pytest.mark.parametrize("stages", [[], {}])
    def test_no_stages(self, stages):
        with pytest.raises(DefinitionError, match="a pipeline needs at least one stage"):
            Pipeline(stages)


class TestAudioOf:
    def test_pcm_of_8_bits_has_128_for_silence(self):
        samples = Audio(np.array([0, 128, 192], np.uint8), 8000).samples
        assert samples.tolist() == [[-1.0, 0.0, 0.5]]

    def test_pcm_of_16_bits(self):
        assert Audio(np.array([-32768, 16384], np.int16), 8000).samples.tolist() == [[-1.0, 0.5]]

    def test_integers_that_are_no_pcm(self):
        with pytest.raises(ValueError, match="int64 is no PCM; give floats of ±1, or uint8, int16"):
            Audio([0, 1, -1], 8000)

    def test_no_channels(self):
        with pytest.raises(ValueError, match="one channel or more"):
            Audio(np.zeros((0, 10)), 8000)

    @pytest.mark.parametrize("rate", [44100.0, np.int64(44100), np.float32(44100)])
    def test_a_whole_rate_of_another_type_is_a_rate(self, rate):
        audio = Audio(np.zeros(10), rate)
        assert (audio.rate, type(audio.rate)) == (44100, int)

    @pytest.mark.parametrize(
        ("rate", "message"),
        [
            (44100.5, "a rate is a whole number of Hz, not 44100.5"),
            (0, "a rate is 1 Hz or more, not 0"),
        ],
    )
    def test_no_rates(self, rate, message):
        with pytest.raises(ValueError, match=message):
            Audio(np.zeros(10), rate)


def test_two_threads_that_begin_together_load_once(caplog):
    pipeline, audio = Pipeline([Mix(channels=1)]), Audio(np.zeros((2, 10)), 8000)
    with caplog.at_level(logging.INFO, logger="audiopipe"), ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: len(pipeline.run(audio)["mix"]), range(16)))
    assert results == [10] * 16
    assert len([r for r in caplog.records if r.message.startswith("loading")]) == 1
