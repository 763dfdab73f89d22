"""What a batch has done, kept beside its outputs, so that it can be resumed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from audiopipe import __version__
from audiopipe.download import sha256_of
from audiopipe.errors import OutputError
from audiopipe.io.atomic import output_error, sweep
from audiopipe.models import Store
from audiopipe.pipeline import make_folder
from audiopipe.plan import Graph
from audiopipe.run.inputs import Job, RealPaths, folders

log = logging.getLogger(__name__)

FOLDER = ".audiopipe"
JOURNAL = "journal.jsonl"


def fingerprint(graph: Graph, dtype: str = "float32") -> str:
    """A hash of everything that decides what comes out, but the input.

    So of what models and files hold, too: words may be taught again, a lexicon edited. Raises
    ModelError for a model that is not known; a file that cannot be read is for `load` to tell.
    """
    store = Store()
    stages = [
        (
            node.name,
            node.stage.name,
            node.stage.model_dump_json(),
            node.sources,
            [store.card(model).model_dump_json() for model in node.stage.models],
            [_contents(file) for file in node.stage.files],
        )
        for node in graph.nodes
    ]
    told = json.dumps([__version__, stages, dict(graph.outputs), dtype])
    return hashlib.sha256(told.encode()).hexdigest()


def written(folder: Path) -> set[Path]:
    """The files that runs into `folder` are known to have written."""
    entries = _read(folder / FOLDER / JOURNAL).values()
    real = RealPaths()
    return {real(folder / name) for entry in entries for name in entry["outputs"]}


class Journal:
    """The journal of one output folder, held by one run at a time.

    A line is one finished input; a line that a crash cut short counts for nothing. Entering
    raises OutputError if another run holds the folder or it cannot be written.
    """

    def __init__(self, folder: Path, pipeline: str) -> None:
        self.folder = folder
        self.pipeline = pipeline
        self._done: dict[str, dict[str, Any]] = {}
        self._real = RealPaths()
        self._lock: TextIO | None = None
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        place = self.folder / FOLDER
        make_folder(self.folder)
        try:
            place.mkdir(exist_ok=True)
            self._lock = (place / "lock").open("a+", encoding="utf-8")
            _lock(self._lock, self.folder)
            self._done = _read(place / JOURNAL)
            self._file = (place / JOURNAL).open("a", encoding="utf-8")
            if self._file.tell() and not (place / JOURNAL).read_bytes().endswith(b"\n"):
                self._file.write("\n")  # the line that a crash cut short counts for nothing
        except OSError as error:
            raise output_error(place, error) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in (self._file, self._lock):
            if file is not None:
                with contextlib.suppress(OSError):  # a full disk has been told of already
                    file.close()

    def is_done(self, job: Job) -> bool:
        """Whether a job was done with this pipeline, its input is the same, and all is there."""
        return self._done.get(str(self._real(job.input))) == self._entry(job)

    def add(self, job: Job) -> None:
        """Note that a job is done."""
        assert self._file is not None
        entry = self._entry(job)
        self._done[entry["input"]] = entry
        try:
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            log.warning(
                "%s: %s; %s is done, but will be done again by the next run",
                self.folder / FOLDER,
                error.strerror,
                job.input,
            )

    def sweep(self, jobs: Iterable[Job]) -> None:
        """Remove what a run that was killed has left half-written."""
        for folder in folders(jobs):
            sweep(folder)

    def _entry(self, job: Job) -> dict[str, Any]:
        """What is noted of a job that is done; outputs by their place in the folder."""
        path = self._real(job.input)
        stat = path.stat()
        return {
            "input": str(path),
            "size": stat.st_size,
            "modified": stat.st_mtime_ns,
            "pipeline": self.pipeline,
            "outputs": {str(file.relative_to(self.folder)): _size(file) for file in job.files},
        }


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """The entries of a journal by input; a line that is not one counts for nothing."""
    entries = {}
    if path.is_file():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError):
                entry = json.loads(line)
                if isinstance(entry["outputs"], dict):
                    entries[str(entry["input"])] = entry
    return entries


def _contents(file: str) -> str:
    with contextlib.suppress(OSError):
        return sha256_of(Path(file))
    return ""


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _lock(file: TextIO, folder: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: the journal is still right, two runs only do work twice
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        raise OutputError(
            folder, f"another run (process {holder}) is writing here; wait, or choose a folder"
        ) from None
    file.seek(0)
    file.truncate()
    file.write(str(os.getpid()))
    file.flush()
