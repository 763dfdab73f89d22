"""The tables of hard texts."""

import re
from pathlib import Path

from ruamel.yaml import YAML

HERE = Path(__file__).parents[1] / "text"


def table(name):
    """The groups of a table, and their cases."""
    return YAML(typ="safe").load((HERE / name).read_text(encoding="utf-8"))


def bare(text):
    """A text in which neither case nor punctuation counts."""
    joined = re.sub(r"[-–—]", " ", text.replace("’", "'"))
    return " ".join(re.sub(r"[^\w ]", "", joined).casefold().split())
