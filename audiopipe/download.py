"""Downloading one file so that it is there whole and right, or not at all.

Bytes go to `FILE.part`; what is known of them stands in `FILE.part.json`, so that a later
attempt, in this process or another, goes on where this one stopped. Only a part whose size
and SHA-256 are right is given its name.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import file_digest
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from rich.filesize import decimal

from audiopipe.errors import ModelDownloadError, ModelVerificationError

Progress = Callable[[str, int, int], None]
"""Told the file's name, the bytes that are there, and the bytes that there will be."""

_HEADERS: Final = {"User-Agent": "audiopipe", "Accept-Encoding": "identity"}
_BLOCK: Final = 1 << 16
_GOOD_TRY: Final = 1 << 20
"""A broken connection that brought so many new bytes does not count as a failure."""

log = logging.getLogger(__name__)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal; raises OSError."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


class _BrokenError(Exception):
    """The connection failed in a way that may pass."""


class _UselessError(Exception):
    """There is nothing to be had from this address."""


class _WrongBytesError(_UselessError):
    """The address gave a whole file, but not the one that the card describes."""


class Part:
    """The part of `target` that is there, in `target`.part."""

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(f"{target.name}.part")
        self._note = target.with_name(f"{target.name}.part.json")

    @property
    def size(self) -> int:
        """How many bytes are there; 0 without a part."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def note(self, sha256: str, url: str, etag: str) -> None:
        """Write down which file the bytes belong to, and who sent them."""
        self._note.write_text(json.dumps({"sha256": sha256, "url": url, "etag": etag}))

    def belongs_to(self, sha256: str) -> bool:
        """Whether the bytes are those of the file with this SHA-256."""
        return self._read().get("sha256") == sha256

    def etag_from(self, url: str) -> str:
        """The strong ETag under which this address sent the bytes; empty if there is none."""
        note = self._read()
        return note.get("etag", "") if note.get("url") == url else ""

    def discard(self) -> None:
        """Remove the part."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def become(self, target: Path) -> None:
        """Give the part its name, so that no crash can leave half a file under it."""
        with self.path.open("rb+") as file:
            os.fsync(file.fileno())
        self.path.replace(target)
        self._note.unlink(missing_ok=True)
        with suppress(OSError):  # not every system can open a folder
            folder = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _read(self) -> dict[str, str]:
        try:
            note = json.loads(self._note.read_text())
        except (OSError, ValueError):
            return {}
        return note if isinstance(note, dict) else {}


@dataclass(frozen=True)
class Downloader:
    """How to download: time-out in seconds (to connect, and for each read), tries an address.

    The pause before try n + 1 is 2 ** (n - 1) seconds.
    """

    timeout: float = 20.0
    tries: int = 4
    sleep: Callable[[float], None] = time.sleep
    free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free

    def make_room(self, folder: Path, size: int) -> None:
        """Make the folder and see that `size` more bytes fit; raises ModelDownloadError."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            free = self.free(folder)
        except OSError as error:
            raise ModelDownloadError(f"{folder}: cannot be used: {error}") from None
        if free < size:
            raise ModelDownloadError(
                f"{folder}: {decimal(size)} are needed, but only {decimal(free)} are free; "
                "make room, or name another folder in AUDIOPIPE_MODELS"
            )

    def length(self, urls: Sequence[str]) -> int:
        """How many bytes a file has, as the first address says that answers.

        Raises ModelDownloadError.
        """
        refusals = []
        for url in urls:
            try:
                with urlopen(Request(url, headers=_HEADERS), timeout=self.timeout) as answer:
                    return int(answer.headers["Content-Length"])
            except (OSError, HTTPException, TypeError, ValueError) as error:
                refusals.append(f"\n  {url}: {error}")
        raise ModelDownloadError(f"no address says how long its file is:{''.join(refusals)}")

    def fetch(
        self,
        urls: Sequence[str],
        target: Path,
        *,
        size: int,
        sha256: str,
        progress: Progress | None = None,
    ) -> None:
        """Download `target`, which has this size and SHA-256, from the first address that works.

        Raises ModelVerificationError where an address gave a whole but different file, and
        ModelDownloadError in all other cases; `target` is then as it was before.
        """
        part = Part(target)
        tell = progress or (lambda name, done, total: None)
        refusals: list[str] = []
        wrong = False
        try:
            if not part.belongs_to(sha256):
                part.discard()
            for url in urls:
                try:
                    self._fetch(url, part, size, sha256, lambda n: tell(target.name, n, size))
                    part.become(target)
                    return
                except _UselessError as error:
                    if url != urls[-1]:
                        log.warning("%s: %s; trying the next address", url, error)
                    refusals.append(f"\n  {url}: {error}")
                    wrong = wrong or isinstance(error, _WrongBytesError)
        except OSError as error:
            raise ModelDownloadError(f"{target}: cannot be written: {error}") from None
        cause = ModelVerificationError if wrong else ModelDownloadError
        raise cause(f"{target.name} could not be downloaded:{''.join(refusals)}")

    def _fetch(
        self, url: str, part: Part, size: int, sha256: str, tell: Callable[[int], None]
    ) -> None:
        """Fill the part from one address; raises _UselessError."""
        failures, best = 0, part.size
        while True:
            before = part.size
            try:
                if before != size:
                    self._request(url, part, size, sha256, tell)
                self._check(part, sha256, resumed=before > 0)
                return
            except _BrokenError as error:
                failures = 0 if part.size >= best + _GOOD_TRY else failures + 1
                best = max(best, part.size)
                if failures == self.tries:
                    raise _UselessError(f"{error} ({failures} tries)") from None
                pause = 2.0 ** max(failures - 1, 0)
                log.warning("%s: %s; next try in %g s", url, error, pause)
                self.sleep(pause)

    def _check(self, part: Part, sha256: str, resumed: bool) -> None:
        found = sha256_of(part.path)
        if found == sha256:
            return
        part.discard()
        if resumed:  # the pieces may come from different files: begin again
            raise _BrokenError("the pieces do not make up the file")
        raise _WrongBytesError(f"wrong bytes: SHA-256 is {found}, the card says {sha256}")

    def _request(
        self, url: str, part: Part, size: int, sha256: str, tell: Callable[[int], None]
    ) -> None:
        """Ask once for what is missing, and keep what comes."""
        done = part.size
        known = part.etag_from(url)
        headers = dict(_HEADERS)
        if done:
            headers["Range"] = f"bytes={done}-"
            if known:
                headers["If-Range"] = known
        with self._open(Request(url, headers=headers), part) as response:
            etag = response.headers.get("ETag", "")
            etag = "" if etag.startswith("W/") else etag
            if response.status == 206:
                _check_range(response, part, size, etag, known)
            else:
                length = response.headers.get("Content-Length")
                if length is not None and length != str(size):
                    raise _WrongBytesError(f"has {length} bytes, the card says {size}")
                done = 0
            part.note(sha256, url, etag)
            with part.path.open("ab" if done else "wb") as file:
                tell(done)
                while block := _read(response):
                    done += len(block)
                    if done > size:
                        break
                    file.write(block)
                    tell(done)
        if done > size:
            part.discard()
            raise _WrongBytesError(f"has more bytes than the {size} that the card says")
        if done < size:
            raise _BrokenError(f"broke off after {done} of {size} bytes")

    def _open(self, request: Request, part: Part) -> HTTPResponse:
        try:
            response: HTTPResponse = urlopen(request, timeout=self.timeout)
        except HTTPError as error:
            error.close()
            if error.code == 416:
                part.discard()
                raise _BrokenError("nothing to go on with") from None
            reason = f"HTTP {error.code} {error.reason}"
            if error.code in (408, 429) or error.code >= 500:
                raise _BrokenError(reason) from None
            raise _UselessError(reason) from None
        except URLError as error:
            raise _BrokenError(f"no connection: {error.reason}") from None
        except (OSError, HTTPException) as error:
            raise _BrokenError(f"no answer: {error}") from None
        return response


def _check_range(response: HTTPResponse, part: Part, size: int, etag: str, known: str) -> None:
    """See that what comes continues the part."""
    found = re.fullmatch(
        r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", "").strip()
    )
    if not found or int(found[1]) != part.size or (known and etag and etag != known):
        part.discard()
        raise _BrokenError("the file has changed on the server")
    if found[2] not in ("*", str(size)):
        raise _WrongBytesError(f"has {found[2]} bytes, the card says {size}")


def _read(response: HTTPResponse) -> bytes:
    try:
        return response.read1(_BLOCK)
    except TimeoutError:
        raise _BrokenError("the server fell silent") from None
    except (OSError, HTTPException) as error:
        raise _BrokenError(f"the connection broke: {error}") from None
