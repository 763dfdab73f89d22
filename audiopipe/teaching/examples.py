"""Reading a folder of examples, LABEL/RECORDING, and telling all that is wrong with it."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from torch import Tensor

from audiopipe.errors import AudioError, ExamplesError, MissingDependencyError, did_you_mean
from audiopipe.io.read import open_audio
from audiopipe.pipeline import Pipeline
from audiopipe.signals import Audio
from audiopipe.stages.keywords import RATE
from audiopipe.stages.mix import Mix
from audiopipe.stages.resample import Resample
from audiopipe.teaching.seconds import SECOND, around_the_sound, in_seconds, is_silent
from audiopipe.teaching.speakers import speakers_of

log = logging.getLogger(__name__)

BACKGROUND: Final = "_background_"
FEWEST: Final = 5
"""Examples of a label: with fewer, what is held out to check it says nothing."""
LONGEST: Final = 10.0
"""Seconds of an example: in more there is likely to be more than one."""
MOST_BACKGROUND: Final = 600
"""Seconds of background that are used."""
LOUDEST: Final = 1e12
"""The peak above which the powers of a recording would overflow, and spoil all others with it."""

LAYOUT = "a folder of examples holds a folder for each label, and in it recordings: lights/1.wav"
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Example:
    """A recording of a label: `samples` [32000] at 16 kHz, the sound in their middle."""

    path: Path
    label: str
    samples: Tensor
    group: str
    """Examples of one group are held out together: those of a speaker, where that is known."""


@dataclass(frozen=True)
class Background:
    """A second without a label: `samples` [16000] at 16 kHz, and the file that it is from."""

    path: Path
    samples: Tensor


@dataclass(frozen=True)
class Examples:
    """What a folder teaches. `by_speaker` tells whether the groups are speakers."""

    labels: tuple[str, ...]
    clips: tuple[Example, ...]
    background: tuple[Background, ...]
    by_speaker: bool
    warnings: tuple[str, ...]


def read_examples(folder: str | Path, progress: Progress | None = None) -> Examples:
    """Read `folder`/LABEL/RECORDING; folders that begin with `_` are background.

    Any format, rate and number of channels will do. What cannot be used is left out, with a
    warning. Raises ExamplesError, which tells all that is wrong: too few examples of a label, a
    recording under two labels, names that cannot be labels.
    """
    return _Reading(Path(folder), progress or (lambda done, total: None)).examples()


@dataclass
class _Reading:
    folder: Path
    progress: Progress
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    seen: dict[str, tuple[str, Path]] = field(default_factory=dict)

    def examples(self) -> Examples:
        folders = self._labels()
        files = [(label, path) for label, where in folders for path in _files(where)]
        sounds: dict[str, list[tuple[Path, Tensor]]] = {label: [] for label, _ in folders}
        each = _seconds_of_each(sum(label == BACKGROUND for label, _ in files))
        for done, (label, path) in enumerate(files):
            self.progress(done, len(files))
            if (samples := self._read(label, path)) is not None:
                if label == BACKGROUND:  # what is not used must not fill the memory
                    samples = in_seconds(samples, each).flatten()
                sounds[label].append((path, samples))
        self.progress(len(files), len(files))
        self._check_counts(sounds)
        if self.problems:
            raise ExamplesError(self.problems)
        return self._examples(sounds)

    def _examples(self, sounds: dict[str, list[tuple[Path, Tensor]]]) -> Examples:
        words = [label for label in sounds if label != BACKGROUND]
        speakers = speakers_of({label: [path for path, _ in sounds[label]] for label in words})
        clips = [
            Example(path, label, around_the_sound(samples), speakers.get(path, str(path)))
            for label in words
            for path, samples in sounds[label]
        ]
        rooms = sounds.get(BACKGROUND, [])
        background = [
            Background(path, second)
            for path, samples in rooms
            for second in samples.view(-1, SECOND)
        ]
        return Examples(
            tuple(words), tuple(clips), tuple(background), bool(speakers), tuple(self.warnings)
        )

    # Labels.

    def _labels(self) -> list[tuple[str, Path]]:
        """Each label with its folder, sorted; those of the background come as one label."""
        folder = self.folder
        if not folder.is_dir():
            hint = "check the name"
            if folder.is_file():
                hint = f"it is a file; {LAYOUT}"
            elif folder.parent.is_dir():
                close = did_you_mean(folder.name, (p.name for p in folder.parent.iterdir()))
                hint = close if close.startswith("did") else hint
            raise ExamplesError([f"{folder}: there is no such folder; {hint}"])
        entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        if beside := [path.name for path in entries if path.is_file()]:
            self._warn(folder, f"left out what lies beside the labels: {_listed(beside)}")
        folders = [path for path in entries if path.is_dir()]
        found = []
        names: dict[str, str] = {}
        for path in folders:
            label = unicodedata.normalize("NFC", path.name)
            if label.startswith("_"):
                found.append((BACKGROUND, path))
                continue
            if wrong := wrong_name(label):
                self.problems.append(f"{str(path)!r}: {wrong}; rename the folder")
            twin = names.setdefault(label.casefold(), label)
            if twin != label:
                self.problems.append(
                    f"{path}: {twin!r} and {label!r} differ only in their case; rename one of them"
                )
            found.append((label, path))
        if not names:
            self.problems.append(f"{folder}: there are no labels in it; {LAYOUT}")
        return found

    def _check_counts(self, sounds: dict[str, list[tuple[Path, Tensor]]]) -> None:
        for label, found in sounds.items():
            if label != BACKGROUND and len(found) < FEWEST:
                lost = self.left_out[label]
                also = f" ({len(lost)} more cannot be used: {'; '.join(lost)})" if lost else ""
                self.problems.append(
                    f"{self.folder / label}: {_count(len(found), 'example')}{also}, and at least "
                    f"{FEWEST} are needed: record {FEWEST - len(found)} more, said in "
                    "different ways"
                )
        if not sounds.get(BACKGROUND):
            self._warn(
                self.folder,
                f"there is no {BACKGROUND}: noises are made up instead; 20 s of the room in "
                f"{BACKGROUND}/room.wav give fewer false alarms",
            )

    # Recordings.

    def _read(self, label: str, path: Path) -> Tensor | None:
        """Samples [time] at 16 kHz, or None for what cannot be used."""
        try:
            samples = _mono(path, float(MOST_BACKGROUND)) if label == BACKGROUND else _one(path)
        except AudioError as error:
            self._leave_out(label, path, error.reason)
            return None
        except MissingDependencyError as error:
            self._leave_out(label, path, str(error).removeprefix(f"{path}: "))
            return None
        return samples if self._is_new(label, path, samples) else None

    def _is_new(self, label: str, path: Path, samples: Tensor) -> bool:
        digest = sha256(samples.numpy().tobytes()).hexdigest()
        other, twin = self.seen.setdefault(digest, (label, path))
        if twin == path:
            return True
        if other == label:
            self._leave_out(label, path, f"is the same recording as {twin.name}")
        else:
            self.problems.append(
                f"{path}: is the same recording as {twin}; a recording has one label: remove "
                "one of them"
            )
        return False

    def _leave_out(self, label: str, path: Path, why: str) -> None:
        self.left_out[label].append(f"{path.name}: {why}")
        self._warn(path, f"{why} (left out)")

    def _warn(self, path: Path, what: str) -> None:
        self.warnings.append(f"{path}: {what}")
        log.info("%s: %s", path, what)


def _one(path: Path) -> Tensor:
    """A single example, [time] at 16 kHz; raises AudioError for what cannot be one."""
    samples = _mono(path, LONGEST)
    if len(samples) > LONGEST * RATE:
        raise AudioError(path, f"is longer than {LONGEST:g} s; cut it into single examples")
    if is_silent(samples):
        raise AudioError(path, "nothing is heard in it; record it again")
    return samples


def _mono(path: Path, longest: float) -> Tensor:
    """The first `longest` s, and a little more, [time] at 16 kHz; raises AudioError."""
    pipeline = Pipeline([Mix(channels=1), Resample(rate=RATE)])
    with open_audio(path) as reader:
        rate = reader.format.rate
        blocks = [reader.format]
        for block in reader.blocks(10 * rate):
            blocks.append(block)
            if block.stop > longest * rate:
                break
    if not len(blocks) > 1:
        raise AudioError(path, "holds no sound; record it again")
    heard: Audio = pipeline.run(Audio.join(blocks), device="cpu")["resample"]  # type: ignore[assignment]
    samples = heard.samples[0]
    if len(samples) and not float(samples.abs().max()) <= LOUDEST:
        raise AudioError(
            path,
            f"its samples reach beyond {LOUDEST:g} times full scale; make the recording anew from "
            "its source",
        )
    return samples


def _files(folder: Path) -> Iterator[Path]:
    """All files below a folder that are not hidden, sorted."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and not path.is_dir():
            yield path


def wrong_name(label: str) -> str:
    """Why a name cannot be a label; empty if it can.

    >>> wrong_name("lights on"), wrong_name("a,b")
    ('', "a label may not hold ','")
    """
    if label != label.strip():
        return "a label may not begin or end with a blank"
    if len(label) > 50:
        return "a label may have 50 characters"
    if label.startswith((".", "_")) or label.endswith("."):
        return "a label may not begin with '.' or '_', or end with '.'"
    for found in re.findall(r"[^\w .+&!?()#'-]", label):
        if not unicodedata.category(found).startswith("M"):  # a mark: a vowel of Hindi or Thai
            return f"a label may not hold {found!r}"
    return ""


def _seconds_of_each(recordings: int) -> int:
    return max(1, MOST_BACKGROUND // max(1, recordings))


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
