"""Which stages there are: ours by the name of their file, plug-ins by entry point."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from types import ModuleType

from audiopipe import stages
from audiopipe.errors import AudiopipeError, did_you_mean
from audiopipe.stage import Stage

GROUP = "audiopipe.stages"


class UnknownStageError(AudiopipeError):
    """No stage has this name."""

    exit_code = 2


@cache
def stage_names() -> tuple[str, ...]:
    """The names of all stages, sorted, without importing them."""
    ours = {module.name for module in pkgutil.iter_modules(stages.__path__)}
    return tuple(sorted(ours | {entry.name for entry in entry_points(group=GROUP)}))


@cache
def find_stage(name: str) -> type[Stage]:
    """The stage of this name.

    Raises UnknownStageError, which says what may have been meant.

    >>> find_stage("mix").name
    'mix'
    """
    if name not in stage_names():
        hint = did_you_mean(name, stage_names())
        raise UnknownStageError(f"there is no stage {name!r}; {hint}")
    for entry in entry_points(group=GROUP):
        if entry.name == name:
            plugin: type[Stage] = entry.load()
            return plugin
    return _stage_of(import_module(f"{stages.__name__}.{name}"), name)


def _stage_of(module: ModuleType, name: str) -> type[Stage]:
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Stage) and vars(value).get("name") == name:
            return value
    raise UnknownStageError(f"{module.__name__} defines no stage with the name {name!r}")
