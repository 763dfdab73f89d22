"""Foreign checkpoints, converted once to safetensors."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path

from filelock import FileLock

from audiopipe.errors import ModelError
from audiopipe.models import Store

log = logging.getLogger(__name__)


def converted(model: str, make: Callable[[Mapping[str, Path], Path], None]) -> Path:
    """The safetensors file of a model whose card marks files with `convert`, made if need be.

    `make` reads these files, by name, and writes the target. What is made lies beside them under a
    name that follows from their hashes, so that it is made anew when they change; it is renamed
    when it is whole. Raises ModelError where nothing is to be converted, what `Store.path` raises,
    and what `make` raises.
    """
    store = Store()
    foreign = [file for file in store.card(model).files if file.convert]
    if not foreign:
        raise ModelError(f"model {model!r}: its card marks no file with `convert = true`")
    sources = {file.name: store.path(model, file.name) for file in foreign}
    digest = sha256("".join(file.sha256 for file in foreign).encode()).hexdigest()[:16]
    target = sources[foreign[0].name].parent / f"converted-{digest}.safetensors"
    if target.exists():
        return target
    with FileLock(target.with_suffix(".lock")):
        if not target.exists():
            log.info("converting %s to %s", ", ".join(sources), target.name)
            part = target.with_suffix(".part")
            try:
                make(sources, part)
                part.replace(target)
            finally:
                part.unlink(missing_ok=True)
    return target
