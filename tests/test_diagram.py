"""Pictures of plans: what is connected can be told from what only lies in between."""

import re
from itertools import pairwise

import pytest

import audiopipe
from audiopipe.diagram import mermaid, svg

SKIPPING = """
audiopipe: 1
stages:
  a: mix
  b: mix
  c: {use: mix, from: [a, b]}
  d: {use: mix, from: [input, c, a]}
outputs: {a.wav: a, b.wav: b, d.wav: d, input.wav: input}
"""


@pytest.mark.parametrize("text", [SKIPPING, "audiopipe: 1\nstages: [pitch]"])
def test_edges_pass_beside_boxes(text):
    picture = svg(audiopipe.parse(text).plan())
    numbers = r'x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"'
    boxes = [tuple(map(int, box)) for box in re.findall(numbers, picture)]
    for path in re.findall(r'<path d="([^"]+)"', picture):
        for (x1, y1), (x2, y2) in pairwise(_corners(path)):
            for x, y, width, height in boxes:
                beside = max(x1, x2) <= x or min(x1, x2) >= x + width
                assert beside or max(y1, y2) < y or min(y1, y2) > y + height, path


def _corners(path):
    """The points that a path goes through; between two, it stays between their heights."""
    at = (0, 0)
    for kind, text in re.findall(r"([MHC])([^MHC]*)", path):
        values = [float(each) for each in text.split()]
        at = (values[-1], at[1]) if kind == "H" else tuple(values[-2:])
        yield at


def test_mermaid_names_every_edge_once():
    drawn = mermaid(audiopipe.parse(SKIPPING).plan())
    edges = [line.strip() for line in drawn.splitlines() if "-->" in line]
    assert len(edges) == len(set(edges)) == 1 + 1 + 2 + 3 + 4
