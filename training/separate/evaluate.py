"""How well a network takes whole songs apart.

    python -m training.separate.evaluate DATA/album/Sodium … --weights FILE

Plain SDR of each stem in clips of 30 s, in which it is heard: the median.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from audiopipe.nets.stems import AHEAD, HOP, STEMS, WINDOW, StemsNet

from .songs import RATE, Song, read_song

CLIP = 30
"""Seconds."""
FAINT = 1e-5
"""Power below which a stem is not there."""


@torch.inference_mode()
def separated(net: StemsNet, mix: Tensor) -> Tensor:
    """The stems of a piece of music: [2, samples] -> [stems, 2, samples]."""
    count = mix.shape[-1]
    window = torch.hann_window(WINDOW)
    frames = -(-count // HOP) + WINDOW // HOP - 1
    padded = torch.nn.functional.pad(mix, (WINDOW - HOP, (frames + AHEAD) * HOP - count))
    spectra = torch.fft.rfft(padded.unfold(-1, WINDOW, HOP) * window).mT[None]
    parts, state = [], None
    for stretch in spectra.split(256, -1):
        found, state = net(stretch, state)
        parts.append(found[0])
    stems = torch.cat(parts, -1)[..., AHEAD:][..., :frames]
    pieces = torch.fft.irfft(stems.mT) * window
    lasting = torch.zeros(*pieces.shape[:2], frames + WINDOW // HOP - 1, HOP)
    for index, quarter in enumerate(pieces.unflatten(-1, (-1, HOP)).unbind(-2)):
        lasting[:, :, index : index + frames] += quarter
    return lasting.flatten(-2)[..., WINDOW - HOP :][..., :count] / 1.5


def ratio(true: Tensor, found: Tensor) -> float:
    """SDR in decibels."""
    wrong = (true - found).square().sum() + 1e-9
    return float(10 * torch.log10((true.square().sum() + 1e-9) / wrong))


def clips(song: Song, most: int | None = None) -> list[Tensor]:
    """The stems of a song in clips: [stems, 2, samples]; of many, so many spread over the song."""
    count = CLIP * RATE
    starts = range(0, song.samples - count + 1, count)
    if most is not None and len(starts) > most:
        starts = [starts[round(i)] for i in np.linspace(1, len(starts) - 2, most)]
    return [
        torch.from_numpy(np.stack([song.stem(stem, start, count).T for stem in STEMS]))
        for start in starts
    ]


def evaluate(net: StemsNet, songs: list[Song], most: int | None = None) -> dict[str, list[float]]:
    """SDR of the clips by stem, and against the mix as `STEM-mix`."""
    found: dict[str, list[float]] = {}
    for song in songs:
        for stems in clips(song, most):
            mix = stems.sum(0)
            estimated = separated(net, mix)
            for stem, true, estimate in zip(STEMS, stems, estimated, strict=True):
                if true.square().mean() > FAINT:
                    found.setdefault(stem, []).append(ratio(true, estimate))
                    found.setdefault(f"{stem}-mix", []).append(ratio(true, mix))
    return found


def line(found: dict[str, list[float]]) -> str:
    """Medians in words."""
    return "; ".join(
        f"{stem} {np.median(found[stem]):.2f} ({np.median(found[f'{stem}-mix']):.2f})"
        for stem in STEMS
        if stem in found
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("songs", type=Path, nargs="+")
    parser.add_argument("--weights", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    facts = json.loads(arguments.weights.with_suffix(".json").read_text())
    net = StemsNet(**facts["settings"]).eval()
    net.load_state_dict({name: v.float() for name, v in load_file(arguments.weights).items()})
    for folder in arguments.songs:
        print(folder.name, line(evaluate(net, [read_song(folder)])))


if __name__ == "__main__":
    main()
