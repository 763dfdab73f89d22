"""Other people's programs, each in a Python environment of its own.

They want versions of packages that exclude ours. An environment is a folder that `install` makes:
what is in it counts only when the last thing is there, `complete.json`, so that no interrupted
installation is taken for an engine.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

from filelock import FileLock
from packaging.specifiers import SpecifierSet
from platformdirs import user_data_path

from audiopipe.errors import EngineError, did_you_mean

State = Literal["installed", "outdated", "incomplete", "not installed"]
Tell = Callable[[str], None]
"""Told what is being done, a line at a time."""

COMPLETE: Final = "complete.json"
MINORS: Final = range(8, 20)
"""Versions 3.x of Python that are looked for."""


@dataclass(frozen=True)
class Engine:
    """A program: what it is, what is installed, and which versions of Python it runs under.

    `pins` is a file beside this one that names a version of every package; `proof` is imported
    to see that all of them work together. What it `borrows` is not installed: these packages,
    and what they stand on, are those of audiopipe itself, under the same Python.
    """

    name: str
    about: str
    licence: str
    package: str
    pins: str
    python: str
    proof: str
    borrows: tuple[str, ...] = ()

    @property
    def constraints(self) -> Path:
        """The file of pinned versions."""
        return Path(__file__).with_name(self.pins)

    @property
    def digest(self) -> str:
        """The SHA-256 of what is installed, and of the versions of what is borrowed."""
        said = [self.package, *(f"{name}=={metadata.version(name)}" for name in self.borrows)]
        if self.borrows:
            said.append("python{}.{}".format(*sys.version_info))
        return sha256("\n".join(said).encode() + self.constraints.read_bytes()).hexdigest()

    @property
    def shelves(self) -> list[str]:
        """The folders in which borrowed packages lie; raises EngineError if one is missing."""
        specs = {name: find_spec(name) for name in self.borrows}
        if lost := [name for name, spec in specs.items() if spec is None or spec.origin is None]:
            raise EngineError(f"engine {self.name!r} needs {', '.join(lost)}, which is not here")
        origins = [spec.origin for spec in specs.values() if spec and spec.origin]
        return list(dict.fromkeys(str(Path(origin).parents[1]) for origin in origins))


SPLEETER: Final = Engine(
    name="spleeter",
    about="Deezer's own Spleeter, with TensorFlow; 2.4 GB",
    licence="MIT",
    package="spleeter==2.4.2",
    pins="spleeter.txt",
    python=">=3.8,<3.12",
    proof="spleeter.separator",
)
COQUI: Final = Engine(
    name="coqui",
    about="coqui-tts: voices in 40 languages, converters; 1.7 GB",
    licence="MPL-2.0",
    package="coqui-tts==0.28.0",
    pins="coqui.txt",
    python=">=3.11,<3.15",
    proof="TTS.utils.synthesizer",
    borrows=("torch", "torchaudio"),
)
ENGINES: Final[Mapping[str, Engine]] = {engine.name: engine for engine in (COQUI, SPLEETER)}


class Environments:
    """The engines of this user, in `root`.

    `root` is the environment variable `AUDIOPIPE_ENGINES` if it is not given, and else in the
    user's folder for data.
    """

    def __init__(
        self, root: str | Path | None = None, engines: Mapping[str, Engine] = ENGINES
    ) -> None:
        chosen = (
            root or os.environ.get("AUDIOPIPE_ENGINES") or user_data_path("audiopipe") / "engines"
        )
        self.root = Path(chosen).expanduser().absolute()
        self._engines = engines

    def engine(self, name: str) -> Engine:
        """What is known of an engine; raises EngineError for an unknown one."""
        if name not in self._engines:
            hint = did_you_mean(name, self._engines)
            raise EngineError(f"there is no engine {name!r}; {hint}")
        return self._engines[name]

    def folder(self, name: str) -> Path:
        """Where an engine's environment lies, or would lie."""
        return self.root / self.engine(name).name

    def state(self, name: str) -> State:
        """Whether an engine is there; `outdated` if this version wants other packages."""
        folder = self.folder(name)
        try:
            said = json.loads((folder / COMPLETE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return "incomplete" if folder.exists() else "not installed"
        right = isinstance(said, dict) and said.get("digest") == self.engine(name).digest
        return "installed" if right else "outdated"

    def python(self, name: str) -> Path:
        """The interpreter of an engine that is installed; raises EngineError, with the cure."""
        if (state := self.state(name)) != "installed":
            raise EngineError(f"engine {name!r} is {state}; run: audiopipe engines install {name}")
        return _interpreter(self.folder(name))

    def install(self, name: str, tell: Tell = lambda line: None) -> Path:
        """Make the environment of an engine, unless it is there; gives its interpreter.

        Raises EngineError: no Python that it runs under, no network, no room, or packages that do
        not work here. What was half made is then removed, or made anew the next time.
        """
        engine, folder = self.engine(name), self.folder(name)
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with FileLock(self.root / f".{name}.lock"):
                if self.state(name) != "installed":
                    self._make(engine, folder, tell)
        except OSError as error:
            raise EngineError(
                f"{folder}: cannot be made: {error}; name another folder in AUDIOPIPE_ENGINES"
            ) from None
        return _interpreter(folder)

    def remove(self, name: str) -> bool:
        """Remove the environment of an engine; False if there was none."""
        folder = self.folder(name)
        there = folder.exists()
        _discard(folder)
        return there

    def _make(self, engine: Engine, folder: Path, tell: Tell) -> None:
        base = _python_for(engine)
        _discard(folder)
        try:
            tell(f"making an environment with {base}")
            _run([base, "-m", "venv", str(folder)], engine, tell)
            python = str(_interpreter(folder))
            wanted = ["--constraint", str(engine.constraints), engine.package]
            if engine.borrows:  # pip would install what packages are to find elsewhere
                wanted = ["--no-deps", "--requirement", str(engine.constraints)]
            quiet = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
            _run([python, "-m", "pip", "install", *quiet, *wanted], engine, tell)
            tell(f"trying {engine.proof}")
            proof = f"import sys; sys.path += sys.argv[1:]; import {engine.proof}"
            _run([python, "-I", "-c", proof, *engine.shelves], engine, tell)
        except EngineError:
            _discard(folder)
            raise
        said = {"engine": engine.name, "digest": engine.digest, "python": base}
        part = folder / f"{COMPLETE}.part"
        part.write_text(json.dumps(said), encoding="utf-8")
        part.replace(folder / COMPLETE)


def _run(command: Sequence[str], engine: Engine, tell: Tell) -> None:
    """Run a command, and pass its lines on; raises EngineError with the last ones."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    lines: list[str] = []
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip())
            tell(lines[-1])
    if process.returncode:
        told = "\n  ".join(line for line in lines[-6:] if line)
        raise EngineError(
            f"engine {engine.name!r} could not be installed: {_cause(lines)}:\n  {told}"
        )


def _cause(lines: Sequence[str]) -> str:
    """Why an installation failed, as far as pip's words tell, and what to do."""
    said = "\n".join(lines)
    if "No space left" in said:
        return "the disk is full; name another folder in AUDIOPIPE_ENGINES"
    if any(word in said for word in ("NewConnectionError", "Failed to establish", "ProxyError")):
        return "there is no connection to the package index; run the command again with a network"
    if "No matching distribution" in said:
        return f"there are no packages for {platform.system()} on {platform.machine()}"
    return "its packages do not work here"


def _python_for(engine: Engine) -> str:
    """A Python that an engine runs under: this one, or the newest that is found by its name."""
    allowed = SpecifierSet(engine.python)
    if allowed.contains(platform.python_version()):
        return sys.executable
    if engine.borrows:
        raise EngineError(
            f"engine {engine.name!r} needs Python {engine.python}, and audiopipe runs under "
            f"{platform.python_version()}: install audiopipe under one of those"
        )
    for minor in reversed(MINORS):
        if allowed.contains(f"3.{minor}.0") and (found := shutil.which(f"python3.{minor}")):
            return found
    raise EngineError(
        f"engine {engine.name!r} needs Python {engine.python}, and none is found; install one "
        "(as python3.11, so that it is found by this name), and run the command again"
    )


def _interpreter(folder: Path) -> Path:
    parts = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return folder.joinpath(*parts)


def _discard(folder: Path) -> None:
    """Remove an environment; what says that it is complete first."""
    (folder / COMPLETE).unlink(missing_ok=True)
    if folder.exists():
        shutil.rmtree(folder)
