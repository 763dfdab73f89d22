"""Accuracy on clips of held-out speakers, by group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from audiopipe.nets.keywords import KeywordNet
from audiopipe.stages.keywords import log_mel

from .clips import COMMANDS, LABELS, RATE, SILENCE, SPEECH, UNKNOWN

if TYPE_CHECKING:
    from .batches import Source


@dataclass(frozen=True)
class HeldOut:
    """Clips [n, samples] of held-out speakers, the label of each, and its group."""

    clips: Tensor
    labels: Tensor
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Figures:
    """How many of a group were right."""

    right: dict[str, int]
    count: dict[str, int]
    confusion: Tensor

    def line(self) -> str:
        shares = (f"{g} {100 * self.right[g] / n:.1f} ({n})" for g, n in self.count.items())
        return ", ".join(shares)

    def data(self) -> dict[str, object]:
        return {
            "labels": LABELS,
            "right": self.right,
            "count": self.count,
            "confusion": self.confusion.tolist(),
        }


def group(source: str, label: str, speaker: str) -> str:
    """The group that a held-out clip is counted in."""
    if label in COMMANDS:
        return "commands"
    if label in (UNKNOWN, SILENCE):
        return label.strip("_")
    if speaker.startswith("fsdd"):
        return "digits-fsdd"
    return "digits" if source == "shared" else f"digits-{source}"


def validation(sources: Sequence[Source], most: int = 1500) -> HeldOut:
    """The held-out real clips of all sources as they are, and silence."""
    clips, labels, groups = [], [], []
    random = np.random.default_rng(0)
    for source in sources:
        data = source.data
        if source.name.startswith(("synthetic", "revoiced")):
            continue
        rows = np.flatnonzero(data["split"] == "val")
        for row in random.permutation(rows)[:most] if source.name != "shared" else rows:
            label, speaker = str(data["label"][row]), str(data["speaker"][row])
            length = int(data["length"][row])
            clips.append(second(data["samples"][row][:length]))
            labels.append(LABELS.index(label))
            groups.append(group(source.name, label, speaker))
        for piece, kind, split, length in zip(
            *(data[key] for key in ("long", "long_kind", "long_split", "long_length")),
            strict=True,
        ):
            if split == "val":
                speech = kind == SPEECH
                for at in range(0, int(length) - RATE, 2 * RATE):
                    clips.append(second(piece[at : at + RATE]))
                    labels.append(LABELS.index(UNKNOWN if speech else SILENCE))
                    groups.append("speech" if speech else "silence")
    return HeldOut(torch.from_numpy(np.stack(clips)), torch.tensor(labels), tuple(groups))


def second(samples: np.ndarray) -> np.ndarray:
    """A clip as a second: longer ones cut, shorter ones in the middle of silence."""
    samples = samples[:RATE]
    before = (RATE - len(samples)) // 2
    padded = np.zeros(RATE, np.float32)
    padded[before : before + len(samples)] = samples.astype(np.float32) / 32768
    return padded


def evaluate(net: KeywordNet, held_out: HeldOut) -> Figures:
    """Count what a network gets right."""
    with torch.inference_mode():
        parts = [net.eval()(log_mel(part)).argmax(1) for part in held_out.clips.split(256)]
    heard = torch.cat(parts)
    confusion = torch.zeros(len(LABELS), len(LABELS), dtype=torch.long)
    confusion.index_put_((held_out.labels, heard), torch.tensor(1), accumulate=True)
    right: dict[str, int] = {}
    count: dict[str, int] = {}
    hits = (heard == held_out.labels).tolist()
    for name, hit in zip(held_out.groups, hits, strict=True):
        right[name] = right.get(name, 0) + hit
        count[name] = count.get(name, 0) + 1
    return Figures(right, count, confusion)
