"""What `tune` draws: it fits every terminal, and shows things where they belong."""

import re
import time

import pytest
from rich.cells import cell_len
from rich.text import Text

from audiopipe.cli.tuner_view import MOST, PER_SECOND, SIDE, Picture
from audiopipe.tuning import Heard, Tuning

SIZES = [(80, 24), (200, 50), (120, 30), (40, 12), (56, 13), (52, 9), (20, 5), (3, 1), (1, 30)]


def picture(cents=-7.3, colours=True, number=61, tuned=None, **changes):
    made = Picture(colours, tuned or Tuning(), 0.5, Heard(number, cents), 276.3, 277.2)
    made.status = "the status"
    for column in range(100):
        made.add(column / PER_SECOND, None if column % 40 < 10 else Heard(60, column - 50.0))
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def shown(lines):
    """The text of lines, without their styles."""
    return [Text.from_ansi(text).plain for text in lines]


@pytest.mark.parametrize("colours", [True, False])
@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("note", [None, Heard(61, -7.3), Heard(-2, 49.9), Heard(130, -50.0)])
def test_it_fits(width, height, colours, note):
    long = Tuning(466.5, "pythagorean", 1)
    lines = picture(colours=colours, note=note, tuned=long).lines(width, height)
    assert len(lines) <= height
    assert max(map(cell_len, shown(lines))) <= width
    if height >= 3:
        assert "the status"[:width] in shown(lines)[-1]


def test_everything_is_in_the_smallest_usual_terminal():
    lines = shown(picture().lines(80, 24))
    assert len(lines) == 24
    assert re.match(r"audiopipe tune · A4 = 440 Hz · equal temperament +Ctrl-C ends$", lines[0])
    assert re.match(r"level █+ +$", lines[1])
    text = "\n".join(lines)
    assert "-7.3 cents" in text
    assert "276.30 Hz, to be 277.20 Hz" in text
    assert sum("█   █" in line or "█████" in line for line in lines[2:7]) >= 2, "C♯4, large"
    assert "▼" in text
    assert "-50" in text
    assert lines[-1] == "the status"


def test_the_title_says_the_tuning():
    first = shown(picture(tuned=Tuning(415, "werckmeister3", 2)).lines(80, 24))[0]
    assert first.startswith("audiopipe tune · A4 = 415 Hz · werckmeister3 on D ")


def needle(cents, width=80):
    lines = shown(picture(cents).lines(width, 24))
    (at,) = (k for k, text in enumerate(lines) if "▼" in text)
    scale = lines[at + 1]
    return lines[at].index("▼"), scale.index("├"), scale.index("╂"), scale.index("┤")


@pytest.mark.parametrize("width", [80, 120, 200])
def test_the_needle_points_at_the_cents(width):
    for cents, share in ((0, 0.5), (-50, 0), (50, 1), (25, 0.75), (-3, 0.47)):
        at, left, middle, right = needle(cents, width)
        assert at == pytest.approx(left + share * (right - left), abs=0.51)
        assert (cents == 0) == (at == middle) or abs(cents) < 1


def test_three_cents_are_not_none():
    for width in (80, 120):
        assert needle(3, width)[0] > needle(0, width)[0] > needle(-3, width)[0]


def test_silence_shows_no_note():
    text = "\n".join(shown(picture(note=None).lines(80, 24))[2:10])
    assert "█" not in text
    assert "▼" not in text
    assert "cents" not in text
    assert "–" in text


class TestHistory:
    def rows(self, made, width=80, height=24):
        lines = shown(made.lines(width, height))
        first = next(k for k, text in enumerate(lines) if text.startswith(" +50"))
        last = next(k for k, text in enumerate(lines) if text.startswith(" -50"))
        return [text.ljust(width) for text in lines[first : last + 1]], lines[last + 1]

    def points(self, made):
        rows, _ = self.rows(made)
        return {(r, c) for r, row in enumerate(rows) for c, x in enumerate(row) if x in "▀▄"}

    def test_too_high_is_above_and_the_latest_is_on_the_right(self):
        made = Picture(False, Tuning())
        for k, cents in enumerate((50.0, 0.0, -50.0)):
            made.add(k / PER_SECOND, Heard(60, cents))
        rows, _ = self.rows(made)
        points = self.points(made)
        assert {column for _, column in points} == {77, 78, 79}
        by_column = {column: row for row, column in points}
        assert by_column == {77: 0, 78: len(rows) // 2, 79: len(rows) - 1}
        assert rows[len(rows) // 2][SIDE : SIDE + 5] == "─────", "where in tune is"

    def test_silence_leaves_a_gap(self):
        made = Picture(False, Tuning())
        made.add(0, Heard(60, 20.0))
        made.add(1, Heard(60, 20.0))
        assert {column for _, column in self.points(made)} == {79 - PER_SECOND, 79}
        made.add(10**6, Heard(60, 20.0))
        assert {column for _, column in self.points(made)} == {79}
        assert len(made.history) <= MOST

    def test_notes_are_named_where_they_begin(self):
        made = Picture(False, Tuning())
        for column in range(60):
            made.add(column / PER_SECOND, Heard(57 if column < 30 else 64, 0.0))
        _, names = self.rows(made)
        assert names.index("A3") == 80 - 60
        assert names.index("E4") == 80 - 30


def test_in_tune_is_green_and_without_colour_bold():
    def styles(cents, colours):
        lines = picture(cents, colours, history=[]).lines(80, 24)
        return next(line for line in lines if "▼" in line)

    assert "38;5;71" in styles(1.9, True)
    assert "38;5;220" in styles(-8, True)
    assert "38;5;203" in styles(30, True)
    for cents in (0, 8, 30):
        assert "38;5" not in styles(cents, False)
    codes = re.findall(r"\x1b\[([\d;]*)m", "".join(picture(colours=False).lines(80, 24)))
    assert set(codes) <= {"0", "1", "2"}


def test_a_frame_is_cheap():
    made = picture()
    costs = []
    for _ in range(20):
        began = time.process_time()
        made.lines(200, 50)
        costs.append(time.process_time() - began)
    assert min(costs) < 0.02, costs
