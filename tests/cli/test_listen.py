"""`audiopipe listen`: a model whose words are tones, from files, pipes and a virtual microphone."""

import json
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from terminals import Screen
from tones import spoken, tone_model

from audiopipe.io.pcm import encode

SAID = [("low", 0.5), ("high", 1.5), ("rise", 2.5), ("low", 3.5)]
RUN = [sys.executable, "-m", "audiopipe", "listen", "--model", "./tones"]


@pytest.fixture
def desk(tmp_path, write):
    """A folder with the model, and a recording of four words."""
    tone_model(tmp_path)
    write("said.wav", spoken(SAID, 4.5))
    return tmp_path


@pytest.fixture
def listen(cli, desk):
    """Run `audiopipe listen` on the recording, as fast as it goes."""

    def run(*arguments, model="./tones"):
        return cli(
            "listen", "--model", model, "--file", "said.wav", "--no-realtime", *arguments
        )  # fmt: skip

    return run


def lines_of(out):
    return [json.loads(line) for line in out.splitlines()]


class TestLines:
    def test_a_line_of_json_for_each_word_and_then_the_report(self, listen):
        ran = listen("--json")
        assert (ran.code, ran.err) == (0, "")
        *told, last = lines_of(ran.out)
        assert [event["label"] for event in told] == [label for label, _ in SAID]
        assert [event["time"] for event in told] == pytest.approx([t for _, t in SAID], abs=0.06)
        assert [event["end"] for event in told] == pytest.approx(
            [t + 0.3 for _, t in SAID], abs=0.06
        )
        assert all(set(event) == {"time", "end", "label", "score"} for event in told)
        assert all(0.6 < event["score"] <= 1 for event in told)
        report = last["report"]
        assert report["seconds"] == 4.5
        assert (report["drops"], report["overruns"]) == (0, 0)
        assert report["events"] == {"low": 2, "high": 1, "rise": 1}
        assert list(report["latency_s"]) == ["words"], "not that of what is only watched"

    def test_into_a_pipe_a_line_for_each_word(self, listen):
        ran = listen()
        assert ran.code == 0
        rows = [line.split() for line in ran.out.splitlines()]
        assert [row[2] for row in rows] == [label for label, _ in SAID]
        assert [float(row[0]) for row in rows] == pytest.approx([t for _, t in SAID], abs=0.06)
        told = ran.err.splitlines()
        assert told[0] == "heard 4.5 s: low 2, high 1, rise 1"
        assert re.match(
            r"p50 / p95 / p99 of computing a block: [\d.]+ / [\d.]+ / [\d.]+ ms", told[1]
        )
        assert re.match(r"dropped 0 blocks \(0.00 s\), 0 overruns; at most", told[2])
        assert len(told) == 3, "as fast as it goes, there is no latency to tell of"

    def test_a_model_without_a_name(self, listen):
        ran = listen(model="")
        assert ran.code != 0
        assert "valid string" not in ran.err

    def test_silence(self, cli, desk, write):
        write("silence.wav", spoken([], 1))
        ran = cli("listen", "--model", "./tones", "--file", "silence.wav", "--no-realtime")
        assert (ran.code, ran.out) == (0, "")
        assert ran.err.startswith("heard 1.0 s: no word\n")

    def test_a_word_that_ends_with_the_recording(self, cli, desk, write):
        write("cut.wav", spoken([("rise", 1.0)], 1.3))
        ran = cli(
            "listen", "--model", "./tones", "--file", "cut.wav", "--no-realtime", "--json"
        )  # fmt: skip
        assert [event.get("label") for event in lines_of(ran.out)] == ["rise", None]

    def test_events_are_saved_and_nothing_else(self, listen, desk):
        assert listen("-o", "out").code == 0
        assert sorted(path.name for path in (desk / "out").iterdir()) == [
            "live.words.csv",
            "live.words.srt",
        ]
        rows = (desk / "out/live.words.csv").read_text().splitlines()
        assert [row.split(",")[2] for row in rows[1:]] == [label for label, _ in SAID]

    def test_pcm_from_a_pipe(self, desk):
        sound = spoken(SAID, 4.5, rate=44100, channels=2).numpy().T
        ended = subprocess.run(
            [*RUN, "--stdin", "--rate", "44100", "--channels", "2", "--json"],
            input=encode(sound, "s16le"), cwd=desk, capture_output=True,
        )  # fmt: skip
        assert (ended.returncode, ended.stderr) == (0, b"")
        told = lines_of(ended.stdout.decode())
        assert [event.get("label") for event in told] == [*(label for label, _ in SAID), None]


class TestOptions:
    def test_a_threshold(self, listen):
        assert len(listen("--threshold", "0.5").out.splitlines()) == len(SAID)
        assert listen("--threshold", "1").out == ""

    def test_others_are_those_of_the_pipeline(self, listen):
        ran = listen("--json", "--set", "words.hop=200 ms", "--set", "words.threshold={low: 1}")
        assert {event.get("label") for event in lines_of(ran.out)} == {"high", "rise", None}

    def test_seconds(self, listen):
        ran = listen("--seconds", "2", "--json")
        assert lines_of(ran.out)[-1]["report"]["seconds"] == 2.0

    def test_a_model_with_a_name_that_yaml_would_read_otherwise(self, listen, desk):
        (desk / "tones").rename(desk / "a: #b")
        assert len(listen(model="./a: #b").out.splitlines()) == len(SAID)

    @pytest.mark.parametrize(
        ("model", "told"),
        [
            ("tones", "there is no model 'tones'; did you mean the folder './tones'?"),
            ("./nowhere", "not a model, as there is no card.toml in it"),
        ],
    )
    def test_a_model_that_is_not_there(self, listen, model, told):
        ran = listen(model=model)
        assert (ran.code, ran.out) == (6, "")
        assert told in ran.err

    def test_only_one_source(self, cli):
        ran = cli("listen", "--file", "a.wav", "--stdin")
        assert ran.code == 2
        assert "--file and --stdin" in ran.err


@pytest.mark.slow
def test_latency_is_counted_from_the_end_of_a_word(cli, desk):
    ran = cli("listen", "--model", "./tones", "--file", "said.wav", "--json")
    *told, last = lines_of(ran.out)
    latencies = [event["latency"] for event in told]
    report = last["report"]["latency_s"]["words"]
    assert report["p50"] == pytest.approx(np.median(latencies), abs=0.05)
    # It takes 70 ms of quiet to know that a word has ended, and a hop to look.
    assert 0.07 < np.median(latencies) < 0.25
    ran = cli("listen", "--model", "./tones", "--file", "said.wav", "--seconds", "1.2")
    assert re.search(r"p50 / p95 / p99 from a word's end to its event: [\d.]+ / ", ran.err)


@pytest.mark.slow
class TestTerminal:
    @pytest.mark.parametrize("size", [(80, 24), (160, 45), (40, 12)])
    def test_the_view(self, desk, size):
        screen = Screen([*RUN, "--file", "said.wav"], size, desk)
        screen.read_until("└─*low─*┘")
        rows = screen.text()
        assert len(rows) == size[1]
        assert max(map(len, rows)) <= size[0]
        assert rows[0].startswith("audiopipe listen · ./tones")
        assert screen.press_ctrl_c() == 0
        assert screen.raw.count("\x1b[?1049h") == screen.raw.count("\x1b[?1049l") == 1
        after = " ".join(screen.raw.split("\x1b[?1049l")[1].split())
        assert re.search(r"heard \d\.\d s: .*low \d", after)
        assert re.search(r"p50 / p95 / p99 from a word's end to its event: \d", after)
        assert re.search(r"dropped \d+ blocks .*, 0 overruns", after)
        assert "38;5;" in screen.raw

    def test_without_colour(self, desk):
        screen = Screen([*RUN, "--file", "said.wav"], (80, 24), desk, NO_COLOR="1")
        screen.read_until("└─*low─*┘")
        screen.press_ctrl_c()
        assert "8;5;" not in screen.raw
        assert re.search("[░▒▓]", screen.raw)

    def test_a_terminal_that_cannot_draw_gets_lines(self, desk):
        screen = Screen([*RUN, "--file", "said.wav"], (80, 24), desk, TERM="dumb")
        screen.read_until(None)
        assert screen.process.wait(20) == 0
        assert "\x1b" not in screen.raw
        assert re.findall(r"\d\.\d\d s  (\w+)", screen.raw) == [label for label, _ in SAID]

    def test_an_error_is_not_lost_with_the_picture(self, desk):
        screen = Screen([*RUN, "--file", "none.wav"], (80, 24), desk)
        screen.read_until(None)
        assert screen.process.wait(20) == 3
        assert "none.wav: there is no such file" in screen.raw
        assert "\x1b[?1049h" not in screen.raw


@pytest.mark.slow
def test_words_from_a_microphone(null_sink, desk):
    lines = desk / "lines"
    with lines.open("wb") as file:
        listener = subprocess.Popen(
            [*RUN, "--json"], cwd=desk, env=null_sink.environment, stdout=file
        )
    try:
        until = time.monotonic() + 60
        while len(lines.read_text().splitlines()) < len(SAID):
            assert listener.poll() is None
            assert time.monotonic() < until, "nothing is heard"
            if time.monotonic() > until - 50:  # it listens by now
                assert null_sink.play(desk / "said.wav").wait(60) == 0
                time.sleep(0.5)
            time.sleep(0.1)
        listener.send_signal(signal.SIGINT)
        assert listener.wait(20) == 0
    finally:
        listener.kill()
    *told, last = lines_of(lines.read_text())
    assert [event["label"] for event in told][-len(SAID) :] == [label for label, _ in SAID]
    begins = np.array([event["time"] for event in told][-len(SAID) :])
    assert np.diff(begins) == pytest.approx([1.0] * 3, abs=0.07)
    report = last["report"]
    assert (report["drops"], report["overruns"]) == (0, 0)
    assert 0.07 < report["latency_s"]["words"]["p50"] < 0.4
