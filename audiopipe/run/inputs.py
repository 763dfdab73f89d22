"""Which files a batch reads, and where it writes what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    """One input, and its outputs: output name -> file."""

    input: Path
    outputs: dict[str, Path]


def find_inputs(patterns: Sequence[str | Path]) -> list[tuple[Path, Path]]:
    """Files with their place under the folder that was named.

    A folder stands for all audio in it and below; a pattern such as `**/*.wav` for what it
    matches; a file for itself. Raises AudioError where nothing is found.
    """
    found: dict[Path, Path] = {}
    for pattern in map(str, patterns):
        path = Path(pattern)
        before = len(found)
        if path.is_dir():
            for file in sorted(path.rglob("*")):
                if file.suffix.lower() in AUDIO_SUFFIXES and not file.name.startswith("."):
                    found.setdefault(file, file.relative_to(path))
            if len(found) == before:
                raise AudioError(pattern, "there is no audio in this folder")
        elif has_magic(pattern) and not path.exists():
            fixed = _without_magic(path)
            for match in sorted(glob(pattern, recursive=True)):  # noqa: PTH207
                if Path(match).is_file():
                    found.setdefault(Path(match), Path(match).relative_to(fixed))
            if len(found) == before:
                raise AudioError(pattern, "no file matches this pattern")
        else:
            # A file that is missing is reported with the others, and does not stop them.
            found.setdefault(path, Path(path.name))
    return list(found.items())


def _without_magic(path: Path) -> Path:
    fixed = Path(path.anchor)
    for part in path.parts[len(fixed.parts) :]:
        if has_magic(part):
            break
        fixed /= part
    return fixed


def make_jobs(
    inputs: Sequence[tuple[Path, Path]], outputs: Mapping[str, str], folder: Path
) -> list[Job]:
    """Say where each input's outputs go; `outputs` maps output names to file names.

    A file named `{name}.csv` becomes `FOLDER/…/song.csv`, one without `{name}` goes into a
    folder of its own, `FOLDER/…/song/melody.csv`. Raises CollisionError if two inputs would
    write the same file, or one would overwrite an input.
    """
    jobs: list[Job] = []
    owners: dict[Path, Path] = {}
    sources = {path.resolve() for path, _ in inputs}
    for path, place in inputs:
        targets = {name: folder / _target(file, place) for name, file in outputs.items()}
        for target in targets.values():
            real = target.resolve()
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
        jobs.append(Job(path, targets))
    return jobs


def _target(output: str, place: Path) -> Path:
    if "{name}" in output:
        return place.parent / output.replace("{name}", place.stem)
    return place.parent / place.stem / output


def folders(jobs: Iterable[Job]) -> Iterator[Path]:
    """The folders that jobs write to."""
    yield from dict.fromkeys(target.parent for job in jobs for target in job.outputs.values())
