"""Files of a model that their makers give out in a `.tar.gz` together.

The archive is downloaded whole and verified, the files that the card names are taken out of it,
verified too, and it is removed. What stands in it under other names is not looked at, and no name
or link in it becomes a path.
"""

from __future__ import annotations

import gzip
import os
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

from audiopipe.cards import Archive, ModelFile
from audiopipe.download import Downloader, Progress
from audiopipe.errors import ModelVerificationError

OTHERS: Final = 1 << 26
"""Bytes that an archive may hold, unpacked, beside the files that are wanted."""
_BLOCK: Final = 1 << 20


def fetch_members(
    downloader: Downloader,
    archive: Archive,
    urls: Sequence[str],
    places: Mapping[ModelFile, Path],
    progress: Progress | None = None,
) -> None:
    """Download an archive, and put the files that are wanted of it into their places.

    Raises what `Downloader.fetch` raises, and ModelVerificationError for files that are not in the
    archive or not right; a file is in its place whole and verified, or not at all.
    """
    home = next(iter(places.values())).parent
    target = home / archive.name
    size = downloader.length(urls)
    unpacked = sum(file.size for file in places)
    if size > unpacked + OTHERS:
        raise ModelVerificationError(
            f"{archive.name} has {size} bytes at {urls[0]}, too many for what it is to hold"
        )
    downloader.make_room(home, size + unpacked)
    downloader.fetch(urls, target, size=size, sha256=archive.sha256, progress=progress)
    try:
        unpack(target, places)
    finally:
        target.unlink(missing_ok=True)


def unpack(archive: Path, places: Mapping[ModelFile, Path]) -> None:
    """Take files out of a `.tar.gz`, each to its place; raises ModelVerificationError."""
    wanted = {file.name: file for file in places}
    most = sum(file.size for file in places) + OTHERS
    try:
        with gzip.open(archive) as packed:
            bounded = _Bounded(packed, most)  # type: ignore[arg-type]
            with tarfile.open(fileobj=bounded, mode="r|") as members:  # type: ignore[call-overload]
                for member in members:
                    file = wanted.get(PurePosixPath(member.name).name)
                    if file and member.isreg() and (content := members.extractfile(member)):
                        _take(content, file, places[file])
                        del wanted[file.name]
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ModelVerificationError(f"{archive}: cannot be unpacked: {error}") from None
    if wanted:
        raise ModelVerificationError(f"{archive}: there is no {' and no '.join(wanted)} in it")


def _take(content: BinaryIO, file: ModelFile, place: Path) -> None:
    """Copy a member to its place, which it is given only when it is whole and right."""
    part = place.with_name(f"{place.name}.part")
    digest, size = sha256(), 0
    try:
        with part.open("wb") as target:
            while size <= file.size and (block := content.read(_BLOCK)):
                target.write(block)
                digest.update(block)
                size += len(block)
            target.flush()
            os.fsync(target.fileno())
        if (size, digest.hexdigest()) != (file.size, file.sha256):
            raise ModelVerificationError(
                f"{file.name} in the archive is not the one that the card describes: "
                f"SHA-256 is {digest.hexdigest()}, the card says {file.sha256}"
            )
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)


class _Bounded:
    """A stream that gives no more than so many bytes: a small archive may unpack to any size."""

    def __init__(self, stream: BinaryIO, most: int) -> None:
        self._stream = stream
        self._left = most

    def read(self, size: int) -> bytes:
        block = self._stream.read(size)
        self._left -= len(block)
        if self._left < 0:
            raise tarfile.ReadError("it holds more than it should")
        return block
