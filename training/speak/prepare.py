"""Recordings and their texts -> `train.safetensors` and `test.safetensors`: tokens, how long each
is, its f0 and energy, and log-mel frames.

    python -m training.speak.prepare kathleen=FOLDER --to DATA

The aligner learns from the training recordings alone; the held-out ones are aligned with it, for
the evaluation. What is prepared already is kept.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pyworld
import torch
from torch import Tensor

from audiopipe.nets.frames import LogMel, MelConfig
from audiopipe.voices.tokens import JOINT, MARKS, PAUSE, labels

from .align import HOP, Aligner, cepstra
from .corpus import Recording, Source, read_corpus
from .data import Spoken, Voice, load, save

SPEED = 4
"""By how much the first search for f0 is decimated; it is made exact afterwards."""
LEARNED = 250
"""Recordings that the aligner learns from, evenly drawn: more make no difference."""
HEAD, TAIL = 6, 16
"""Frames that are kept of the quiet before and behind a sentence."""
SHORTEST = 4
"""Frames of a silence between two words: a shorter one is a part of the sounds beside it."""
STOPS = ("p", "t", "k", "b", "d", "ɡ", "g", "t͡ʃ", "d͡ʒ", "p͡f", "t͡s", "ʔ")
"""Sounds that begin with a silence."""


def f0_of(audio: Tensor, config: MelConfig, pitch: tuple[float, float]) -> Tensor:
    """f0 of each frame in Hz, 0 where there is none within `pitch`: [time] -> [frames]."""
    half = config.hop // 2
    samples = audio[half:].double().numpy()
    period = 1000 * config.hop / config.rate
    low, high = pitch
    raw, times = pyworld.dio(
        samples, config.rate, f0_floor=low, f0_ceil=high, frame_period=period, speed=SPEED
    )
    found = pyworld.stonemask(samples, raw, times, config.rate)
    return torch.from_numpy(found).float()


def whole_frames(starts: Tensor, names: list[str], hop: int) -> Tensor:
    """Boundaries of tokens in fine frames -> in frames of `hop` samples, [n + 1]; each sound has
    one at least, and no silence is shorter than SHORTEST."""
    edges = (starts.double() * HOP / hop).round().long()
    for k in range(1, len(names) - 1):
        if names[k] in (JOINT, PAUSE) and 0 < edges[k + 1] - edges[k] < SHORTEST:
            middle = (edges[k] + edges[k + 1]) // 2
            edges[k : k + 2] = edges[k] if names[k + 1] in STOPS else middle
    for k in range(len(names)):
        if names[k] not in MARKS:
            edges[k + 1] = max(edges[k + 1], edges[k] + 1)
        edges[k + 1] = max(edges[k + 1], edges[k])
    return edges


def by_token(values: Tensor, edges: Tensor, chosen: Tensor) -> Tensor:
    """Mean of `values` [frames] over the chosen frames of each token, over all of them where none
    is chosen, and at the place of a token that has no frames: [n]."""
    out = []
    for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        last = max(last, first + 1)
        part, own = values[first:last], chosen[first:last]
        out.append((part[own] if own.any() else part).mean() if len(part) else values[-1])
    return torch.stack(out)


def through(values: Tensor, known: Tensor) -> Tensor:
    """`values` [frames] where they are known, and straight lines between."""
    places = np.arange(len(values))
    held = known.numpy()
    if not held.any():
        return torch.zeros_like(values)
    return torch.from_numpy(np.interp(places, places[held], values.numpy()[held])).float()


def describe(
    recording: Recording,
    starts: Tensor,
    names: list[str],
    listen: LogMel,
    pitch: tuple[float, float],
) -> Spoken:
    """All that training needs of a recording, given when each of its tokens begins."""
    config = listen.config
    audio = recording.samples()
    mel = listen(audio[None])[0].T
    edges = whole_frames(starts, names, config.hop).clamp(max=len(mel))
    first = max(0, int(edges[1]) - HEAD)
    last = min(len(mel), int(edges[-2]) + TAIL)
    edges = edges.clamp(first, last) - first
    last = first + int(edges[-1])
    mel = mel[first:last]
    hz = torch.nn.functional.pad(f0_of(audio, config, pitch), (0, 2))[first:last]
    voiced = hz > 0
    semitones = through(12 * torch.log2(hz.clamp(min=1.0)), voiced)
    decibels = 10 * torch.log10((2 * mel).exp().sum(1))
    everything = torch.ones_like(voiced)
    return Spoken(
        name=recording.name,
        first=first,
        ids=recording.ids,
        frames=edges.diff(),
        f0=by_token(semitones, edges, voiced),
        energy=by_token(decibels, edges, everything),
        mel=mel,
        hz=hz,
    )


def aligned(corpus: list[Recording], known: list[int], names: list[str]) -> list[Tensor]:
    """When the tokens of each recording begin, found by an aligner that learns from the `known`."""
    heard = [cepstra(recording.samples()) for recording in corpus]
    aligner, learned = Aligner(names), known[:: max(1, len(known) // LEARNED)]
    for number, likelihood in enumerate(
        aligner.train([heard[k] for k in learned], [corpus[k].ids for k in learned])
    ):
        print(f"round {number}: {likelihood:.3f} a frame", flush=True)
    return aligner.align(heard, [recording.ids for recording in corpus])


def timing(folder: Path) -> dict[str, Tensor]:
    """When the tokens of prepared recordings begin, by name."""
    found, fine = {}, MelConfig.hop // HOP
    for split in ("train", "test"):
        for one in load(folder / f"{split}.safetensors")[0]:
            edges = torch.nn.functional.pad(one.frames.cumsum(0), (1, 0))
            found[one.name] = (one.first + edges) * fine
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Source.of, metavar="NAME=FOLDER", help="a set of sets.toml")
    parser.add_argument("--to", type=Path, required=True, metavar="DATA")
    parser.add_argument("--limit", type=int, help="so many recordings only, to try it")
    parser.add_argument(
        "--timing",
        type=Path,
        metavar="DATA",
        help="prepared recordings of the same names and times",
    )
    arguments = parser.parse_args()
    if all((arguments.to / f"{split}.safetensors").exists() for split in ("train", "test")):
        return

    source = arguments.source
    names = labels(source.language)
    corpus = read_corpus(source)
    if arguments.limit:
        corpus = corpus[:: max(1, len(corpus) // arguments.limit)]
    begun = time.process_time()
    known = [k for k, recording in enumerate(corpus) if not recording.held_out]
    if arguments.timing:
        times = timing(arguments.timing)
        starts = [times[recording.name] for recording in corpus]
    else:
        starts = aligned(corpus, known, names)
    print(f"aligned, {time.process_time() - begun:.0f} s", flush=True)
    listen = LogMel(MelConfig())
    made = [
        describe(recording, start, [names[k] for k in recording.ids.tolist()], listen, source.pitch)
        for recording, start in zip(corpus, starts, strict=True)
    ]
    print(f"described, {time.process_time() - begun:.0f} s", flush=True)
    voice = Voice.measured([made[k] for k in known])
    kept = set(known)
    for split, chosen in (("train", kept), ("test", set(range(len(made))) - kept)):
        path = arguments.to / f"{split}.safetensors"
        save([made[k] for k in sorted(chosen)], voice, source.language, path)
    print(f"f0 {2 ** (voice.f0 / 12):.1f} Hz, {len(kept)} sentences to train with", flush=True)


if __name__ == "__main__":
    main()
