"""The model store: which models there are, where their files lie, and that they are right.

Cards, and the weights of small models, come with audiopipe. What has to be downloaded goes
to the user's cache folder, `AUDIOPIPE_MODELS` names another. A folder of one's own that
holds a `card.toml` is a model too: its name is its path, `./my-words`.

    words = load_weights(Store().path("keywords-18", "weights.safetensors"))
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from filelock import FileLock, Timeout
from platformdirs import user_cache_path
from rich.filesize import decimal

from audiopipe.archive import fetch_members
from audiopipe.cards import CARD, Card, Licence, ModelFile, read_card
from audiopipe.download import Downloader, Part, Progress
from audiopipe.errors import (
    ModelDownloadError,
    ModelError,
    ModelVerificationError,
    OfflineModeError,
    did_you_mean,
)
from audiopipe.ledger import Ledger, pull_command

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)

COQUI: Final = "coqui/"
"""What names begin with of models that `audiopipe.engines.coqui_models` downloads."""

State = Literal["embedded", "installed", "incomplete", "not downloaded"]


def embedded() -> Path:
    """The folder of the cards and weights that come with audiopipe, a folder a model."""
    package = Path(__file__).parent
    in_wheel = package / "embedded"
    return in_wheel if in_wheel.is_dir() else package.parent / "models"


class Store:
    """The models of this user.

    `root` is the folder for downloads, `offline` forbids them, `mirror` is an http(s)
    address where MIRROR/NAME/FILE is tried before the addresses of the card. Their defaults
    are the environment's `AUDIOPIPE_MODELS`, `AUDIOPIPE_OFFLINE` (or `HF_HUB_OFFLINE`), and
    `AUDIOPIPE_MIRROR`. Raises ModelError if the mirror is not an address.
    """

    def __init__(
        self,
        root: str | Path | None = None,
        offline: bool | None = None,
        mirror: str | None = None,
        *,
        downloader: Downloader | None = None,
    ) -> None:
        chosen = (
            root or os.environ.get("AUDIOPIPE_MODELS") or user_cache_path("audiopipe") / "models"
        )
        self.root = Path(chosen).expanduser().absolute()
        self.offline = _offline() if offline is None else offline
        self.mirror = os.environ.get("AUDIOPIPE_MIRROR", "") if mirror is None else mirror
        if self.mirror and not self.mirror.startswith(("http://", "https://")):
            raise ModelError(f"the mirror {self.mirror!r} is not an http(s) address")
        self._downloader = downloader or Downloader()
        self._ledger = Ledger(self.root)

    def names(self) -> list[str]:
        """The names of all models that audiopipe knows, sorted."""
        return sorted(card.parent.name for card in embedded().glob(f"*/{CARD}"))

    def card(self, name: str) -> Card:
        """The card of a model, by its name or the path of its folder; raises ModelError."""
        if name.startswith(COQUI) and not (self.folder(name) / CARD).is_file():
            raise ModelError(f"model {name!r} is not downloaded; run: {pull_command(name)}")
        if _is_folder(name):
            return read_card(self.folder(name))
        names = self.names()
        if name not in names:
            hint = did_you_mean(name, names)
            if (Path(name) / CARD).is_file():
                hint = f"did you mean the folder './{name}'?"
            raise ModelError(f"there is no model {name!r}; {hint}")
        card = read_card(self.folder(name))
        if card.name != name:
            raise ModelError(f"{self.folder(name) / CARD}: the name is {card.name!r}, not {name!r}")
        return card

    def folder(self, name: str) -> Path:
        """Where the card of a model is, or would be."""
        if name.startswith(COQUI):
            listed, _, _ = name.removeprefix(COQUI).partition(":")
            return self.root / COQUI / listed.replace("/", "--")
        return Path(name).expanduser().absolute() if _is_folder(name) else embedded() / name

    def state(self, name: str) -> State:
        """Where the files are, judged by their presence and size alone; raises ModelError."""
        places = {file: self._place(name, file) for file in self.card(name).files}
        if not any(place.exists() for place in places.values()):
            return "not downloaded"
        if not all(_has_size(place, file.size) for file, place in places.items()):
            return "incomplete"
        beside = all(place.parent == self.folder(name) for place in places.values())
        return "embedded" if beside else "installed"

    def installed(self, name: str) -> bool:
        """Whether all files are there, judged by their presence and size; raises ModelError."""
        return self.state(name) in ("embedded", "installed")

    def path(self, name: str, file: str) -> Path:
        """Where a file lies, which is there, verified, and whose licence is accepted.

        Nothing is downloaded. A file is hashed when it is new or changed since it was last.
        Raises ModelVerificationError, LicenceError, OfflineModeError, or ModelError where the
        model or file is unknown or has not been downloaded.
        """
        card = self.card(name)
        self.admit(name, card.name, card.licence)
        file_of_card = card.file(file)
        place = self._place(name, file_of_card)
        if wrong := self._ledger.wrong(place, file_of_card):
            if not place.exists():
                raise self._absent(name, card, [file_of_card])
            raise ModelVerificationError(f"{place}: {wrong}; {self._cure(name, file_of_card)}")
        return place

    def pull(
        self, name: str, progress: Progress | None = None, accept_licence: bool = False
    ) -> dict[str, Path]:
        """Make sure that all files are there and right, downloading those that are not.

        What another process is downloading is waited for. Returns the path of each file.
        Raises LicenceError, OfflineModeError, ModelDownloadError, ModelVerificationError, or
        ModelError for an unknown model.
        """
        card = self.card(name)
        self.admit(name, card.name, card.licence, accept_licence)
        places = {file: self._place(name, file) for file in card.files}
        if missing := self._missing(places):
            if self.offline or not all(self._urls(card, file) for file in missing):
                raise self._absent(name, card, missing)
            with self._lock(name):
                missing = self._missing(places)
                self._download(name, card, {file: places[file] for file in missing}, progress)
        return {file.name: place for file, place in places.items()}

    def admit(self, name: str, key: str, licence: Licence, accept: bool = False) -> None:
        """See that a licence is accepted, for the model whose card says that its name is `key`.

        With `accept`, note that it now is. Raises LicenceError, which says how to accept it.
        """
        self._ledger.admit(name, key, licence, accept)

    def verify(self, name: str) -> list[Path]:
        """Hash every file again, and return them.

        Raises ModelVerificationError, which names all files that are not right.
        """
        card = self.card(name)
        places = {file: self._place(name, file) for file in card.files}
        problems = []
        for file, place in places.items():
            self._ledger.forget(place)
            if wrong := self._ledger.wrong(place, file):
                problems.append(f"{place}: {wrong}; {self._cure(name, file)}")
        if problems:
            raise ModelVerificationError("\n".join(problems))
        return list(places.values())

    # Where things lie.

    def _home(self, name: str) -> Path:
        """Where downloads go."""
        if _is_folder(name):
            return self.folder(name)
        return self.root / (self.card(name).shares or name)

    def _place(self, name: str, file: ModelFile) -> Path:
        beside = self.folder(name) / file.name
        return beside if beside.exists() else self._home(name) / file.name

    # What is right, and getting it.

    def _missing(self, places: Mapping[ModelFile, Path]) -> list[ModelFile]:
        return [file for file, place in places.items() if self._ledger.wrong(place, file)]

    def _urls(self, card: Card, file: ModelFile) -> list[str]:
        packed = [archive for archive in card.archives if archive.name == file.archive]
        source = packed[0] if packed else file
        home = f"{self.mirror.rstrip('/')}/{card.shares or card.name}"
        return [*([f"{home}/{source.name}"] if self.mirror else []), *source.urls]

    def _download(
        self,
        name: str,
        card: Card,
        places: Mapping[ModelFile, Path],
        progress: Progress | None,
    ) -> None:
        plain = {file: place for file, place in places.items() if not file.archive}
        needed = sum(file.size - Part(place).size for file, place in plain.items())
        self._downloader.make_room(self._home(name), needed)
        for archive in card.archives:
            packed = {f: place for f, place in places.items() if f.archive == archive.name}
            if packed:
                urls = self._urls(card, next(iter(packed)))
                fetch_members(self._downloader, archive, urls, packed, progress)
            for file, place in packed.items():
                self._ledger.vouch(place, file)
        for file, place in plain.items():
            self._downloader.fetch(
                self._urls(card, file),
                place,
                size=file.size,
                sha256=file.sha256,
                progress=progress,
            )
            self._ledger.vouch(place, file)

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        """Only one process, and one thread, downloads a model."""
        home = self._home(name)
        self._downloader.make_room(home, 0)
        lock = FileLock(home / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            log.warning("another process downloads %s: waiting for it", name)
            lock.acquire()
        except OSError as error:
            raise ModelDownloadError(f"{home}: cannot be written: {error.strerror}") from None
        try:
            yield
        finally:
            lock.release()

    # Refusals, and their cures.

    def _absent(self, name: str, card: Card, files: Sequence[ModelFile]) -> ModelError:
        lost = {f: self._place(name, f) for f in files if not self._urls(card, f)}
        if lost:
            return ModelVerificationError(
                "\n".join(
                    f"{place}: {self._ledger.wrong(place, file)}; {self._cure(name, file)}"
                    for file, place in lost.items()
                )
            )
        size = decimal(sum(file.size for file in files))
        if not self.offline:
            return ModelError(
                f"model {name!r} is not downloaded ({size}); run: {pull_command(name)}"
            )
        wanted = "".join(
            f"\n  {file.name} ({decimal(file.size)}) from {self._urls(card, file)[0]}"
            for file in files
        )
        folder = self._home(name)
        return OfflineModeError(
            f"model {name!r} is not downloaded, and offline mode (AUDIOPIPE_OFFLINE, "
            f"HF_HUB_OFFLINE) forbids it:{wanted}\n"
            f"On a connected machine run: {pull_command(name)}\n"
            f"Then copy its folder {folder.name} ({size}) to {folder} on this one."
        )

    def _cure(self, name: str, file: ModelFile) -> str:
        if file.urls or file.archive or name.startswith(COQUI):
            return f"run: {pull_command(name)}"
        if _is_folder(name):
            return "restore it, or state its size and sha256 in card.toml if it is to be so"
        return "install audiopipe again"


def load_weights(path: str | Path) -> dict[str, Tensor]:
    """Load the tensors of a safetensors file, on the CPU.

    Raises ModelError: it is another kind of file, or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if Path(path).suffix != ".safetensors":
        raise ModelError(f"{path}: only .safetensors files are loaded: others may run code")
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: damaged, cannot be loaded: {error}") from None


def _is_folder(name: str) -> bool:
    return name.startswith((".", "~")) or "/" in name or os.sep in name


def _offline() -> bool:
    value = os.environ.get("AUDIOPIPE_OFFLINE", os.environ.get("HF_HUB_OFFLINE", ""))
    return value.strip().lower() in ("1", "true", "yes", "on")


def _has_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size
