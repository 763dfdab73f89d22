"""Single keys from the terminal, without waiting for them."""

from __future__ import annotations

import os
import select
import sys
from typing import Any, Self


class Keys:
    """Keys that were pressed since `pressed` was last asked; none where there is no terminal.

    While this is entered the terminal gives each key at once, and does not show it.
    """

    def __init__(self) -> None:
        self._saved: list[Any] | None = None

    def __enter__(self) -> Self:
        if sys.stdin.isatty() and sys.platform != "win32":
            import termios
            import tty

            self._saved = termios.tcgetattr(sys.stdin)
            tty.setcbreak(sys.stdin)
        return self

    def __exit__(self, *_: object) -> None:
        if self._saved is not None:
            import termios

            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._saved)
            self._saved = None

    def pressed(self) -> str:
        """The last letter that was pressed, in lower case; empty if none was."""
        if sys.platform == "win32":
            import msvcrt

            if not (sys.stdin.isatty() and msvcrt.kbhit()):
                return ""
            key = msvcrt.getwch()
            if key in "\0\xe0":  # of an arrow and the like, whose second half looks as a letter
                msvcrt.getwch()
                return ""
            return key.lower()
        if self._saved is None:
            return ""
        ready, _, _ = select.select([sys.stdin], [], [], 0)
        # Not through sys.stdin's own buffer, which select does not see.
        keys = os.read(sys.stdin.fileno(), 64).decode(errors="ignore").lower() if ready else ""
        return "" if keys.startswith("\x1b") else keys[-1:]  # ESC begins an arrow and the like
