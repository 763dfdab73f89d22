"""Which files a batch reads, and where it writes what."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path

from audiopipe.errors import AudioError, CollisionError

AUDIO_SUFFIXES = frozenset(
    [
        ".aac",
        ".aif",
        ".aiff",
        ".au",
        ".caf",
        ".flac",
        ".m4a",
        ".m4b",
        ".mka",
        ".mkv",
        ".mov",
        ".mp3",
        ".mp4",
        ".oga",
        ".ogg",
        ".opus",
        ".rf64",
        ".w64",
        ".wav",
        ".weba",
        ".webm",
        ".wma",
    ]
)
"""What is taken for audio in a folder."""


@dataclass(frozen=True)
class Job:
    """One input, its outputs (output name -> file, folder or pattern), and all their files."""

    input: Path
    outputs: dict[str, Path]
    files: tuple[Path, ...]


class RealPaths:
    """Where paths lead, links followed; folders are looked up once, for there may be many files.

    >>> RealPaths()(Path("/usr/../usr/x"))
    PosixPath('/usr/x')
    """

    def __init__(self) -> None:
        self._folders: dict[Path, Path] = {}

    def __call__(self, path: Path) -> Path:
        folder = path.parent
        if folder not in self._folders:
            self._folders[folder] = folder.resolve()
        place = self._folders[folder] / path.name
        return place.resolve() if place.is_symlink() else place


def find_inputs(
    patterns: Sequence[str | Path],
    folder: Path,
    written: Collection[Path] = (),
    suffixes: Collection[str] = AUDIO_SUFFIXES,
) -> list[tuple[Path, Path]]:
    """Files with their place under the folder that was named.

    A folder stands for all files in it and below that have one of the `suffixes`; a pattern such
    as `**/*.wav` for what it matches; a file for itself. What a run into `folder` has `written` is
    not taken for an input when folders and patterns are searched, nor is what lies in a `folder`
    below them.
    Raises AudioError where nothing is found.
    """
    found: dict[str, tuple[Path, Path]] = {}
    real = RealPaths()
    outputs = folder.resolve()
    for pattern in map(str, patterns):
        path = Path(pattern)
        if path.is_dir():
            files = [f for f in sorted(path.rglob("*")) if f.suffix.lower() in suffixes]
            what = "audio" if suffixes is AUDIO_SUFFIXES else "text"
            base, nothing = path, f"there is no {what} in this folder"
        elif has_magic(pattern) and not path.exists():
            files = [Path(match) for match in sorted(glob(pattern, recursive=True))]  # noqa: PTH207
            base, nothing = _without_magic(path), "no file matches this pattern"
        else:
            # A file that is missing is reported with the others, and does not stop them.
            found.setdefault(os.path.abspath(path), (path, Path(path.name)))  # noqa: PTH100
            continue
        below = outputs != base.resolve() and outputs.is_relative_to(base.resolve())
        here = {
            os.path.abspath(file): (file, file.relative_to(base))  # noqa: PTH100
            for file in files
            if not file.name.startswith(".") and file.is_file()
            if real(file) not in written and not (below and real(file).is_relative_to(outputs))
        }
        if not here:
            raise AudioError(pattern, nothing)
        found |= {key: file for key, file in here.items() if key not in found}
    return list(found.values())


def _without_magic(path: Path) -> Path:
    fixed = Path(path.anchor)
    for part in path.parts[len(fixed.parts) :]:
        if has_magic(part):
            break
        fixed /= part
    return fixed


def make_jobs(
    inputs: Sequence[tuple[Path, Path]],
    outputs: Mapping[str, str],
    folder: Path,
    parts: Mapping[str, Sequence[str]] | None = None,
) -> list[Job]:
    """Say where each input's outputs go; `outputs` maps output names to file names, and
    `parts` those that are several files to all of them.

    A file named `{name}.csv` becomes `FOLDER/…/song.csv`, one without `{name}` goes into a
    folder of its own, `FOLDER/…/song/melody.csv`. Raises CollisionError if two inputs would
    write the same file, or one would overwrite an input.
    """
    jobs: list[Job] = []
    owners: dict[Path, Path] = {}
    real_path = RealPaths()
    sources = {real_path(path) for path, _ in inputs}
    for path, place in inputs:
        targets = {name: folder / _target(file, place) for name, file in outputs.items()}
        names = [file for name in outputs for file in (parts or {}).get(name, (outputs[name],))]
        files = tuple(folder / _target(name, place) for name in names)
        for target in files:
            real = real_path(target)
            if real in sources:
                reason = "is an input and would be overwritten; choose another folder"
                raise CollisionError(target, reason)
            if real in owners:
                raise CollisionError(
                    target,
                    f"would be written for both {owners[real]} and {path}; run them into two "
                    "folders, or give the folder that holds both",
                )
            owners[real] = path
        jobs.append(Job(path, targets, files))
    return jobs


def _target(output: str, place: Path) -> Path:
    if "{name}" in output:
        return place.parent / output.replace("{name}", place.stem)
    return place.parent / place.stem / output


def folders(jobs: Iterable[Job]) -> Iterator[Path]:
    """The folders that jobs write to."""
    yield from dict.fromkeys(file.parent for job in jobs for file in job.files)
