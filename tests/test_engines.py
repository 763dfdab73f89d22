"""Engines in environments of their own: made whole, or not at all."""

import json
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy
import pytest
import torch
from typer.testing import CliRunner

from audiopipe.cli import app
from audiopipe.engines import environments
from audiopipe.engines.environments import COMPLETE, COQUI, SPLEETER, Engine, Environments
from audiopipe.errors import EngineError


@pytest.fixture
def pins(tmp_path, monkeypatch):
    """A file of pins for the engine of these tests."""
    path = tmp_path / "toy.txt"
    path.write_text("toy==1.0\n")
    monkeypatch.setattr(Engine, "constraints", property(lambda engine: path))
    return path


@pytest.fixture
def toy(pins):
    return Engine("toy", "A toy.", "MIT", "toy==1.0", pins.name, ">=3.8", "toy")


@pytest.fixture
def commands(monkeypatch):
    """What would be run; `fail` names a word at which it fails."""

    class Commands(list):
        fail = ""
        interrupt = ""

        def run(self, command, engine, tell):
            self.append(command)
            tell(command[2])
            if "venv" in command:
                folder = environments.Path(command[-1])
                (folder / "bin").mkdir(parents=True)
            if self.interrupt and self.interrupt in command:
                raise KeyboardInterrupt
            if self.fail and self.fail in command:
                raise EngineError("it failed")

    found = Commands()
    monkeypatch.setattr(environments, "_run", found.run)
    return found


@pytest.fixture
def here(tmp_path, toy):
    return Environments(tmp_path / "engines", {"toy": toy})


def test_install_and_remove(here, commands):
    told = []
    assert here.state("toy") == "not installed"
    python = here.install("toy", told.append)
    assert here.state("toy") == "installed"
    assert here.python("toy") == python == here.folder("toy") / "bin" / "python"
    venv, pip, proof = commands
    assert venv[1:3] == ["-m", "venv"]
    assert pip[-1] == "toy==1.0"
    assert "--constraint" in pip
    assert proof[-1].endswith("import toy")
    assert here.remove("toy")
    assert here.state("toy") == "not installed"
    assert not here.remove("toy")


def test_what_is_there_is_not_made_again(here, commands):
    here.install("toy")
    here.install("toy")
    assert len(commands) == 3


@pytest.mark.parametrize("stop", ["venv", "pip", "-c"])
def test_an_interrupted_installation_is_no_engine(here, commands, stop):
    commands.interrupt = stop
    with pytest.raises(KeyboardInterrupt):
        here.install("toy")
    assert here.state("toy") == "incomplete"
    with pytest.raises(EngineError, match="is incomplete; run: audiopipe engines install toy"):
        here.python("toy")
    commands.interrupt = ""
    (here.folder("toy") / "left over").write_text("x")
    here.install("toy")
    assert here.state("toy") == "installed"
    assert not (here.folder("toy") / "left over").exists()


@pytest.mark.parametrize("stop", ["venv", "pip", "-c"])
def test_what_fails_leaves_nothing(here, commands, stop):
    commands.fail = stop
    with pytest.raises(EngineError, match="it failed"):
        here.install("toy")
    assert here.state("toy") == "not installed"


def test_other_pins_make_it_outdated(here, commands, pins):
    here.install("toy")
    pins.write_text("toy==1.0\nball==2.0\n")
    assert here.state("toy") == "outdated"
    with pytest.raises(EngineError, match="is outdated"):
        here.python("toy")
    here.install("toy")
    assert here.state("toy") == "installed"


def test_a_damaged_note_is_no_engine(here, commands):
    here.install("toy")
    (here.folder("toy") / COMPLETE).write_text("{")
    assert here.state("toy") == "incomplete"


def test_unknown_engines(here):
    with pytest.raises(EngineError, match="there is no engine 'toi'; did you mean 'toy'"):
        here.state("toi")


def test_no_python_that_fits(here, toy, commands, monkeypatch):
    monkeypatch.setattr(environments.shutil, "which", lambda name: None)
    old = Environments(here.root, {"toy": replace(toy, python=">=3.8,<3.9")})
    with pytest.raises(EngineError, match=r"needs Python >=3\.8,<3\.9, and none is found"):
        old.install("toy")
    assert commands == []


def test_the_newest_python_that_fits(here, toy, commands, monkeypatch):
    asked = []
    monkeypatch.setattr(environments.platform, "python_version", lambda: "3.13.1")
    monkeypatch.setattr(
        environments.shutil,
        "which",
        lambda name: asked.append(name) or ("/opt/python3.9" if name == "python3.9" else None),
    )
    Environments(here.root, {"toy": replace(toy, python=">=3.8,<3.12")}).install("toy")
    assert asked == ["python3.11", "python3.10", "python3.9"]
    assert commands[0][0] == "/opt/python3.9"


def test_what_is_borrowed_is_not_installed(here, toy, commands, pins):
    borrower = Environments(here.root, {"toy": replace(toy, borrows=("torch", "numpy"))})
    borrower.install("toy")
    _, pip, proof = commands
    assert pip[-3:] == ["--no-deps", "--requirement", str(pins)]
    places = {str(environments.Path(package.__file__).parents[1]) for package in (torch, numpy)}
    assert set(proof[proof.index("-c") + 2 :]) == places


def test_another_version_of_what_is_borrowed_makes_it_outdated(here, toy, commands, monkeypatch):
    borrower = Environments(here.root, {"toy": replace(toy, borrows=("torch",))})
    borrower.install("toy")
    assert borrower.state("toy") == "installed"
    monkeypatch.setattr(environments.metadata, "version", lambda name: "99.0")
    assert borrower.state("toy") == "outdated"


def test_what_is_borrowed_must_be_here(toy):
    with pytest.raises(EngineError, match="needs no_such_package, which is not here"):
        _ = replace(toy, borrows=("no_such_package",)).shelves


def test_a_borrower_runs_under_the_same_python(here, toy, commands, monkeypatch):
    monkeypatch.setattr(environments.shutil, "which", lambda name: f"/opt/{name}")
    borrower = replace(toy, python=">=3.8,<3.9", borrows=("torch",))
    with pytest.raises(EngineError, match="audiopipe runs under"):
        Environments(here.root, {"toy": borrower}).install("toy")


def test_no_room(toy, tmp_path, commands):
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError, match=r"cannot be made.*AUDIOPIPE_ENGINES"):
        Environments(tmp_path / "file" / "engines", {"toy": toy}).install("toy")


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("WARNING: … NewConnectionError: Failed to establish", "no connection to the package"),
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("ERROR: No matching distribution found for toy", "there are no packages for"),
        ("ImportError: libtoy.so", "do not work here"),
    ],
)
def test_why_it_failed(toy, said, cause):
    told = []
    command = [sys.executable, "-c", f"print({said!r}); raise SystemExit(3)"]
    with pytest.raises(EngineError, match=cause) as refused:
        environments._run(command, toy, told.append)
    assert told == [said]
    assert said in str(refused.value)


def test_from_the_command_line(here, toy, commands, monkeypatch):
    monkeypatch.setenv("AUDIOPIPE_ENGINES", str(here.root))
    run = CliRunner().invoke
    rows = json.loads(run(app, ["engines", "list", "--json"]).stdout)
    assert [(row["name"], row["state"]) for row in rows] == [
        ("coqui", "not installed"),
        ("spleeter", "not installed"),
    ]
    result = run(app, ["engines", "install", "spleeter"])
    assert result.exit_code == 0, result.output
    assert f"spleeter: installed in {here.root / 'spleeter'}" in result.output
    assert "installed" in run(app, ["engines", "list"]).stdout
    assert "spleeter: removed" in run(app, ["engines", "remove", "spleeter"]).stdout
    assert "was not installed" in run(app, ["engines", "remove", "spleeter"]).stdout
    assert isinstance(run(app, ["engines", "install", "spleter"]).exception, EngineError)


@pytest.mark.parametrize("engine", [SPLEETER, COQUI])
def test_pins_name_a_version_each(engine):
    lines = engine.constraints.read_text().splitlines()[1:]
    assert all("==" in line for line in lines)
    assert engine.package in lines
    assert not {line.split("==")[0] for line in lines} & set(engine.borrows)


@pytest.mark.slow
def test_a_real_environment(here, tmp_path, monkeypatch):
    """A package from a folder, without a network; it is there, and ours are not."""
    wheel = tmp_path / "wheels" / "toy-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("toy.py", "VALUE = 7\n")
        about = "Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n"
        file.writestr("toy-1.0.dist-info/METADATA", about)
        file.writestr("toy-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        file.writestr("toy-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    python = here.install("toy")
    said = subprocess.run(
        [python, "-c", "import toy; print(toy.VALUE); import torch"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.stdout == "7\n"
    assert "No module named 'torch'" in said.stderr
