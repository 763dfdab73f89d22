"""The folder of a taught model: card and weights, whole or not at all."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from torch import Tensor

from audiopipe.cards import CARD, Card, Licence, ModelFile, TrainingSet
from audiopipe.errors import OutputError
from audiopipe.io.atomic import TEMPORARY, output_error
from audiopipe.networks import WEIGHTS
from audiopipe.teaching.base import OTHERS, Base
from audiopipe.teaching.head import Head

OURS = {CARD, WEIGHTS, OTHERS, ".DS_Store", "Thumbs.db"}
"""What a folder may hold that is replaced as a whole."""


def check_output(folder: Path, overwrite: bool) -> None:
    """Raise OutputError where no model can be put; only models are ever overwritten."""
    try:
        _check_place(folder, overwrite)
        # It is tried, as permissions alone do not tell.
        temporary = _temporary(folder.absolute())
        temporary.mkdir()
        temporary.rmdir()
    except OSError as error:
        raise output_error(folder.absolute(), error) from None


def _check_place(folder: Path, overwrite: bool) -> None:
    if not folder.exists():
        parent = folder.absolute().parent
        if not parent.is_dir():
            raise OutputError(folder, f"there is no folder {parent}; create it first")
        return
    if not folder.is_dir():
        raise OutputError(folder, "is a file; name a folder for the model")
    if not (folder / CARD).is_file():
        if any(folder.iterdir()):
            raise OutputError(folder, "is there, and is no model; name another folder")
    elif not overwrite:
        raise OutputError(folder, "is there already; use --force (overwrite=True) to replace it")
    elif more := sorted({path.name for path in folder.iterdir()} - OURS):
        raise OutputError(
            folder, f"holds more than a model ({more[0]!r}), which would be lost; move it away"
        )


def model_name(folder: Path) -> str:
    """A name for the card that a card may have.

    >>> model_name(Path("x/my words!"))
    'my-words'
    """
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", folder.absolute().name).strip("-._")
    return plain or "words"


def write_model(
    folder: Path,
    base: Base,
    head: Head,
    labels: Sequence[str],
    *,
    threshold: float,
    about: str,
    licence: str,
    recipe: str,
    figures: Mapping[str, str | int | float],
) -> None:
    """Write card and weights to `folder`, in place of a model that is there.

    Raises OutputError, and then leaves things as they were.
    """
    from safetensors.torch import save

    bytes_ = save(_with_head(base.net.state_dict(), head), {"format": "pt"})
    card = Card(
        name=model_name(folder),
        about=about,
        task=base.card.task,
        network=base.card.network,
        settings={**base.card.settings, "threshold": threshold},
        rate=base.card.rate,
        labels=tuple(labels),
        files=(ModelFile(name=WEIGHTS, size=len(bytes_), sha256=sha256(bytes_).hexdigest()),),
        # All but the last layer is the base's, and so is the licence.
        licence=Licence(**base.card.licence.model_dump()),
        data=(
            TrainingSet(
                name="own recordings", licence=licence, source=f"made for {model_name(folder)}"
            ),
            *base.card.data,
        ),
        recipe=recipe,
        figures=figures,
        citation=base.card.citation,
    )
    _place(folder, {WEIGHTS: bytes_, CARD: as_toml(card).encode()})


def _with_head(weights: Mapping[str, Tensor], head: Head) -> dict[str, Tensor]:
    new = {"head.weight": head.weight, "head.bias": head.bias}
    return {name: new.get(name, tensor).contiguous() for name, tensor in weights.items()}


def _place(folder: Path, files: Mapping[str, bytes]) -> None:
    folder = folder.absolute()
    temporary = _temporary(folder)
    old = temporary.with_suffix(".old")
    try:
        temporary.mkdir()
        for name, content in files.items():
            (temporary / name).write_bytes(content)
        if folder.exists():
            folder.rename(old)
        try:
            temporary.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise
    except OSError as error:
        raise output_error(folder, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def _temporary(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.{secrets.token_hex(4)}{TEMPORARY}")


def as_toml(card: Card) -> str:
    """A card as the text of `card.toml`: what is not stated is left out."""
    data = card.model_dump(mode="json", exclude_defaults=True)
    tables = {key: value for key, value in data.items() if isinstance(value, dict)}
    lists = {
        key: value
        for key, value in data.items()
        if isinstance(value, list) and value and isinstance(value[0], dict)
    }
    lines = [_pair(key, data[key]) for key in data if key not in {**tables, **lists}]
    for key, table in tables.items():
        lines += ["", f"[{key}]", *(_pair(*pair) for pair in table.items())]
    for key, items in lists.items():
        for item in items:
            lines += ["", f"[[{key}]]", *(_pair(*pair) for pair in item.items())]
    return "\n".join(lines) + "\n"


def _pair(key: str, value: Any) -> str:
    plain = re.fullmatch(r"[A-Za-z0-9_-]+", key)
    return f"{key if plain else _string(key)} = {_value(value)}"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return _string(str(value))


def _string(text: str) -> str:
    """A basic string of TOML.

    >>> _string('a "b"')
    '"a \\\\"b\\\\""'
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    escaped = re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\u{ord(found[0]):04x}", escaped)
    return f'"{escaped}"'
