"""Keywords: accuracy by group, in noise, false alarms in hours of sound, times of events, speed.

    python -m benchmarks.keywords [--model NAME|FOLDER] [--words FOLDER] [--also FOLDER ...]
        [--speech FOLDER ...] [--only clips noise streams times speed] [--json FILE]

Every sound is made with the same seeds in each run. Intervals are of 95 %.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import reduce
from itertools import chain, islice
from operator import add
from pathlib import Path

import torch

from audiopipe.metrics import Curve
from audiopipe.metrics.pictures import draw_curves
from audiopipe.recognizers import keyword_card, keyword_net
from audiopipe.stages.keywords import log_mel

from . import keyword_speed
from . import keyword_tables as tables
from .keyword_clips import (
    RATIOS,
    Classify,
    Sample,
    disturbed,
    held_out,
    judge,
    noises_of,
    silence,
    test_words,
)
from .keyword_material import RATIO, Material, random
from .keyword_streams import Spotter, culprits, together
from .keyword_tables import Figures

SHARED = Path(__file__).parents[2] / "shared"
MISSED = 0.05
"""The share of words that may be missed at the threshold at which false alarms are counted."""
TIMED = 5
"""Recordings on which times are measured."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="keywords-18", help="a name, or a folder")
    parser.add_argument("--words", type=Path, default=SHARED / "keywords")
    parser.add_argument("--also", type=Path, nargs="*", default=[], help="folders of more words")
    parser.add_argument("--tests", type=Path, default=SHARED / "audio/keywords")
    parser.add_argument("--speech", type=Path, nargs="+", default=[SHARED / "speech/kathleen"])
    parser.add_argument("--unseen", type=Path, nargs="*", default=[], help="more speech, all of it")
    parser.add_argument("--noise", type=Path, nargs="+", default=[SHARED / "audio/noise"])
    parser.add_argument("--music", type=Path, nargs="+", default=[SHARED / "audio/music"])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--every", type=int, default=1, help="one clip of so many, for a trial")
    parser.add_argument("--pictures", type=Path, help="a folder for them")
    parser.add_argument("--json", type=Path, help="a file to write the figures to")
    options = parser.parse_args()
    torch.set_num_threads(1)
    material = Material(
        [options.words, *options.also],
        options.speech,
        options.unseen,
        options.noise,
        options.music,
        options.every,
    )
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    print(f"Model `{options.model}`, torch {torch.__version__}\n", flush=True)
    figures: Figures = {"model": options.model}
    for part in options.only:
        figures[part] = PARTS[part](options, material)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


def classifier(model: str) -> Classify:
    """What the network chooses of all labels, for seconds of sound."""
    net, labels = keyword_net(model), keyword_card(model).labels

    def classify(sounds: torch.Tensor) -> Sequence[str]:
        with torch.inference_mode():
            return [labels[k] for k in net(log_mel(sounds)).argmax(1).tolist()]

    return classify


def words_of(options: argparse.Namespace) -> list[Sample]:
    """The clips of held-out speakers of all folders; those of a further folder are told apart."""
    samples = held_out(options.words)
    for folder in options.also:
        samples += [replace(s, group=f"{s.group}: {folder.name}") for s in held_out(folder)]
    return samples[:: options.every]


def clips(options: argparse.Namespace, material: Material) -> Figures:
    """One-second clips in quiet."""
    samples = [*words_of(options), *silence(material.noises, random(11))]
    told = judge([*samples, *test_words(options.tests)], classifier(options.model))
    tables.show_groups(told)
    whole = reduce(add, told.values())
    tables.show_mistakes(whole)
    if options.pictures:
        whole.plot(options.pictures / "keywords-confusion.png")
    return {group: tables.of_group(found) for group, found in told.items()}


def noise(options: argparse.Namespace, material: Material) -> Figures:
    """One-second clips in noise of each kind, at each ratio."""
    samples, classify = words_of(options), classifier(options.model)
    kinds = noises_of(material.noises, material.pieces, material.voices, random(12))
    groups = list(dict.fromkeys(sample.group for sample in samples))
    figures: Figures = {}

    def rows() -> Iterator[Sequence[str]]:
        for kind, make in kinds.items():
            for snr in RATIOS:
                name = f"{kind}, {snr} dB"
                told = judge(list(disturbed(samples, make, snr)), classify)
                figures[name] = {group: tables.of_group(found) for group, found in told.items()}
                yield [name, *(f"{100 * told[group].accuracy:.1f}" for group in groups)]

    tables.table("In noise, right in %", ("noise", *groups), rows())
    return figures


def streams(options: argparse.Namespace, material: Material) -> Figures:
    """Words that are missed and alarms that are false, in streams."""
    spotter = Spotter(options.model)
    words = {
        "words in quiet": spotter.hear(material.words_in_quiet()),
        f"words at {RATIO:.0f} dB": spotter.hear(material.words_in_noise()),
    }
    quiet = {
        f"speech in quiet, {folder}": spotter.hear(material.speech_in_quiet(folder))
        for folder in material.spoken
    }
    noisy = spotter.hear(material.speech_in_noise())
    others = {
        **quiet,
        f"speech at {RATIO:.0f} dB": noisy,
        "music": spotter.hear(material.music_alone()),
        "noise": spotter.hear(material.noise_alone()),
        "other words, one by one": spotter.hear(material.other_words()),
    }
    found = {name: together(heard) for name, heard in {**words, **others}.items()}
    curves = {
        "in quiet": Curve.of(found["words in quiet"], together(chain(*quiet.values()))),
        f"at {RATIO:.0f} dB": Curve.of(found[f"words at {RATIO:.0f} dB"], together(noisy)),
    }
    points = {f"5 % missed {name}": curve.missing_at_most(MISSED) for name, curve in curves.items()}
    points["1 alarm an hour of speech in quiet"] = curves["in quiet"].alarming_at_most(1)
    marks = {name: point.threshold for name, point in points.items() if point}
    marks["the model's own"] = spotter.usual
    tables.show_thresholds(marks, {n: found[n] for n in words}, {n: found[n] for n in others})
    tables.show_curves(curves)
    threshold = next(iter(marks.values()))
    print(f"What goes wrong at {threshold:.3g}:\n")
    for name, heard in {**words, **others}.items():
        tables.show_culprits(name, culprits(heard, threshold))
    for name in words:
        tables.show_missed(name, found[name][threshold])
    if options.pictures:
        draw_curves(curves, options.pictures / "keywords-curve.png")
    return {
        "thresholds": marks,
        "curves": {name: curve.points for name, curve in curves.items()},
        "found": {
            mark: {name: tables.of_stream(row[t]) for name, row in found.items()}
            for mark, t in marks.items()
        },
    }


def times(options: argparse.Namespace, material: Material) -> Figures:
    """When events are told, and how exact their times are."""
    spotter = Spotter(options.model)
    recordings = islice(material.words_in_quiet(), TIMED)
    told = spotter.live(recordings, spotter.usual)
    quantiles = {
        "from the word's end to its event": told.latency,
        "error of the start": told.start,
        "error of the end": told.stop,
    }
    rows = [(name, str(values), str(values.count)) for name, values in quantiles.items()]
    title = f"Times, in blocks of 10 ms, threshold {spotter.usual:.3g}"
    tables.table(title, ("time", "p50 / p95 / p99", "words"), rows)
    return {name: vars(values) for name, values in quantiles.items()}


def speed(options: argparse.Namespace, _: Material) -> Figures:
    """How fast it is; the time of the machine, not of the sound."""
    figures = keyword_speed.inference(options.model)
    rows = [
        (f"{name}, batch of 1, of one core", f"{1000 * t:.2f} ms") for name, t in figures.items()
    ]
    for cores in (1, 2):
        figures[f"hours a minute, {cores} cores"] = rate = keyword_speed.batch(options.model, cores)
        rows.append((f"batch, {cores} core{'s' * (cores > 1)}", f"{rate:.2f} h of sound a minute"))
    figures["share of a core, live"] = share = keyword_speed.live(options.model)
    rows.append(("a stream in blocks of 10 ms, of one core", f"{100 * share:.1f} % of real time"))
    tables.table("Speed", ("what", "figure"), rows)
    return figures


PARTS: dict[str, Callable[[argparse.Namespace, Material], Figures]] = {
    "clips": clips,
    "noise": noise,
    "streams": streams,
    "times": times,
    "speed": speed,
}

if __name__ == "__main__":
    main()
