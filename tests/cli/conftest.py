"""The command line, run in this process."""

import signal
import sys
from dataclasses import dataclass

import pytest

from audiopipe.cli import main


@dataclass
class Ran:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def cli(capsys, monkeypatch, tmp_path):
    """Run `audiopipe` with arguments in `tmp_path`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["audiopipe", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as leaving:
            code = leaving.code or 0
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        return Ran(code, told.out, told.err)

    yield run
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def song(sound, write):
    """A second of sound in `song.wav`."""
    return write("song.wav", sound(1.0))
