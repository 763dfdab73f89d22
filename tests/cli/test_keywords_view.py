"""What `listen` draws: it fits every terminal, and shows things where they belong."""

import io
import re
import time

import numpy as np
import pytest
import torch
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from audiopipe.cli.keywords_view import FADE, Picture, Spoken, layout
from audiopipe.cli.strip import COLOURS, MOST, PER_SECOND, Strip
from audiopipe.cli.terminal import Terminal, can_draw, has_colours, line
from audiopipe.pipeline import chain
from audiopipe.signals import Audio, Spectrogram
from audiopipe.stages.keywords import FLOOR, LogMel

NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
WORDS = [*NUMBERS, "up", "down", "left", "right", "go", "stop", "yes", "no"]
SIZES = [(80, 24), (200, 50), (120, 30), (40, 12), (52, 9), (20, 5), (3, 1), (300, 80)]


def spectra(seconds, loud=(), start=0, bands=40):
    """Mel spectra every 10 ms: 0 dB, and 60 dB at (frame, band)."""
    values = torch.zeros(1, bands, round(100 * seconds))
    for frame, band in loud:
        values[0, band, frame] = 60.0
    return Spectrogram(values, 16000, 160, 400, 240, "log-mel", ()).delayed(160 * start)


def picture(colours=True, **changes):
    """Eighteen words after four seconds, the last of them just said."""
    strip = Strip(floor=-100.0)
    strip.add(spectra(4, [(100, 20)]))
    made = Picture(colours, strip, "keywords-18", dict.fromkeys(WORDS, 0.6), 0.5, {"go": 0.9})
    made.events.append(Spoken(1.0, 1.5, "seven", 0.97, 0.1))
    made.events.append(Spoken(3.0, 3.4, "go", 0.9, 0.1))
    made.age, made.status = 0.1, "the status"
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def shown(lines):
    """The text of lines, without their styles."""
    return [Text.from_ansi(text).plain for text in lines]


@pytest.mark.parametrize("colours", [True, False])
@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("words", [WORDS, WORDS[:2], [*WORDS, "ein sehr langes Wort", "开门"], []])
def test_it_fits(width, height, colours, words):
    made = picture(colours, thresholds=dict.fromkeys(words, 0.5))
    made.events.append(Spoken(3.5, 3.9, "开门" * 30, 0.9, 0.1))
    lines = made.lines(width, height)
    assert len(lines) <= height
    assert max(map(cell_len, shown(lines))) <= width
    if width >= 20:
        assert "audiopipe" in shown(lines)[0]


def test_everything_is_in_the_smallest_usual_terminal():
    lines = shown(picture().lines(80, 24))
    assert len(lines) == 24
    assert re.match(r"audiopipe listen · keywords-18 +Ctrl-C ends$", lines[0])
    assert re.match(r"level █+ +$", lines[1])
    text = "\n".join(lines[12:])
    for word in WORDS:
        assert re.search(rf"\b{word}\b", text)
    assert "G O" in text
    assert re.search(r"3\.00 s  go +0\.90\n.*1\.00 s  seven +0\.97", text)
    assert lines[-1] == "the status"


def test_a_larger_terminal_gives_more_to_the_spectrum():
    rows = [layout(80, height, 18).strip for height in (10, 15, 24, 30, 34, 60)]
    assert rows == [4, 4, 10, 16, 20, 20]
    assert [layout(width, 24, 18).columns for width in (40, 80, 120, 200)] == [1, 2, 3, 3]


def test_where_there_is_no_room_the_best_scores_are_shown():
    made = picture(scores={"no": 0.9, "nine": 0.5})
    lines = shown(made.lines(40, 12))
    below = lines[layout(40, 12, 18).strip + 4 : -1]
    assert [text.split()[0] for text in below[:2]] == ["no", "nine"]


def bar_of(word, made):
    (row,) = (text for text in shown(made.lines(80, 24)) if re.search(rf"\b{word} +[█▏┆]", text))
    return re.search(rf"\b{word} +([█▏▎▍▌▋▊▉]*)( *┆)?", row)


def test_a_bar_is_as_long_as_the_score_and_passes_the_mark_at_the_threshold():
    lengths = {}
    for score in (0.25, 0.5, 0.75, 1.0):
        bar = bar_of("go", picture(scores={"go": score}))
        lengths[score] = len(bar[1])
        assert (bar[2] is None) == (score >= 0.6)
    full = lengths[1.0]
    assert full > 15
    assert [lengths[s] for s in (0.25, 0.5, 0.75)] == pytest.approx(
        [full / 4, full / 2, full * 3 / 4], abs=1
    )


def test_a_word_is_marked_below_its_sound():
    made = picture()
    lines = shown(made.lines(80, 24))
    marks = lines[12]
    assert marks.index("└─seven──┘") == 80 - round((4.0 - 1.0) * PER_SECOND)
    assert marks.index("└──go──┘") == 80 - round((4.0 - 3.0) * PER_SECOND)
    (column,) = {x for row in picture(False).lines(80, 24)[2:12] for x in places("[^ ]", row)}
    assert column == marks.index("└─seven──┘"), "it was loud at 1.00 s"
    made.strip.add(spectra(4, start=400))
    assert "seven" not in shown(made.lines(80, 24))[12], "it has left the picture"


def places(character, text):
    return [found.start() for found in re.finditer(character, text)]


def test_the_latest_word_fades():
    def banner(age, colours):
        rows = picture(colours, age=age).lines(80, 24)
        return next((row for row in rows if "G O" in row), "")

    for colours in (True, False):
        looks = [banner(share * FADE, colours) for share in (0, 0.99)]
        assert len(set(looks)) == 2
        assert "\x1b[" in looks[0]
        assert banner(FADE, colours) == ""


@pytest.mark.parametrize("width", [80, 200])
def test_without_colour_there_is_none(width):
    codes = re.findall(r"\x1b\[([\d;]*)m", "".join(picture(False).lines(width, 24)))
    assert set(codes) <= {"0", "1", "2", "7", "1;7"}


class TestStrip:
    def test_high_frequencies_are_above_and_time_goes_to_the_right(self):
        strip = Strip()
        strip.add(spectra(1, [(0, 0), (50, 39), (95, 20)]))
        rows = strip.lines(PER_SECOND, 20, colours=False)
        lit = {(r, c) for r, row in enumerate(rows) for c, x in enumerate(row) if x != " "}
        assert lit == {(19, 0), (0, 10), (9, 19)}

    def test_half_blocks_have_the_colours_of_two_points(self):
        strip = Strip()
        strip.add(spectra(0.05, [(0, 39)]))
        top = strip.lines(1, 20, colours=True)[0]
        assert top == f"\x1b[38;5;{COLOURS[-1]}m\x1b[48;5;{COLOURS[0]}m▀\x1b[0m"

    def test_few_rows_lose_no_peak(self):
        strip = Strip()
        strip.add(spectra(0.05, [(3, 21)]))
        assert strip.lines(1, 2, colours=False)[0] != " "

    def test_blocks_of_any_size_draw_the_same(self):
        whole, parts = Strip(), Strip()
        sound = Spectrogram(
            60 * torch.rand(1, 40, 333, generator=torch.manual_seed(0)),
            16000, 160, 400, 240, "log-mel", (),
        )  # fmt: skip
        whole.add(sound)
        for start in range(0, 333, 7):
            parts.add(sound.cut(start, min(333, start + 7)))
        assert whole.lines(90, 10, True) == parts.lines(90, 10, True)

    def test_what_was_lost_stays_dark(self):
        strip = Strip()
        strip.add(spectra(0.05, [(0, 20)]))
        strip.add(spectra(0.05, [(0, 20)], start=100))
        (row,) = strip.lines(30, 1, colours=False)
        assert places("[^ ]", row) == [9, 29]
        strip.add(spectra(0.05, [(0, 20)], start=10**6))
        assert strip.stop == 10**6 // 5 + 1
        assert places("[^ ]", strip.lines(MOST, 1, colours=False)[0]) == [MOST - 1]

    def test_a_room_in_silence_is_dark_and_soft_speech_is_not(self):
        noise = np.random.default_rng(0).standard_normal(16000)
        shades = {}
        for level in (1e-4, 1e-3, 1e-2):
            strip = Strip(FLOOR)
            strip.add(chain(LogMel.usual()).run(Audio(level * noise, 16000))["log-mel"])
            shades[level] = {*"".join(strip.lines(20, 10, colours=False))}
        assert shades[1e-4] == {" "}
        assert shades[1e-3] <= {*" .░"}
        assert "▒" in shades[1e-2]

    def test_more_points_than_bands(self):
        strip = Strip()
        strip.add(spectra(0.05, [(0, 0)], bands=4))
        lit = [row != " " for row in strip.lines(1, 10, colours=False)]
        assert lit == [False] * 7 + [True] * 3


class TestTerminal:
    def console(self, width=20, height=4, **settings):
        return Console(
            file=io.StringIO(), width=width, height=height, force_terminal=True, **settings
        )

    def test_only_lines_that_changed_are_written(self):
        console = self.console()
        terminal = Terminal(console)
        terminal.draw(["one", "two", "three"])
        assert console.file.getvalue().count("\x1b[K") == 3
        console.file.truncate(0)
        terminal.draw(["one", "2", "three"])
        assert console.file.getvalue().strip("\0") == "\x1b[2;1H\x1b[K2"

    def test_the_last_column_is_not_erased(self):
        """Erasing behind a full line would take its last character with it."""
        console = self.console(width=3)
        Terminal(console).draw(["one"])
        assert console.file.getvalue().endswith("one")

    def test_all_of_them_where_the_size_has_changed(self):
        console = self.console()
        terminal = Terminal(console)
        terminal.draw(["one", "two"])
        console.file.truncate(0)
        console.size = (30, 4)
        terminal.draw(["one", "two"])
        assert console.file.getvalue().strip("\0").startswith("\x1b[2J\x1b[1;1H\x1b[Kone")

    def test_what_was_there_comes_back(self):
        console = self.console()
        terminal = Terminal(console)
        terminal.leave()
        assert console.file.getvalue() == "", "nothing was hidden"
        terminal.enter()
        terminal.leave()
        terminal.leave()
        assert console.file.getvalue().count("\x1b[?1049l") == 1
        assert console.file.getvalue().endswith("\x1b[?25h\x1b[?1049l"), "with its cursor"

    def test_where_there_can_be_no_picture(self, monkeypatch):
        assert can_draw(self.console())
        assert not can_draw(Console(file=io.StringIO()))
        assert not can_draw(Console(file=io.TextIOWrapper(io.BytesIO(), "ascii")))
        monkeypatch.setenv("TERM", "dumb")
        assert not can_draw(self.console())

    def test_colours(self):
        assert has_colours(self.console(color_system="256"))
        assert has_colours(self.console(color_system="truecolor"))
        assert not has_colours(self.console(color_system="standard"))
        assert not has_colours(self.console(color_system="256", no_color=True))

    def test_a_line_is_cut_where_the_terminal_ends(self):
        assert line([("abc", "1"), ("def", ""), ("g", "2")], 5) == "\x1b[1mabc\x1b[0mde"
        assert line([("开门", "")], 3) == "开 "


def test_a_frame_is_cheap():
    """Ten a second cost some 2 % of a core; five times that on a busy machine."""
    made = picture()
    rng = np.random.default_rng(0)
    noise = torch.tensor(rng.uniform(0, 60, (1, 40, 2000)), dtype=torch.float32)
    made.strip.add(Spectrogram(noise, 16000, 160, 400, 240, "log-mel", ()))
    costs = []
    for _ in range(20):
        began = time.process_time()
        made.lines(200, 50)
        costs.append(time.process_time() - began)
    assert min(costs) < 0.01, costs
