"""Separation: models, the floors and the ideal ratio mask on songs whose stems are known.

    python -m benchmarks.separation FOLDER ... [--models stems spleeter-4stems@overlap=0 ...]
        [--bss] [--json FILE]

A FOLDER holds a folder a song, with `vocals`, `drums`, `bass` and `other` (`.flac` or alike), and
perhaps `mixture`, else it is the sum. `separation_material` makes one.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from audiopipe.metrics import bss_eval, sdr, si_sdr

from . import separation_floors as floors
from .pitch_tables import table
from .separation_songs import Song, Stems, songs

CLIP = 30.0
"""Seconds."""
QUIET = -60.0
"""A stem with less than this, in dB of full scale (RMS), does not count in that clip or song."""
USUAL = ("vocals", "drums", "bass", "other")

Separate = Callable[[Song], Stems]
Ratios = dict[str, list[float]]
"""By stem, of each clip or song in which the stem sounds."""
MEASURES: dict[str, Callable[[Any, Any], np.ndarray]] = {"SDR": sdr, "SI-SDR": si_sdr}
FLOORS: dict[str, Separate] = {
    "mixture": floors.mixture,
    "harmonic-percussive": floors.harmonic_percussive,
}
CEILINGS: dict[str, Separate] = {"ideal ratio mask": floors.ideal_ratio_masks}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--models", nargs="*", default=[], help="NAME or NAME@OPTION=VALUE,...")
    parser.add_argument("--clip", type=float, default=CLIP, help="seconds")
    parser.add_argument("--bss", action="store_true", help="BSS Eval v4 too: slow")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", type=Path, help="a file to write the figures to")
    options = parser.parse_args()
    models = {name: of_model(name, options.device) for name in options.models}
    figures = compare(songs(options.folders), FLOORS | models | CEILINGS, options)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1, allow_nan=False) + "\n")


def of_model(told: str, device: str) -> Separate:
    """A model through the stage `separate`; options as in YAML."""
    from audiopipe.pipeline import parse
    from audiopipe.signals import Audio, Stems

    name, _, rest = told.partition("@")
    given = "".join(f", {o.replace('=', ': ')}" for o in rest.split(",") if o)
    pipeline = parse(f"audiopipe: 1\nstages: [{{use: separate, model: {name}{given}}}]\n")

    def separate(song: Song) -> dict[str, np.ndarray]:
        result = pipeline.run(Audio(song.mixture, rate=song.rate), device=device)
        found = next(iter(result.values()))
        assert isinstance(found, Stems)
        return {stem: audio.numpy() for stem, audio in found.items()}

    return separate


def compare(
    material: Sequence[Song], contenders: Mapping[str, Separate], options: argparse.Namespace
) -> dict[str, Any]:
    """Separate all songs with all; print the tables, and give what is written."""
    figures: dict[str, Any] = {}
    for name, separate in contenders.items():
        own: dict[str, Any] = {
            "clips": {m: {} for m in MEASURES},
            "songs": {m: {} for m in MEASURES},
        }
        own["BSS Eval"], own["× real time"] = {}, {}
        for song in material:
            began = time.perf_counter()
            estimates = separate(song)
            spent = time.perf_counter() - began
            own["× real time"][song.name] = song.mixture.shape[-1] / song.rate / spent
            measure(song, estimates, options.clip, own)
            if options.bss and len(estimates) > 1:
                own["BSS Eval"][song.name] = bss(song, estimates)
        figures[name] = own
        print(f"- {name}: done", flush=True)
    print()
    show(figures, material, options)
    return figures


def measure(song: Song, estimates: Stems, clip: float, into: dict[str, Any]) -> None:
    """Add the ratios of each stem that sounds, of the song and of its whole clips."""
    count = round(clip * song.rate)
    for stem, estimate in estimates.items():
        truth = song.truth(stem)
        if truth is None:
            continue
        spans = [slice(k, k + count) for k in range(0, truth.shape[-1] - count + 1, count)]
        for where, stretches in (("songs", [slice(None)]), ("clips", spans)):
            for span in stretches:
                if level(truth[:, span]) >= QUIET:
                    for name, ratio in MEASURES.items():
                        found = float(ratio(truth[:, span], estimate[:, span]))
                        into[where][name].setdefault(stem, []).append(found)


def level(sound: np.ndarray) -> float:
    """RMS in dB of full scale."""
    return 10 * math.log10(float(np.mean(np.square(sound, dtype=np.float64))) + 1e-30)


def bss(song: Song, estimates: Stems) -> dict[str, dict[str, float]]:
    """Medians of BSS Eval v4 over seconds, of the stems that sound in the song."""
    truths = {stem: song.truth(stem) for stem in estimates}
    sounding = {s: t for s, t in truths.items() if t is not None and level(t) >= QUIET}
    found = bss_eval(
        np.stack(list(sounding.values())),
        np.stack([estimates[stem] for stem in sounding]),
        window=song.rate,
        hop=song.rate,
    ).medians()
    names = (name.upper() for name in found._fields)
    by_name = dict(zip(names, found, strict=True))
    return {s: {m: float(v[k]) for m, v in by_name.items()} for k, s in enumerate(sounding)}


def show(figures: dict[str, Any], material: Sequence[Song], options: argparse.Namespace) -> None:
    """Print a table of each measure, median and quartiles, and of the speed."""
    there = {stem for song in material for stem in song.stems}
    stems = sorted(there, key=lambda stem: (USUAL.index(stem) if stem in USUAL else 9, stem))
    if any("accompaniment" in own["songs"]["SDR"] for own in figures.values()):
        stems.append("accompaniment")
    names = ", ".join(song.name for song in material)
    for where, of in (("clips", f"clips of {options.clip:g} s"), ("songs", "songs")):
        for name in MEASURES:
            rows = [
                [who, *(quartiles(own[where][name].get(stem, [])) for stem in stems)]
                for who, own in figures.items()
            ]
            counts = figures["mixture"][where][name]
            columns = [f"{stem} ({len(counts.get(stem, []))})" for stem in stems]
            table(f"{name} in dB, {of} of {names}: median (quartiles)", ["", *columns], rows)
    if options.bss:
        rows = [
            [who, song, stem, *(f"{ratio:.1f}" for ratio in ratios.values())]
            for who, own in figures.items()
            for song, found in own["BSS Eval"].items()
            for stem, ratios in found.items()
        ]
        columns = ("", "song", "stem", "SDR", "ISR", "SIR", "SAR")
        table("BSS Eval v4 in dB: median over seconds", columns, rows)
    if options.models:
        speeds = {who: list(figures[who]["× real time"].values()) for who in options.models}
        rows = [[who, f"{np.median(found):.1f}"] for who, found in speeds.items()]
        table("Speed", ("", "× real time"), rows)


def quartiles(ratios: Sequence[float]) -> str:
    """As text: `5.1 (3.2 to 7.0)`."""
    if not ratios:
        return ""
    low, middle, high = np.percentile(ratios, [25, 50, 75])
    return f"{middle:.1f} ({low:.1f} to {high:.1f})"


if __name__ == "__main__":
    main()
