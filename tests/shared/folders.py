"""What is in folders, and what became of files."""

from pathlib import Path

from audiopipe.io.read import open_audio
from audiopipe.pipeline import BLOCK
from audiopipe.signals import Audio

COPY = {"audiopipe": 1, "stages": ["mix"], "outputs": {"{name}.wav": "mix"}}
"""A definition whose output is its input."""


def tree(folder):
    """All files below a folder but the journal's, sorted."""
    files = (path.relative_to(folder) for path in Path(folder).rglob("*") if path.is_file())
    return sorted(str(path) for path in files if path.parts[0] != ".audiopipe")


def status(report):
    return {file.input.name: file.status for file in report.files}


def samples(path):
    with open_audio(path) as reader:
        return Audio.join([reader.format, *reader.blocks(BLOCK)]).numpy()
