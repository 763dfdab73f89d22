"""Model cards: what a model is, what it may be used for, and the files that it consists of.

A card is `card.toml` in the model's folder. It is data, checked whole: every mistake is
reported at once, with its line.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final, Self, TypeVar

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
    ValidationError,
    model_validator,
)

from audiopipe.errors import MissingDependencyError, ModelError, Place, Problem, did_you_mean

CARD: Final = "card.toml"
LOADABLE: Final = (".safetensors", ".onnx", ".toml", ".json", ".txt", ".yaml")
"""The suffixes of files that may be loaded as they are: none of them can carry code."""
PICKLED: Final = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin")


Item = TypeVar("Item")


_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._+-]*"


def _http(url: str) -> str:
    if not re.match(r"https?://[^/\s]+", url):
        raise ValueError(f"{url!r} is not an http(s) address")
    return url


def _window(text: str) -> str:
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        raise ValueError(f"{text!r} is not a version window such as '>=0.27,<0.29'") from None
    return text


def _printable(label: str) -> str:
    if not label or not label.isprintable():
        raise ValueError(f"{label!r} is no label: it is empty, or holds what cannot be printed")
    return label


def _not_empty(items: tuple[Item, ...]) -> tuple[Item, ...]:
    if not items:
        raise ValueError("at least one is needed")
    return items


Url = Annotated[str, AfterValidator(_http)]
Label = Annotated[str, AfterValidator(_printable)]
Line = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelFile(_Section):
    """A file of a model: where it comes from, its size in bytes and its SHA-256.

    `urls` are tried in their order; a file that lies beside its card needs none, nor does one
    that is taken out of an `archive`. `convert` marks a foreign checkpoint that a reader of ours
    converts, or an engine reads in a process of its own, and that is never loaded.
    """

    name: Annotated[str, StringConstraints(pattern=rf"^{_NAME}(/{_NAME})*$")]
    urls: tuple[Url, ...] = ()
    size: Annotated[StrictInt, Field(gt=0)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    convert: StrictBool = False
    archive: str = ""

    @model_validator(mode="after")
    def _holds_no_code(self) -> Self:
        suffix = PurePosixPath(self.name).suffix.lower()
        if self.convert or suffix in LOADABLE:
            return self
        if suffix in PICKLED:
            raise ValueError(
                f"{self.name!r} is refused: {suffix} files are pickles, and unpickling runs code "
                "that comes with the file; convert it to .safetensors"
            )
        raise ValueError(f"{self.name!r} is refused: only {', '.join(LOADABLE)} files are loaded")


class Archive(_Section):
    """A `.tar.gz` that holds files of a model under their names, and its SHA-256."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*\.tar\.gz$")]
    urls: Annotated[tuple[Url, ...], AfterValidator(_not_empty)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Licence(_Section):
    """A licence: its SPDX identifier or name, where its text is, and what it forbids.

    With `acceptance`, and wherever commercial use is forbidden, a person has to accept it
    before the model is used.
    """

    name: Line
    url: Url
    commercial: StrictBool
    acceptance: StrictBool = False
    forbids: str = ""

    @property
    def gated(self) -> bool:
        """Whether it has to be accepted first."""
        return self.acceptance or not self.commercial

    @property
    def forbidden(self) -> str:
        """What it forbids, in words; empty if nothing is known to be forbidden."""
        told = ["" if self.commercial else "commercial use", self.forbids]
        return ", ".join(filter(None, told))

    @property
    def digest(self) -> str:
        """The SHA-256 of all that the card says about the licence."""
        return sha256(self.model_dump_json().encode()).hexdigest()


class TrainingSet(_Section):
    """Data that a model was trained on."""

    name: Line
    licence: Line
    source: Line


class Card(_Section):
    """What is known about a model; `read_card` makes it from `card.toml`.

    `rate` is the sample rate in Hz, `settings` is what the network is built with, `requires`
    maps packages of an engine to the window of versions that the model was tested with. A model
    whose files are those of another one `shares` that one's folder.
    """

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    about: Line
    task: Line
    network: Line
    settings: Mapping[str, Any] = Field(default_factory=dict)
    rate: Annotated[StrictInt, Field(gt=0)]
    labels: tuple[Label, ...] = ()
    files: Annotated[tuple[ModelFile, ...], AfterValidator(_not_empty)]
    archives: tuple[Archive, ...] = ()
    shares: str = ""
    licence: Licence
    data: Annotated[tuple[TrainingSet, ...], AfterValidator(_not_empty)]
    recipe: str = ""
    figures: Mapping[str, str | int | float] = Field(default_factory=dict)
    citation: str = ""
    requires: Mapping[str, Annotated[str, AfterValidator(_window)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _files_differ(self) -> Self:
        names = [file.name for file in self.files]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"listed twice in files: {', '.join(twice)}")
        known = {archive.name for archive in self.archives} | {""}
        if lost := sorted({file.archive for file in self.files} - known):
            raise ValueError(f"named by files, but not in archives: {', '.join(lost)}")
        return self

    @property
    def size(self) -> int:
        """The size of all files together, in bytes."""
        return sum(file.size for file in self.files)

    def file(self, name: str) -> ModelFile:
        """The file of this name; raises ModelError if the model has none."""
        for file in self.files:
            if file.name == name:
                return file
        hint = did_you_mean(name, [file.name for file in self.files])
        raise ModelError(f"model {self.name!r} has no file {name!r}; {hint}")

    def check_engine(self) -> None:
        """Make sure that the packages in `requires` are there, in the versions that were tested.

        Raises MissingDependencyError, with the command that installs them.
        """
        problems = []
        for package, window in self.requires.items():
            version = engine_version(package)
            if version is None:
                problems.append(f"{package}{window}, which is not installed")
            elif not SpecifierSet(window).contains(version, prereleases=True):
                problems.append(f"{package}{window}, but {version} is installed")
        if problems:
            wanted = " ".join(f"'{package}{window}'" for package, window in self.requires.items())
            raise MissingDependencyError(
                f"model {self.name!r} was tested with {'; and with '.join(problems)}; "
                f"run: pip install {wanted}"
            )


def engine_version(package: str) -> str | None:
    """The installed version of a package, None if there is none.

    >>> engine_version("no-such-engine") is None
    True
    """
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def read_card(folder: Path) -> Card:
    """Read `card.toml` in a model's folder.

    Raises ModelError: there is no card, or it is wrong; then all that is wrong is said, a
    line each.
    """
    path = folder / CARD
    try:
        text = path.read_text(encoding="utf-8")
        return Card.model_validate(tomllib.loads(text))
    except FileNotFoundError:
        raise ModelError(f"{folder}: not a model, as there is no {CARD} in it") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ModelError(f"{path}: not TOML: {error}") from None
    except ValidationError as error:
        lines = dict(_lines(text))
        problems = [
            Problem(message, Place(str(path), *_nearest(lines, location)))
            for location, message in map(_explain, error.errors(include_url=False))
        ]
        raise ModelError("\n".join(map(str, problems))) from None


Location = tuple[str | int, ...]

_SECTIONS: Final[Mapping[Sequence[str], type[BaseModel]]] = {
    (): Card,
    ("files",): ModelFile,
    ("archives",): Archive,
    ("licence",): Licence,
    ("data",): TrainingSet,
}


def _explain(error: Any) -> tuple[Location, str]:
    """Where in the card a mistake is, and what it is."""
    location: Location = error["loc"]
    names = [step for step in location if isinstance(step, str)]
    if error["type"] == "missing":
        return location, f"{'.'.join(names)} is missing"
    if error["type"] == "extra_forbidden":
        known = _SECTIONS[tuple(names[:-1])].model_fields
        return location, f"unknown key {'.'.join(names)!r}; {did_you_mean(names[-1], known)}"
    if names[-1:] == ["sha256"]:
        return location, f"{'.'.join(names)} is not a SHA-256: 64 digits, 0 to 9 and a to f"
    message = str(error["msg"]).removeprefix("Value error, ")
    return location, f"{'.'.join(names)}: {message}" if names else message


_HEADER = re.compile(r"\s*(\[\[?)\s*([\w.\-]+)\s*\]")
_KEY = re.compile(r"(\s*)\"?([\w\-]+)\"?\s*=")


def _lines(text: str) -> Iterator[tuple[Location, tuple[int, int]]]:
    """The line and column, from 1, of every table and key (of inline tables, of the first)."""
    table: Location = ()
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            name = header[2]
            table = (name,)
            if header[1] == "[[":
                table = (name, counts.get(name, 0))
                counts[name] = counts.get(name, 0) + 1
            yield table, (number, header.start(1) + 1)
        elif key := _KEY.match(line):
            yield (*table, key[2]), (number, len(key[1]) + 1)


def _nearest(lines: Mapping[Location, tuple[int, int]], location: Location) -> tuple[int, int]:
    """Where the key is or, failing that, the table that it belongs to."""
    while location and location not in lines:
        location = location[:-1]
    return lines.get(location, (1, 1))
