"""Every way in which audiopipe refuses: one class per cause.

A message says what was wrong, where, and what to do. The command line prints it
without a traceback and exits with the class's `exit_code`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Self
from unicodedata import category


class AudiopipeError(Exception):
    """The root of all refusals."""

    exit_code = 1


@dataclass(frozen=True)
class Place:
    """A place in a definition: `file:line:column`, both counted from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a definition, and its cure."""

    message: str
    place: Place | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class DefinitionError(AudiopipeError):
    """A pipeline definition is wrong; `problems` holds all that is wrong, not the first."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class PlanError(DefinitionError):
    """The stages are right one by one, but do not fit together or the input."""


class OfflineError(AudiopipeError):
    """A stage that needs the whole recording was asked to stream."""

    exit_code = 2


class StageError(AudiopipeError):
    """A stage broke: a fault in the stage, not in what it was given."""

    @classmethod
    def of(cls, name: str, use: str, error: Exception) -> Self:
        """What a stage raised, with its name in the definition and that of what it uses."""
        return cls(
            f"{name!r} ({use}) broke: {type(error).__name__}: {error}; "
            "this is a fault in the stage, please report it"
        )

    exit_code = 8


class SpeechError(AudiopipeError):
    """A voice did not say a sentence as it should: the message names the sentence."""

    exit_code = 8


class AudioError(AudiopipeError):
    """Audio cannot be read, or is not audio."""

    exit_code = 3

    def __init__(self, path: str | Path, reason: str) -> None:
        self.path = str(path)
        self.reason = reason
        super().__init__(f"{path}: {reason}")


class InvalidSamplesError(AudioError):
    """Samples are not numbers (NaN or infinity)."""


def visible(text: str) -> str:
    """A line for a terminal: what would steer it, as a file's name may, is written out.

    >>> print(visible("a\x1b[2Jb.wav"))
    a\\x1b[2Jb.wav
    """
    return "".join(c if c.isprintable() or category(c) == "Zs" else repr(c)[1:-1] for c in text)


class ExamplesError(AudiopipeError):
    """Nothing can be learnt from these examples; `problems` holds all that is wrong."""

    exit_code = 3

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class ConsentError(AudiopipeError):
    """A voice may not be cloned: consent is missing, has ended, or is for another recording."""

    exit_code = 3


class LikenessError(AudioError):
    """A recording holds no voice that could be cloned, or too little of it."""


class OutputError(AudiopipeError):
    """An output cannot be written; nothing half-written is left behind."""

    exit_code = 4

    def __init__(self, path: str | Path, reason: str) -> None:
        self.path = str(path)
        super().__init__(f"{path}: {reason}")


class CollisionError(OutputError):
    """Two inputs would write the same output."""


class DeviceError(AudiopipeError):
    """The device that was asked for cannot be used."""

    exit_code = 5


class MemoryExhaustedError(AudiopipeError):
    """Not even a batch of one window fits into the device's memory."""

    exit_code = 5


class SoundDeviceError(AudiopipeError):
    """No microphone or speaker can be opened."""

    exit_code = 5


class OverrunError(AudiopipeError):
    """Audio came faster than it was processed, and none of it may be dropped."""

    exit_code = 5


class ModelError(AudiopipeError):
    """A model is unknown, unverified, or cannot be loaded."""

    exit_code = 6


class ModelDownloadError(ModelError):
    """A model could not be downloaded whole."""


class ModelVerificationError(ModelError):
    """A file's size or SHA-256 is not the one in its card."""


class CheckpointError(ModelError):
    """A foreign checkpoint is damaged, or of a kind that is not read."""


class LicenceError(ModelError):
    """A model's licence has to be accepted first."""


class OfflineModeError(ModelError):
    """A download is needed, but downloads are switched off."""


class MissingDependencyError(AudiopipeError):
    """An optional package or program is not installed."""

    exit_code = 7


class EngineError(AudiopipeError):
    """An engine's environment cannot be made, or is not there."""

    exit_code = 7


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Say what `name` may have been meant to be, or what there is.

    >>> did_you_mean("spectogram", ["pitch", "spectrogram"])
    "did you mean 'spectrogram'?"
    >>> did_you_mean("xyz", ["pitch", "mix"])
    'there is mix, pitch'
    """
    names = sorted(known)
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"there is {', '.join(names)}" if names else "there is none"
