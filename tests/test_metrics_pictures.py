"""Pictures of metrics: what they show, that they draw at all sizes, and when they import."""

import subprocess
import sys

import numpy as np
import pytest

from audiopipe.errors import OutputError
from audiopipe.io import draw
from audiopipe.metrics import Confusion, Curve, Point
from audiopipe.metrics.pictures import draw_curves


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Few pixels, for speed."""
    monkeypatch.setattr(draw, "DPI", 40)


def confusion(size, seed=0):
    counts = np.random.default_rng(seed).integers(0, 9, (size, size))
    return Confusion(counts, tuple(f"word {k}" for k in range(size)))


def texts(figure):
    return {text.get_text() for axis in figure.axes for text in axis.texts}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [1, 2, 20])
def test_matrices_draw(tmp_path, size):
    figure = confusion(size).plot(tmp_path / "matrix.png")
    assert (tmp_path / "matrix.png").read_bytes().startswith(b"\x89PNG")
    assert [t.get_text() for t in figure.axes[0].get_xticklabels()] == list(confusion(size).labels)


def test_a_matrix_shows_shares_and_counts():
    counts = np.array([[3, 1, 0], [0, 0, 0], [0, 2, 500]])
    figure = Confusion(counts, ("go", "no", "up")).plot()
    assert texts(figure) == {"75", "25", "100", "·"}
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["go  4", "no  0", "up  502"]
    assert "99.4 %" in figure.axes[0].get_title(loc="left")


CURVES = {
    "empty": Curve(()),
    "one point": Curve((Point(0.5, 0.0, 0.0),)),
    "no words": Curve((Point(0.5, float("nan"), 3.0),)),
    "usual": Curve(tuple(Point(t / 20, t / 20, 1000 * (1 - t / 20) ** 6) for t in range(21))),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", CURVES)
def test_curves_draw(tmp_path, name):
    CURVES[name].plot(tmp_path / "curve.png")
    assert (tmp_path / "curve.png").stat().st_size > 1000


def test_curves_have_names_and_thresholds():
    figure = draw_curves({"quiet": CURVES["usual"], "noise": CURVES["one point"]})
    legend = figure.axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["quiet", "noise"]
    assert texts(figure) == {f"{t / 10:.1f}" for t in range(11)}


def test_only_png_is_written(tmp_path):
    with pytest.raises(OutputError, match=r"\.png"):
        confusion(2).plot(tmp_path / "matrix.svg")


def test_matplotlib_is_imported_when_a_picture_is_drawn():
    late = "{'matplotlib', 'scipy.stats'}"
    code = f"import sys, audiopipe.metrics; assert not {late} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
