"""`audiopipe tune`: a session on strings whose pitch is known."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from terminals import Screen

from audiopipe import tuning
from audiopipe.cli.tuner import GAP, LEAST, Steady
from audiopipe.io.pcm import encode
from audiopipe.signals import Audio

RUN = [sys.executable, "-m", "audiopipe", "tune"]


def string(number, seconds=1.5, rate=44100, level=0.2, decay=1.0):
    """A plucked string: overtones that die away."""
    hertz, time = tuning.hertz(number), np.arange(round(seconds * rate)) / rate
    count = max(1, min(12, int(0.45 * rate / hertz)))
    tones = [
        np.sin(2 * np.pi * k * hertz * time + k * k) / k * np.exp(-time * decay * (1 + 0.2 * k))
        for k in range(1, count + 1)
    ]
    return level * sum(tones)


def played(*parts, rate=44100, noise=1e-4):
    """Strings and silences (numbers of seconds) one after the other, in a quiet room."""
    made = [np.zeros(round(p * rate)) if isinstance(p, int | float) else p for p in parts]
    wave = np.concatenate(made)
    wave = wave + noise * np.random.default_rng(0).standard_normal(len(wave))
    return Audio(torch.tensor(wave[None], dtype=torch.float32), rate)


@pytest.fixture
def tune(cli, write):
    """Run `audiopipe tune` on a recording, as fast as it goes; gives the readings."""

    def run(audio, *arguments):
        write("played.wav", audio, subtype="FLOAT")
        ran = cli("tune", "--file", "played.wav", "--no-realtime", "--json", *arguments)
        assert (ran.code, ran.err) == (0, "")
        *readings, last = map(json.loads, ran.out.splitlines())
        return readings, last["report"]

    return run


class TestReadings:
    @pytest.mark.parametrize("number", [21, 28, 40, 45, 55, 64, 76, 88, 100, 108])
    @pytest.mark.parametrize("cents", [-3, 3])
    def test_a_string_that_is_three_cents_off_shows_as_such(self, tune, number, cents):
        readings, _ = tune(played(0.5, string(number + cents / 100), 0.5))
        assert {reading["note"] for reading in readings} == {tuning.name(number)}
        assert len(readings) >= 10
        assert [reading["cents"] for reading in readings] == pytest.approx(
            [cents] * len(readings), abs=1
        )

    def test_silence_shows_nothing(self, tune):
        for noise in (0.0, 1e-4, 1e-2):
            assert tune(played(2, noise=noise))[0] == []

    def test_nothing_is_shown_before_between_and_after(self, tune):
        readings, report = tune(played(1, string(64), 1, string(59), 1))
        for reading in readings:
            begin = 1.0 if reading["note"] == "E4" else 3.5
            assert begin < reading["time"] < begin + 1.75
        assert set(report["notes"]) == {"E4", "B3"}
        assert min(report["notes"].values()) > 1.2
        first = {
            name: min(r["time"] for r in readings if r["note"] == name) for name in ("E4", "B3")
        }
        assert first["E4"] < 1.3
        assert first["B3"] < 3.8

    def test_a_hum_below_the_floor(self, tune):
        hum = played(string(31, 2, level=0.0002, decay=0), noise=1e-5)
        assert tune(hum)[0] == []
        assert {reading["note"] for reading in tune(hum, "--floor", "-80")[0]} == {"G1"}

    def test_a_melody_without_pauses(self, tune):
        numbers = (60, 62, 64, 65, 67, 72)
        readings, _ = tune(played(*(string(number, 0.6) for number in numbers)))
        heard = list(dict.fromkeys(reading["note"] for reading in readings))
        assert heard == [tuning.name(number) for number in numbers]

    def test_two_notes_at_once_are_said_to_be_unsupported(self, tune, cli):
        """And nothing breaks."""
        tune(played(string(55) + string(59), string(60) + string(72)))
        told = " ".join(cli("tune", "--help").out.replace("│", " ").split())
        assert "two at once are not supported" in told


class TestTunings:
    def test_a4(self, tune):
        readings, _ = tune(played(string(69)), "--a4", "415")
        assert {(r["note"], round(r["cents"])) for r in readings} == {("A♯4", 1)}
        assert readings[0]["target_hz"] == pytest.approx(439.68, abs=0.01)

    def test_a_temperament(self, tune):
        third = tuning.cents(5, 4) / 100  # pure, above D
        readings, _ = tune(
            played(string(62 + third - 0.0196)), "--temperament", "just", "--tonic", "D"
        )
        (heard,) = {(r["note"], round(r["cents"])) for r in readings}
        assert heard == ("F♯4", 0)
        readings, _ = tune(played(string(66)))
        assert {(r["note"], round(r["cents"])) for r in readings} == {("F♯4", 0)}

    @pytest.mark.parametrize(
        ("option", "value", "told"),
        [
            ("--a4", "100", "380"),
            ("--temperament", "fair", "werckmeister3"),
            ("--tonic", "H", "'H' is no note"),
            ("--file", "gone.wav", "there is no such file"),
        ],
    )
    def test_what_is_wrong(self, cli, option, value, told):
        ran = cli("tune", option, value)
        assert ran.code in (2, 3)
        assert told in ran.err


class TestRuns:
    def test_into_a_pipe_a_line_a_reading_and_then_a_report(self, cli, write):
        write("played.wav", played(0.5, string(64.03), 0.3))
        ran = cli("tune", "--file", "played.wav", "--no-realtime")
        assert ran.code == 0
        assert {tuple(row.split()[2:5]) for row in ran.out.splitlines()} == {
            ("E4", "+3.0", "cents")
        }
        told = ran.err.splitlines()
        assert told[0].startswith("heard 2.3 s: E4 1.")
        assert told[-1].startswith("dropped 0 blocks (0.00 s), 0 overruns")

    def test_silence_in_the_report(self, cli, write):
        write("silence.wav", played(1, noise=0))
        ran = cli("tune", "--file", "silence.wav", "--no-realtime")
        assert (ran.out, ran.err.splitlines()[0]) == ("", "heard 1.0 s: no note")

    def test_what_is_heard_is_saved(self, cli, write, tmp_path):
        write("played.wav", played(string(64)))
        assert cli("tune", "--file", "played.wav", "--no-realtime", "-o", "out").code == 0
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
            "level.csv", "pitch.csv",
        ]  # fmt: skip

    @pytest.mark.parametrize("rate", [8000, 16000, 48000])
    def test_pcm_from_a_pipe(self, tmp_path, rate):
        sound = played(0.3, string(57.03, rate=rate), rate=rate)
        ended = subprocess.run(
            [*RUN, "--stdin", "--rate", str(rate), "--json"],
            input=encode(sound.numpy().T, "s16le"), cwd=tmp_path, capture_output=True,
        )  # fmt: skip
        assert (ended.returncode, ended.stderr) == (0, b"")
        *readings, last = map(json.loads, ended.stdout.splitlines())
        assert {reading["note"] for reading in readings} == {"A3"}
        assert np.median([reading["cents"] for reading in readings]) == pytest.approx(3, abs=1)
        assert last["report"]["declared_s"]["pitch"] < 0.16


@pytest.mark.slow
class TestTerminal:
    @pytest.mark.parametrize("size", [(80, 24), (160, 45), (40, 12)])
    def test_the_view(self, write, tmp_path, size):
        write("played.wav", played(0.3, string(64.03, 4)))
        screen = Screen([*RUN, "--file", "played.wav"], size, tmp_path)
        screen.read_until(r"\+[23]\.\d cents")
        rows = screen.text()
        assert len(rows) == size[1]
        assert max(map(len, rows)) <= size[0]
        assert rows[0].startswith("audiopipe tune · A4 = 440 Hz")
        assert screen.press_ctrl_c() == 0
        assert screen.raw.count("\x1b[?1049h") == screen.raw.count("\x1b[?1049l") == 1
        after = " ".join(screen.raw.split("\x1b[?1049l")[1].split())
        assert re.search(r"heard \d\.\d s: E4 \d", after)
        assert "38;5;" in screen.raw

    def test_without_colour(self, write, tmp_path):
        write("played.wav", played(string(64.03, 3)))
        screen = Screen([*RUN, "--file", "played.wav"], (80, 24), tmp_path, NO_COLOR="1")
        screen.read_until(r"\+[23]\.\d cents")
        screen.press_ctrl_c()
        assert "8;5;" not in screen.raw

    def test_a_terminal_that_cannot_draw_gets_lines(self, write, tmp_path):
        write("played.wav", played(string(64.03, 1)))
        screen = Screen([*RUN, "--file", "played.wav"], (80, 24), tmp_path, TERM="dumb")
        screen.read_until(None)
        assert screen.process.wait(20) == 0
        assert "\x1b" not in screen.raw
        assert re.search(r"E4 +\+3\.0 cents", screen.raw)


class TestSteady:
    def fed(self, *numbers):
        steady = Steady()
        for frame, number in enumerate(numbers):
            steady.add(frame * 0.04, number)
        return steady.number()

    def test_it_takes_some_frames_to_know(self):
        assert self.fed(*[69.0] * (LEAST - 1)) is None
        assert self.fed(*[69.0] * LEAST) == 69.0

    def test_a_single_wrong_frame_does_not_show(self):
        assert self.fed(69.0, 69.0, 69.0, 81.0, 69.0) == 69.0
        assert self.fed(69.0, 69.0, 69.0, None, 69.0) == 69.0

    def test_another_note_begins_anew(self):
        assert self.fed(*[69.0] * 7, *[71.0] * GAP) is None
        assert self.fed(*[69.0] * 7, *[71.0] * max(GAP, LEAST)) == 71.0

    def test_silence_ends_it(self):
        assert self.fed(*[69.0] * 7, *[None] * GAP) is None

    def test_a_vibrato_is_averaged(self):
        wobble = 0.4 * np.sin(2 * np.pi * 6 * 0.04 * np.arange(50))
        assert self.fed(*(69 + wobble)) == pytest.approx(69, abs=0.2)
