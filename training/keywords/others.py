"""What the network hears of sounds that nobody taught, for `audiopipe teach`.

    python -m training.keywords.others models/keywords-18 ../shared/keywords [FOLDER...]

Writes `others.safetensors` beside the weights, features [n, features] by word, and names it in
the card. Of each word a few clips of the training split are taken, half of them in noise;
`_speech_`, `_music_` and `_noise_` are taken by the second. A `manifest.csv` with the columns
`path` and `text` (or `word`) tells what is said in `_unknown_`.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from audiopipe.teaching.augment import augment, the_second
from audiopipe.teaching.base import OTHERS, Base
from audiopipe.teaching.noises import made_up_noises
from audiopipe.teaching.seconds import CONTEXT, around_the_sound

from .clips import LONG, UNKNOWN, Clip, find_clips, read

OF_A_WORD = 24
"""Clips of a word, at most."""
IN_ALL = 600
"""Clips of words that have fewer, all together; and seconds of each kind of long recordings."""


def said(folder: Path) -> dict[Path, str]:
    """What is said in each file, as far as `manifest.csv` tells."""
    manifest = folder / "manifest.csv"
    if not manifest.exists():
        return {}
    with manifest.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {folder / row["path"]: row.get("text") or row["word"] for row in rows}


def choose(clips: Iterable[tuple[str, Path]], random: torch.Generator) -> list[tuple[str, Path]]:
    """Which clips of words are taken, each with its word."""
    found: dict[str, list[Path]] = defaultdict(list)
    for word, path in clips:
        found[word].append(path)
    chosen, rare = [], []
    for word, paths in sorted(found.items()):
        order = torch.randperm(len(paths), generator=random).tolist()
        some = [(word, paths[k]) for k in order[:OF_A_WORD]]
        (chosen if len(some) == OF_A_WORD else rare).extend(some)
    order = torch.randperm(len(rare), generator=random).tolist()
    return chosen + [rare[k] for k in order[:IN_ALL]]


def seconds(paths: list[Path], random: torch.Generator) -> Iterator[Tensor]:
    """Pieces of two seconds [32000], evenly from long recordings, at random places."""
    for path in paths[:IN_ALL]:
        samples = torch.from_numpy(read(path))
        for _ in range(min(-(-IN_ALL // len(paths)), len(samples) // CONTEXT)):
            at = int(torch.randint(len(samples) - CONTEXT + 1, (1,), generator=random))
            yield samples[at : at + CONTEXT]


def write_others(model: Path, folders: list[Path], without: str = "", seed: int = 0) -> None:
    """Write the file, and name it in the card."""
    random = torch.Generator().manual_seed(seed)
    base = Base.load(str(model.absolute()))
    long: dict[str, list[Path]] = defaultdict(list)
    words = []
    for name, path in (each for folder in folders for each in _named(folder, without)):
        if name in LONG:
            long[name].append(path)
        else:
            words.append((name, path))
    sounds = [
        (word, around_the_sound(torch.from_numpy(read(path))))
        for word, path in choose(words, random)
    ]
    for kind, paths in sorted(long.items()):
        sounds += [(kind, piece) for piece in seconds(paths, random)]
    pieces = torch.stack([piece for _, piece in sounds])
    spoilt = augment(pieces, made_up_noises(128, random), random)
    in_noise = torch.rand(len(pieces), 1, generator=random) < 0.5
    heard = base.hear(torch.where(in_noise, spoilt, the_second(pieces))).half()
    rows: dict[str, list[Tensor]] = defaultdict(list)
    for (name, _), row in zip(sounds, heard, strict=True):
        rows[name].append(row)
    content = save({name: torch.stack(rows[name]) for name in sorted(rows)})
    (model / OTHERS).write_bytes(content)
    _name_in_card(model)


def _named(folder: Path, without: str) -> Iterator[tuple[str, Path]]:
    words = said(folder)
    for clip in find_clips(folder):
        if fnmatch(clip.speaker, without):
            continue
        if clip.split == "train" or clip.word in LONG:
            word = words.get(clip.path, clip.word) if clip.word == UNKNOWN else _kind(clip)
            if word != UNKNOWN:
                yield word, clip.path


def _kind(clip: Clip) -> str:
    return "_noise_" if clip.word == "_background_noise_" else clip.word


def _name_in_card(model: Path) -> None:
    content = (model / OTHERS).read_bytes()
    card = model / "card.toml"
    named = rf'\n\[\[files\]\]\nname = "{re.escape(OTHERS)}"\n.*\n.*\n'
    rest = re.sub(named, "", card.read_text("utf-8"))
    digest = hashlib.sha256(content).hexdigest()
    card.write_text(
        f'{rest}\n[[files]]\nname = "{OTHERS}"\nsize = {len(content)}\nsha256 = "{digest}"\n',
        "utf-8",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--without", default="", help="speakers that are left out, as a pattern")
    arguments = parser.parse_args()
    write_others(arguments.model, arguments.folders, arguments.without)


if __name__ == "__main__":
    main()
