"""What a batch has done, kept beside its outputs, so that it can be resumed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from audiopipe import __version__
from audiopipe.errors import OutputError
from audiopipe.io.atomic import TEMPORARY, output_error
from audiopipe.plan import Graph
from audiopipe.run.inputs import Job, folders

FOLDER = ".audiopipe"


def fingerprint(graph: Graph) -> str:
    """A hash of everything in a definition that decides what comes out."""
    stages = [
        (node.name, node.stage.name, node.stage.model_dump_json(), node.sources)
        for node in graph.nodes
    ]
    told = json.dumps([__version__, stages, dict(graph.outputs)])
    return hashlib.sha256(told.encode()).hexdigest()


class Journal:
    """The journal of one output folder, held by one run at a time.

    A line is one finished input; a line that a crash cut short counts for nothing. Entering
    raises OutputError if another run holds the folder or it cannot be written.
    """

    def __init__(self, folder: Path, pipeline: str) -> None:
        self.folder = folder
        self.pipeline = pipeline
        self._done: dict[str, dict[str, Any]] = {}
        self._lock: TextIO | None = None
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        place = self.folder / FOLDER
        try:
            place.mkdir(parents=True, exist_ok=True)
            self._lock = (place / "lock").open("a+")
            _lock(self._lock, self.folder)
            path = place / "journal.jsonl"
            if path.exists():
                self._read(path)
            self._file = path.open("a")
        except OSError as error:
            raise output_error(self.folder / FOLDER, error) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in (self._file, self._lock):
            if file is not None:
                file.close()

    def is_done(self, job: Job) -> bool:
        """Whether a job was done with this pipeline, its input is the same, and all is there."""
        entry = self._done.get(str(job.input.resolve()))
        return (
            entry is not None
            and entry == {**entry, **self._identity(job)}
            and all(_size(Path(path)) == size for path, size in entry["outputs"].items())
        )

    def add(self, job: Job, written: Iterable[Path]) -> None:
        """Note that a job is done."""
        assert self._file is not None
        outputs = {str(path): _size(path) for path in written}
        entry = {**self._identity(job), "outputs": outputs}
        self._file.write(json.dumps(entry) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._done[entry["input"]] = entry

    def sweep(self, jobs: Iterable[Job]) -> None:
        """Remove what a run that was killed has left half-written."""
        for folder in folders(jobs):
            for path in folder.glob(f".*{TEMPORARY}"):
                path.unlink(missing_ok=True)

    def _identity(self, job: Job) -> dict[str, Any]:
        path = job.input.resolve()
        stat = path.stat()
        return {
            "input": str(path),
            "size": stat.st_size,
            "modified": stat.st_mtime_ns,
            "pipeline": self.pipeline,
        }

    def _read(self, path: Path) -> None:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        whole = [line for line in lines if line.endswith("\n")]
        if len(whole) < len(lines):
            path.write_text("".join(whole), encoding="utf-8")
        for line in whole:
            entry = json.loads(line)
            self._done[entry["input"]] = entry


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
