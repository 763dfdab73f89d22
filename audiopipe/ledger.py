"""What the model store remembers: which files were verified, which licences accepted."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from shlex import quote
from typing import Any

from audiopipe.cards import Licence, ModelFile
from audiopipe.download import sha256_of
from audiopipe.errors import LicenceError, ModelError


class Ledger:
    """The notes in a store's folder.

    `.verified` holds a note for each file that was hashed: as long as its size and time of
    change are the same, it is not hashed again. `.accepted` holds a note for each model whose
    licence was accepted: by whom, when, and the SHA-256 of what the card says about it.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def wrong(self, place: Path, file: ModelFile) -> str:
        """What is wrong with a file, in words; empty if nothing is."""
        try:
            state = _state(place, file)
            if state["size"] != file.size:
                return f"has {state['size']} bytes, the card says {file.size}"
            if _read(self._verified(place)) == state:
                return ""
            found = sha256_of(place)
        except FileNotFoundError:
            return "is not there"
        except OSError as error:
            return f"cannot be read: {error.strerror}"
        if found != file.sha256:
            return f"SHA-256 is {found}, the card says {file.sha256}"
        self._vouch(place, state)
        return ""

    def vouch(self, place: Path, file: ModelFile) -> None:
        """Note that a file has just been found to be right."""
        self._vouch(place, _state(place, file))

    def forget(self, place: Path) -> None:
        """Have a file hashed when it is next looked at."""
        with suppress(OSError):
            self._verified(place).unlink(missing_ok=True)

    def admit(self, name: str, key: str, licence: Licence, accept: bool = False) -> None:
        """See that a licence that has to be accepted is; with `accept`, note that it now is.

        `key` is the name of the model's card. Raises LicenceError, which says what to read and how
        to accept it.
        """
        if not licence.gated:
            return
        note = self._root / ".accepted" / f"{key}.json"
        known = _read(note)
        if known.get("digest") == licence.digest:
            return
        if not accept:
            forbids = f" It forbids: {licence.forbidden}." if licence.forbidden else ""
            since = f", changed since you accepted it on {known['when'][:10]}" if known else ""
            raise LicenceError(
                f"model {name!r} is under the licence {licence.name} ({licence.url}{since})."
                f"{forbids} If you accept it, run: {pull_command(name)} --accept-licence"
            )
        acceptance = {
            "model": key,
            "licence": licence.name,
            "url": licence.url,
            "digest": licence.digest,
            "who": _user(),
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        try:
            _write(note, acceptance)
        except OSError as error:
            raise ModelError(f"{note}: cannot be written: {error.strerror}") from None

    def _verified(self, place: Path) -> Path:
        return self._root / ".verified" / f"{sha256(str(place).encode()).hexdigest()}.json"

    def _vouch(self, place: Path, state: Mapping[str, Any]) -> None:
        with suppress(OSError):  # in a store that cannot be written, files are hashed each time
            _write(self._verified(place), state)


def pull_command(name: str) -> str:
    """What to type to download a model.

    >>> pull_command("./my words")
    "audiopipe models pull './my words'"
    """
    return f"audiopipe models pull {quote(name)}"


def _state(place: Path, file: ModelFile) -> dict[str, Any]:
    stat = place.stat()
    return {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": file.sha256}


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container need not have names for its users
        return f"user {os.getuid()}"


def _read(path: Path) -> dict[str, Any]:
    """What is written there; nothing if it is not there, or damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: Path, value: Mapping[str, Any]) -> None:
    """Write whole or not at all; raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{token_hex(4)}")
    temporary.write_text(json.dumps(value), encoding="utf-8")
    temporary.replace(path)
