"""A terminal that a command draws in, and that a test can look at."""

import os
import re
import select
import struct
import subprocess
import time

import pytest
from rich.text import Text

fcntl = pytest.importorskip("fcntl")  # not on Windows
pty = pytest.importorskip("pty")  # not on Windows
termios = pytest.importorskip("termios")  # not on Windows

ROW = r"\x1b\[(\d+);1H\x1b\[K(.*?)(?=\x1b\[\d+;1H|\x1b\[\?|$)"
"""A line of a frame: where it is, erased, and what it shows."""


class Screen:
    """What a terminal shows: of the sequences, those that our views write."""

    def __init__(self, command, size, folder, **variables):
        environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
        environment |= {"TERM": "xterm-256color", **variables}
        environment.pop("NO_COLOR" if "NO_COLOR" not in variables else "", None)
        self._own, other = pty.openpty()
        fcntl.ioctl(self._own, termios.TIOCSWINSZ, struct.pack("HHHH", *size[::-1], 0, 0))
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=other, stdout=other, stderr=other,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(other)
        self._read = b""
        self.raw = ""
        self.rows = {}

    def read_until(self, pattern, seconds=60):
        """Read until a row shows the pattern, or until the end where it is None."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if not select.select([self._own], [], [], 0.1)[0]:
                continue
            try:
                self._read += os.read(self._own, 1 << 16)
            except OSError:  # a terminal whose other side is gone
                break
            self.raw = self._read.decode(errors="ignore")
            for row, text in re.findall(ROW, self.raw):
                self.rows[int(row)] = text
            if pattern and any(re.search(pattern, row) for row in self.text()):
                return
        assert pattern is None, f"{pattern} did not come: {self.raw[-2000:]}"

    def text(self):
        return [Text.from_ansi(self.rows[row]).plain for row in sorted(self.rows)]

    def press_ctrl_c(self):
        os.write(self._own, b"\x03")
        self.read_until(None)
        return self.process.wait(20)
