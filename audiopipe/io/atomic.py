"""Files that appear whole or not at all: written beside their place, then renamed."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from glob import escape
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from audiopipe.errors import OutputError, did_you_mean

TEMPORARY = ".part"
"""The suffix of a file that is still being written: `.NAME.RANDOM.part`."""


def output_error(path: Path, error: OSError, written: int = 0) -> OutputError:
    """Say why `path` cannot be written, and what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        free = shutil.disk_usage(path.parent).free
        reason = (
            f"the disk is full: {_size(written)} of this file were computed and it is not done, "
            f"{_size(free)} are free in {path.parent}; free some space or write elsewhere"
        )
    elif error.errno == errno.EFBIG:
        reason = f"the system allows no file larger than {_size(written)} here"
    elif error.errno in (errno.EACCES, errno.EPERM):
        reason = f"may not write in {path.parent}; change its permissions or write elsewhere"
    elif error.errno == errno.EROFS:
        reason = f"{path.parent} is on a read-only disk; write elsewhere"
    elif error.errno == errno.ENAMETOOLONG:
        reason = "the name is too long for this disk; choose a shorter one"
    else:
        reason = f"cannot be written: {error.strerror or error}"
    return OutputError(path, reason)


def _size(count: int) -> str:
    size = float(count)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def check_place(path: Path) -> None:
    """Raise OutputError where no file can stand: no folder, or something in the way."""
    folder = path.parent
    if path.is_dir():
        raise OutputError(path, "is a folder; name a file in it")
    if path.exists() and not path.is_file():
        raise OutputError(path, "is a device or a pipe, not a file; name a file")
    if folder.is_dir():
        return
    if folder.exists():
        raise OutputError(path, f"{folder} is a file, not a folder")
    hint = ""
    if folder.parent.is_dir():
        hint = did_you_mean(folder.name, (p.name for p in folder.parent.iterdir() if p.is_dir()))
    hint = hint if hint.startswith("did") else "create it first"
    raise OutputError(path, f"there is no folder {folder}; {hint}")


def locked(file: BinaryIO) -> bool:
    """Hold a file as long as this process lives; False where another one does."""
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (ImportError, OSError):
        pass  # Windows, or a disk without locks
    return True


def sweep(folder: Path) -> None:
    """Remove the temporary files of processes that were killed; those of others stay."""
    for path in folder.glob(f".*{TEMPORARY}"):
        with contextlib.suppress(OSError), path.open("rb") as file:
            if locked(file):
                path.unlink(missing_ok=True)


def discard(path: Path) -> None:
    """Remove what is half-written of `path`, whoever writes it."""
    path = Path(os.path.realpath(path))
    for temporary in path.parent.glob(f".{escape(_stem(path))}.*{TEMPORARY}"):
        temporary.unlink(missing_ok=True)


def _stem(path: Path) -> str:
    """What a temporary name has of the name of its file: a name may have 255 bytes."""
    return path.name.encode()[:64].decode(errors="ignore")


class Replacement:
    """A file under a temporary name in the folder of `path`; `commit` renames it to `path`.

    Making it is the probe: it raises OutputError before any work is done.
    """

    def __init__(self, path: str | Path) -> None:
        # A link stays a link: the file that it points to is what is replaced.
        self.path = Path(os.path.realpath(path))
        name = f".{_stem(self.path)}.{secrets.token_hex(4)}{TEMPORARY}"
        self.temporary = self.path.with_name(name)
        try:
            check_place(self.path)
            self.file: BinaryIO = self.temporary.open("x+b", buffering=1 << 18)
        except OSError as error:
            raise output_error(self.path, error) from None
        locked(self.file)

    def commit(self) -> None:
        """Put the file in its place; raises OSError."""
        self.file.close()
        self.temporary.replace(self.path)

    def abort(self) -> None:
        """Leave nothing behind. Harmless after `commit` and when called twice."""
        with contextlib.suppress(OSError):
            self.file.close()
        self.temporary.unlink(missing_ok=True)


class Sink(ABC):
    """Where the blocks of a signal go. As a context manager it closes, or aborts on error.

    `close` puts the output in its place; until then nothing is seen under its name.
    """

    @abstractmethod
    def write(self, block: Any) -> None:
        """Take the next block; raises OutputError."""

    @abstractmethod
    def close(self) -> None:
        """Finish and put the output in its place; raises OutputError."""

    @abstractmethod
    def abort(self) -> None:
        """Give up, and leave nothing behind. Harmless after `close`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()


class FileSink(Sink):
    """A sink into one file. Whatever fails, the temporary file goes."""

    def __init__(self, path: str | Path) -> None:
        self.replacement = Replacement(path)
        self.closed = False

    @property
    def path(self) -> Path:
        """Where the file will be."""
        return self.replacement.path

    @property
    def file(self) -> BinaryIO:
        return self.replacement.file

    def put(self, text: str) -> None:
        """Append text as UTF-8."""
        self.file.write(text.encode())

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """Turn what goes wrong into an OutputError, after cleaning up."""
        try:
            yield
        except OSError as error:
            written = 0
            with contextlib.suppress(OSError, ValueError):
                written = self.file.tell()
            self.abort()
            raise output_error(self.path, error, written) from error
        except BaseException:
            self.abort()
            raise

    def write(self, block: Any) -> None:
        if self.closed:
            raise ValueError(f"{self.path} is closed")
        with self.guarded():
            self.append(block)

    def close(self) -> None:
        if self.closed:
            return
        with self.guarded():
            self.finish()
            self.replacement.commit()
        self.closed = True

    def abort(self) -> None:
        if not self.closed:
            self.closed = True
            self.replacement.abort()

    @abstractmethod
    def append(self, block: Any) -> None:
        """Write the next block to `file`."""

    def finish(self) -> None:
        """Write what comes last to `file`."""
