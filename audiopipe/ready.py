"""The definitions that come with audiopipe."""

from __future__ import annotations

from pathlib import Path

from audiopipe.errors import DefinitionError, Problem, did_you_mean

_PACKAGE = Path(__file__).parent
FOLDERS = (_PACKAGE / "ready", _PACKAGE.parent / "pipelines")
"""In the wheel, and in a source checkout."""


def ready_pipelines() -> dict[str, Path]:
    """The definitions that come with audiopipe, by name."""
    files = (file for folder in FOLDERS if folder.is_dir() for file in folder.glob("*.yaml"))
    return {file.stem: file for file in sorted(files)}


def find_definition(name: str | Path) -> Path:
    """A definition by its file, or by the name of a ready one; raises DefinitionError."""
    path = Path(name)
    if path.is_file():
        return path
    ready = ready_pipelines()
    if str(name) in ready:
        return ready[str(name)]
    hint = did_you_mean(str(name), ready)
    raise DefinitionError([Problem(f"{name}: there is no such file, nor a ready pipeline; {hint}")])
