"""Words on their way to sounds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Token:
    """A word as it is said, as it was written if that is one word too, and what stands behind."""

    said: str
    written: str
    mark: str = ""

    @property
    def letter(self) -> bool:
        """Whether it is the name of a letter."""
        return len(self.said) == 1 and self.said.isupper()
