"""What the verbs print."""

import io
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiopipe.cli import INTERRUPTED, VERBS
from audiopipe.errors import SoundDeviceError
from audiopipe.models import Store
from audiopipe.pipeline import load
from audiopipe.ready import find_definition, ready_pipelines
from audiopipe.registry import stage_names

PIPELINE = """
audiopipe: 1
about: Levels & [more].
stages:
  low: {use: resample, rate: 8 kHz}
  mono: {use: mix, channels: 1}
  both: {use: mix, from: [mono, input], channels: 2}
  level: {use: tap, from: low}
outputs: {"{name}.wav": both, level.csv: level}
tests:
  - {input: tone 440 Hz 1 s, expect: {level: peak -6 dB ± 0.1, low: length 1 s ± 0}}
"""


@pytest.fixture
def definition(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text(PIPELINE)
    return path


NAMES = sorted(verb.__name__ for verb in VERBS)


@pytest.mark.parametrize("verb", [*NAMES, "models"])
def test_every_verb_has_help(cli, verb):
    ran = cli(verb, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert f"audiopipe {verb}" in ran.out
    if verb in ("run", "live", "plan", "check", "pitch", "spectrogram", "stages", "schema"):
        assert "Example" in ran.out


def test_help_tells_of_all_verbs_and_exit_codes(cli):
    ran = cli("--help")
    for name in [*NAMES, "models"]:
        assert re.search(rf"│ {name}\s", ran.out)
    for code in (2, 3, 4, 5, 6, 7, 8, 9, 10, INTERRUPTED):
        assert re.search(rf"\b{code}\b", ran.out)


def test_nothing_is_help(cli):
    assert "Usage" in cli().out + cli().err


def test_version(cli):
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", cli("--version").out)


def test_help_imports_nothing_heavy():
    script = (
        "import sys; sys.argv = ['audiopipe', '--help']\n"
        "from audiopipe.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'numpy', 'librosa', 'pydantic', 'soundfile'} & set(sys.modules)\n"
        "print(*heavy, file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "\n")


def test_completion_for_the_shell():
    command = Path(sys.executable).with_name("audiopipe")
    if not command.exists():
        pytest.skip("the command is not installed")
    script = subprocess.run(
        [command], env=os.environ | {"_AUDIOPIPE_COMPLETE": "source_bash"},
        capture_output=True, text=True,
    )  # fmt: skip
    assert "complete -o default -F _audiopipe_completion audiopipe" in script.stdout
    typed = {"COMP_WORDS": "audiopipe s", "COMP_CWORD": "1"}
    told = subprocess.run(
        [command], env=os.environ | {"_AUDIOPIPE_COMPLETE": "complete_bash"} | typed,
        capture_output=True, text=True,
    )  # fmt: skip
    assert sorted(told.stdout.split()) == ["schema", "separate", "speak", "spectrogram", "stages"]


class TestRun:
    def test_tells_what_became_of_the_files(self, cli, definition, song):
        ran = cli("run", definition, song, "-o", "out")
        assert (ran.code, ran.out, ran.err) == (0, "1 done, in out\n", "")
        assert soundfile.info("out/song.wav").frames == 8000
        assert Path("out/song/level.csv").exists()
        assert cli("run", definition, song, "-o", "out").out == "0 done, 1 skipped, in out\n"

    def test_json(self, cli, definition, song, write, sound):
        write("in/b.wav", sound(0.5))
        Path("in/c.wav").touch()
        ran = cli("run", definition, song, "in", "-o", "out", "--json")
        assert (ran.code, ran.err) == (9, "")
        first, second, third = map(json.loads, ran.out.splitlines())
        assert first.pop("took") > 0
        assert first == {
            "input": str(song),
            "status": "done",
            "outputs": ["out/song.wav", "out/song/level.csv"],
            "seconds": 1.0,
        }
        assert second["seconds"] == 0.5
        assert (third["status"], third["outputs"]) == ("failed", [])
        assert third["error"] == "in/c.wav: is empty (0 bytes); copy or record it again"

    def test_set(self, cli, definition, song):
        assert (
            cli("run", definition, song, "--set", "low.rate=4 kHz", "--set", "level.hop=1 s").code
            == 0
        )
        assert soundfile.info("out/song.wav").samplerate == 4000
        assert len(Path("out/song/level.csv").read_text().splitlines()) == 2

    @pytest.mark.parametrize(
        ("verb", "files"),
        [
            ("spectrogram", ["song.spectrogram.npz", "song.spectrogram.png"]),
            ("pitch", ["song.pitch.csv", "song.pitch.png"]),
        ],
    )
    def test_shortcuts(self, cli, song, verb, files):
        ran = cli(verb, song)
        assert (ran.code, ran.out, ran.err) == (0, "1 done, in out\n", "")
        assert sorted(path.name for path in Path("out").glob("*.*") if path.is_file()) == files


class TestPlan:
    def test_shows_what_will_run(self, cli, definition):
        ran = cli("plan", definition)
        assert (ran.code, ran.err) == (0, "")
        lines = [" ".join(line.split()) for line in ran.out.splitlines()]
        assert lines[0] == "Levels & [more]."
        assert lines[1] == "step stage from gives latency stream"
        assert lines[2] == "input audio 48000 Hz stereo"
        assert re.fullmatch(r"low resample input audio 8000 Hz stereo [\d.]+ ms exact", lines[3])
        assert any(line.startswith("+ input/resample-8000 resample input") for line in lines)
        assert "inserted input/resample-8000: 'both' wants 8000 Hz" in lines
        (device,) = (line for line in lines if line.startswith("device "))
        assert device.startswith("device cpu, float32 (a GPU would not pay for the copying): low,")
        assert any(re.match(r"output level.csv: level, [\d.]+ ms late", line) for line in lines)
        assert any(re.match(r"memory about [\d.]+ MB for sound of any", line) for line in lines)
        assert lines[-1] == "models none"

    def test_for_inputs(self, cli, definition, song):
        ran = cli("plan", definition, song, "-o", "there")
        assert "input" in ran.out
        assert "audio 16000 Hz mono" in ran.out
        assert ran.out.endswith("1 input, 2 outputs into there, no collisions\n")
        assert not Path("there").exists()

    def test_says_what_cannot_stream(self, cli, planted, tmp_path):
        (tmp_path / "t.yaml").write_text("audiopipe: 1\nstages: [twice]\n")
        ran = cli("plan", "t.yaml")
        assert "twice cannot stream: the peak is known at the end" in ran.out
        assert re.search(r"memory about .*, and [\d.]+ GB of disk for each hour", ran.out)

    def test_mermaid(self, cli, definition):
        lines = cli("plan", definition, "--mermaid").out.splitlines()
        assert lines[:3] == [
            "flowchart LR",
            '  input(["input<br/>audio 48000 Hz stereo"])',
            '  s0["low<br/>resample<br/>audio 8000 Hz stereo"]',
        ]
        assert "  input --> s0" in lines
        assert any("stroke-dasharray" in line for line in lines)
        named = set(re.findall(r"^  (\w+)[(\[]", "\n".join(lines), re.MULTILINE))
        for line in lines:
            if match := re.match(r"  (\w+) -->(?:\|\w+\|)? (\w+)$", line):
                assert set(match.groups()) <= named

    def test_svg(self, cli, definition):
        assert cli("plan", definition, "--svg", "p.svg").code == 0
        root = ElementTree.parse("p.svg").getroot()
        words = [
            "".join(element.itertext()) for element in root.iter() if element.tag.endswith("text")
        ]
        for word in ("input", "low · resample", "both · mix", "{name}.wav", "level.csv"):
            assert word in words
        assert [path.name for path in Path().glob("*svg*")] == ["p.svg"]

    def test_svg_of_names_that_are_markup(self, cli, tmp_path):
        (tmp_path / "t.yaml").write_text(
            "audiopipe: 1\nstages: {'<a&b>': tap}\noutputs: {'<\"&>.csv': '<a&b>'}"
        )
        assert cli("plan", "t.yaml", "--svg", "p.svg").code == 0
        ElementTree.parse("p.svg")
        told = cli("plan", "t.yaml", "--mermaid").out
        assert 's0["#lt;a#amp;b#gt;<br/>tap<br/>' in told
        assert 'o0(["#lt;#quot;#amp;#gt;.csv"])' in told


class TestCheck:
    def test_runs_the_tests_of_a_definition(self, cli, definition):
        ran = cli("check", definition)
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.splitlines() == [
            f"passed {definition}:11:5: level peak -6 dB ± 0.1: -6 dB",
            f"passed {definition}:11:5: low length 1 s ± 0: 1 s",
            f"{definition}: right, 2 of 2 tests passed",
        ]

    def test_tells_what_fails(self, cli, tmp_path):
        (tmp_path / "t.yaml").write_text(
            """audiopipe: 1
stages: [tap]
tests:
  - {input: tone 440 Hz 1 s -20 dB, expect: {tap: peak -6 dB ± 1}}
  - {input: humming 1 s, expect: {tap: peak -6 dB ± 1}}
  - {input: silence 1 s, expect: {tap: nice}}
  - {input: silence 1 s, expect: {tap: pitch 1 Hz ± 1}}
  - {input: silence 1 s, expect: {top: length 1 s ± 0}}
  - {input: gone.wav, expect: {tap: length 1 s ± 0}}
"""
        )
        ran = cli("check", "t.yaml")
        assert ran.code == 10
        lines = ran.out.splitlines()
        assert lines[0] == "FAILED t.yaml:4:5: tap peak -6 dB ± 1: -20 dB"
        assert "cannot make 'humming 1 s'; write 'tone 440 Hz 2 s'," in lines[1]
        assert "cannot check 'nice'; write it as in '440 Hz ± 1'" in lines[2]
        assert "cannot check 'pitch 1 Hz ± 1' of a Levels; it has 'peak … dB'" in lines[3]
        assert "there is no stage 'top' here; did you mean 'tap'?" in lines[4]
        assert "gone.wav: there is no such file" in lines[5]
        assert lines[6] == "t.yaml: 0 of 6 tests passed"

    @pytest.mark.slow
    @pytest.mark.parametrize("name", sorted(ready_pipelines()))
    def test_ready_pipelines_pass_their_tests(self, cli, name):
        stages = [node.stage for node in load(find_definition(name)).definition.graph.nodes]
        if lost := {m for stage in stages for m in stage.models} - set(Store().names()):
            pytest.skip(f"not trained yet: {lost}")
        ran = cli("check", name)
        assert ran.code == 0, ran.out

    def test_a_definition_without_tests(self, cli, tmp_path):
        (tmp_path / "t.yaml").write_text("audiopipe: 1\nstages: [tap]\n")
        assert cli("check", "t.yaml").out == "t.yaml: right, no tests\n"


class TestLive:
    def test_a_file_as_fast_as_it_goes(self, cli, definition, song):
        ran = cli("live", definition, "--file", song, "--no-realtime", "-o", "out")
        assert (ran.code, ran.out) == (0, "")
        lines = ran.err.splitlines()
        assert lines[0] == "heard 1.0 s; p50 / p95 / p99 in the following"
        assert re.match(r"computing a block: [\d.]+ / [\d.]+ / [\d.]+ ms$", lines[1])
        assert any(
            re.match(r"latency of level: .* ms \(declared by its stages: [\d.]+ ms\)$", line)
            for line in lines
        )
        assert re.match(
            r"dropped 0 blocks \(0\.00 s\), 0 overruns; at most [\d.]+ s waited$", lines[-1]
        )
        assert soundfile.info("out/live.wav").frames == 8000

    def test_json(self, cli, definition, song):
        ran = cli("live", definition, "--file", song, "--no-realtime", "--json", "--seconds", "0.5")
        assert (ran.code, ran.err) == (0, "")
        told = [json.loads(line) for line in ran.out.splitlines()]
        assert {line.get("output", "report") for line in told} == {
            "both", "level", "report",
        }  # fmt: skip
        assert [line["time"] for line in told if line.get("output") == "level"] == (
            pytest.approx(np.arange(10) * 0.05)
        )
        assert told[-1]["report"]["seconds"] == 0.5


def test_the_screen_shows_every_kind_of_signal(sound):
    from rich.console import Console

    from audiopipe.cli.view import Screen
    from audiopipe.pipeline import Pipeline
    from audiopipe.registry import find_stage
    from audiopipe.run.live import run_live
    from audiopipe.run.source import Feed
    from audiopipe.stages.mix import Mix
    from audiopipe.stages.pitch import Pitch
    from audiopipe.stages.tap import Tap

    audio = sound(0.5)
    blocks = [audio.cut(start, start + 800) for start in range(0, 8000, 800)]
    console = Console(force_terminal=True, width=100, record=True, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    stages = {"mix": Mix(), "level": (Tap(), "mix"), "melody": (Pitch(), "mix")}
    stages["spectrum"] = (find_stage("spectrogram")(), "mix")
    with Screen(console) as screen:
        pipeline = Pipeline(stages, outputs={name: name for name in stages})
        run_live(pipeline, Feed(audio.format, blocks, policy="block"), listener=screen)
        console.print(screen._picture())
    shown = console.export_text()
    assert re.search(r"heard\s+█+", shown)
    assert re.search(r"melody\s+A3 [+-]\d+ +2\d\d\.\d Hz", shown)
    assert "Ctrl-C ends" in shown


def test_a_label_is_no_markup():
    from rich.console import Console

    from audiopipe.cli.view import Screen
    from audiopipe.signals import Detection, Detections

    console = Console(force_terminal=True, width=80, record=True, file=io.StringIO())
    screen = Screen(console)
    screen._show("words", Detections((Detection(0, 9, "[/b]", 0.9),), 100))
    console.print(screen._picture())
    assert "[/b] (0.90)" in console.export_text()


def test_stages(cli):
    ran = cli("stages")
    assert (ran.code, ran.err) == (0, "")
    for name in stage_names():
        assert re.search(rf"^{name} ", ran.out, re.MULTILINE)
    manual = cli("stages", "resample").out
    assert manual.startswith("## resample\n")
    assert "| `rate` | " in manual


def test_schema(cli):
    schema = json.loads(cli("schema").out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["required"] == ["audiopipe", "stages"]


def test_doctor(cli):
    ran = cli("doctor")
    assert (ran.code, ran.err) == (0, "")
    for what in ("python", "torch", "ffmpeg", "sound devices", "gpu", "models", "stages"):
        assert re.search(rf"^(ok|optional) +{what}: ", ran.out, re.MULTILINE)


def test_doctor_says_what_to_install(cli, planted, monkeypatch):
    from audiopipe import doctor

    monkeypatch.setattr(doctor, "PACKAGES", ("numpy", "nowhere_to_be_found"))
    monkeypatch.setenv("PATH", "")
    ran = cli("doctor")
    assert ran.code == 7
    assert "missing  nowhere_to_be_found: cannot be imported (No module named" in ran.out
    assert "pip install -c constraints.txt audiopipe" in ran.out
    assert (
        "optional ffmpeg: not found; install it (Debian, Ubuntu: apt install ffmpeg); missing it, "
        "m4a, video and other formats cannot be read"
    ) in ran.out


class TestDevices:
    @pytest.fixture
    def two(self, monkeypatch):
        from audiopipe.io import devices

        found = [
            devices.Device(0, "Desk [USB]", 1, 0, 44100, True),
            devices.Device(1, "Loud Speaker", 0, 2, 48000, False),
        ]
        monkeypatch.setattr(devices, "list_devices", lambda: found)

    def test_are_listed(self, cli, two):
        ran = cli("devices")
        assert (ran.code, ran.err) == (0, "")
        assert "  cpu     " in ran.out
        assert re.search(r"0\*\s+Desk \[USB\]\s+1\s+0\s+44100 Hz", ran.out)
        assert re.search(r"1\s+Loud Speaker\s+0\s+2\s+48000 Hz", ran.out)

    def test_without_portaudio_those_that_compute_are_listed(self, cli, monkeypatch):
        from audiopipe.io import devices

        def absent():
            raise SoundDeviceError("PortAudio is not installed; install PortAudio")

        monkeypatch.setattr(devices, "list_devices", absent)
        ran = cli("devices")
        assert "  cpu     " in ran.out
        assert ran.code == 5
        assert ran.err == "error: PortAudio is not installed; install PortAudio\n"
