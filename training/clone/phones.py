"""Which sound is each frame: `train.safetensors` and `held.safetensors` -> `phones.safetensors`.

    python -m training.clone.phones --data DATA

Hidden Markov models as in `training/speak/align.py`, on cepstra without their mean over the
utterance, as here many people speak. A class is one of three states of a sound; -1 where no text
is known.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from audiopipe.text import plain, segments
from audiopipe.voices.tokens import labels, tokens

from ..speak.align import Aligner, difference
from .data import Voices

LANGUAGE = "en"
BANDS, CEPSTRA = 85, 13
"""Bands below 7.6 kHz, which all recordings have."""
LEARNED = 900
"""Utterances that the aligner learns from, evenly drawn."""


def cepstra(mel: Tensor) -> Tensor:
    """Mel cepstra with first and second differences: [frames, bins] -> [frames, 3 * CEPSTRA]."""
    order = torch.arange(CEPSTRA)[:, None]
    cosines = torch.cos(math.pi / BANDS * order * (torch.arange(BANDS) + 0.5))
    still = cosines @ mel[:, :BANDS].float().clamp(min=-7.0).T / BANDS
    still = still - still.mean(1, keepdim=True)
    first = difference(still, 2)
    return torch.cat([still, first, difference(first, 2)]).T.contiguous()


def ids_of(text: str, names: tuple[str, ...]) -> Tensor | None:
    """Tokens of a text, None where it is not one sentence."""
    sentences = list(segments(plain(text, LANGUAGE)))
    return tokens(sentences[0], names).ids if len(sentences) == 1 else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of `prepare`")
    data = parser.parse_args().data
    torch.set_num_threads(1)
    names = labels(LANGUAGE)
    splits = {split: Voices.load(data / f"{split}.safetensors") for split in ("train", "held")}
    known: list[tuple[str, int, Tensor, Tensor]] = []
    for split, voices in splits.items():
        for number in range(len(voices)):
            one = voices[number]
            ids = ids_of(one.text, names) if one.text else None
            # Three frames a sound at least, or there is no path.
            if ids is not None and len(one.mel) > 3 * len(ids):
                known.append((split, number, cepstra(one.mel), ids))
    print(f"{len(known)} utterances with texts", flush=True)
    learned = [row for row in known if row[0] == "train"]
    learned = learned[:: max(1, len(learned) // LEARNED)]
    aligner = Aligner(names)
    heard, said = [row[2] for row in learned], [row[3] for row in learned]
    for number, likelihood in enumerate(aligner.train(heard, said)):
        print(f"round {number}: {likelihood:.3f} a frame", flush=True)
    found = {split: torch.full((len(voices.mel),), -1).short() for split, voices in splits.items()}
    for first in range(0, len(known), 512):
        part = known[first : first + 512]
        order = sorted(part, key=lambda row: len(row[2]))
        for at in range(0, len(order), 64):
            group = order[at : at + 64]
            paths = aligner.paths([row[2] for row in group], [row[3] for row in group])
            for (split, number, _, ids), path in zip(group, paths, strict=True):
                begin, end = splits[split].spans[number].tolist()
                found[split][begin:end] = aligner.states(ids)[path].short()
    save_file(found, data / "phones.safetensors", metadata={"classes": str(aligner.count)})
    print(f"{aligner.count} classes, {(found['train'] >= 0).float().mean():.1%} of frames known")


if __name__ == "__main__":
    main()
