"""What recipes end with: a model's folder, with its weights and `card.toml`.

Nothing in a card is typed by hand: it is read from the run (`last.json`), from measured figures and
from the recipe's `sets.toml`, so that it cannot disagree with them.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import Tensor


def write_card(
    run: Path,
    to: Path,
    sets: Path,
    weights: Mapping[str, Tensor],
    figures: Mapping[str, Any],
    *,
    about: Mapping[str, Any],
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Write `weights` into the folder `to`, and the card that tells what is known of them.

    `about` says what the model is (`task`, `network`, `rate`, …) and `settings` what a network is
    made with besides what the run tells. The table `sources` in `sets` tells of the sets that a run
    may name, `always` of those that every run has.
    """
    facts = json.loads((run / "last.json").read_text())
    known = tomllib.loads(sets.read_text("utf-8"))
    model = known["model"]
    head = {"about": model["about"], **about}
    head |= {"recipe": f"training/{sets.parent.name}", "citation": model["citation"]}
    write_model(
        to,
        save(dict(weights), {"format": "pt"}),
        head,
        {**facts["settings"], **(settings or {})},
        {"name": model["licence"], "url": model["url"], "commercial": True},
        _data(known, facts["sources"]),
        {"parameters": facts["parameters"], "steps": facts["step"], **figures},
    )


def write_model(
    to: Path,
    content: bytes,
    head: Mapping[str, Any],
    settings: Mapping[str, Any],
    licence: Mapping[str, Any],
    data: Iterable[Mapping[str, str]],
    figures: Mapping[str, Any],
) -> None:
    """Write `content`, the weights as a file, and the card, table by table, into a folder."""
    to.mkdir(parents=True, exist_ok=True)
    (to / "weights.safetensors").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    tables = [
        ("", {"name": to.name, **head}),
        ("[settings]", settings),
        ("[[files]]", {"name": "weights.safetensors", "size": len(content), "sha256": digest}),
        ("[licence]", licence),
        *(("[[data]]", told) for told in data),
        ("[figures]", {_written(key): value for key, value in figures.items()}),
    ]
    (to / "card.toml").write_text("\n".join(_table(*table) for table in tables), "utf-8")


def _data(known: Mapping[str, Any], used: Iterable[str]) -> list[dict[str, str]]:
    """What is known of the sets that a run was given as `NAME=…`, each once.

    A name counts from its beginning: parts of a set need no entries of their own.
    """
    told: list[Mapping[str, str]] = []
    for source in used:
        name = source.partition("=")[0]
        fitting = [stem for stem in known["sources"] if name.startswith(stem)]
        own = {"name": name, "licence": "not stated", "source": "given to the recipe"}
        told += known["sources"][max(fitting, key=len)] if fitting else [own]
    told += known.get("always", [])
    rows = [{key: made_of[key] for key in ("name", "licence", "source")} for made_of in told]
    return [row for at, row in enumerate(rows) if row not in rows[:at]]


def _table(header: str, table: Mapping[str, Any]) -> str:
    rows = [f"{key} = {_written(value)}\n" for key, value in table.items()]
    return "".join([f"{header}\n" if header else "", *rows])


def _written(value: Any) -> str:
    # What JSON writes of strings, numbers, booleans and lists means the same in TOML.
    return json.dumps(value, ensure_ascii=False)
