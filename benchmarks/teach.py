"""How well `audiopipe teach` learns words and sounds, from 5, 10 and 20 recordings of each.

    python benchmarks/teach.py [--model keywords-18] [--draws 3] [--found ../data/found]

Three sets of labels: words of Speech Commands that the base model has heard as `_unknown_` in
training, by other speakers; Picovoice's wake words, if they are there, which it never heard; and
sounds that are made up. Each draw takes recordings of different speakers, teaches, and asks for
recordings of speakers whom it has not heard. Against: the nearest neighbour (cosine) among the
same recordings, on the network's features and on log-mel spectra, told among the labels only.

`as told` is the accuracy that `teach` itself reports, by cross-validation. `reported` and
`others` are at the threshold that it chose: the share of the labels that is found, and of other
words and of seconds of running speech that is taken for a label.
"""

from __future__ import annotations

import argparse
import logging
import random
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

import soundfile
import torch
from made_sounds import SOUNDS, recorded
from torch import Tensor
from torch.nn import functional

import audiopipe
from audiopipe.metrics import wilson
from audiopipe.recognizers import keyword_card, keyword_net, keyword_threshold
from audiopipe.stages.keywords import RATE, log_mel
from audiopipe.teaching.augment import the_second
from audiopipe.teaching.base import Base
from audiopipe.teaching.seconds import around_the_sound

SHARED = Path(__file__).resolve().parents[2] / "shared"
COLUMNS = ("accuracy", "as told", "reported", "others", "of labels only", "1-NN", "1-NN log-mel")
COUNTS = (5, 10, 20)
TESTED = 80
"""Recordings of a label, at most, that are asked for."""
SEED = 0

Clips = dict[str, list[tuple[str, Tensor]]]
"""The recordings of each label: speaker, and samples [time]."""


def read(path: Path) -> Tensor:
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    assert rate == RATE, path
    return torch.from_numpy(samples.mean(1))


def of_folder(folder: Path, labels: list[str]) -> Clips:
    """LABEL/SPEAKER_nohash_NUMBER.*, one recording of each speaker."""
    clips: Clips = {}
    for label in labels:
        speakers: dict[str, Path] = {}
        for path in sorted((folder / label).iterdir()):
            speakers.setdefault(path.stem.split("_nohash_")[0], path)
        names = sorted(speakers)
        random.Random(SEED).shuffle(names)
        clips[label] = [(name, read(speakers[name])) for name in names[: TESTED + max(COUNTS)]]
    return clips


def unknown_words() -> Clips:
    """Words of `_unknown_` with many speakers, who are not in training."""
    words = ("bed", "cat", "happy")
    clips: Clips = {word: [] for word in words}
    known: set[tuple[str, str]] = set()
    manifest = (SHARED / "keywords/manifest.csv").read_text().splitlines()[1:]
    random.Random(SEED).shuffle(manifest)
    for row in manifest:
        path, split, _, word, speaker = row.split(",")[:5]
        if split == "val" and word in words and (word, speaker) not in known:
            known.add((word, speaker))
            clips[word].append((speaker, read(SHARED / "keywords" / path)))
    return clips


def made_sounds() -> Clips:
    return {
        name: [(f"{name}{k}", torch.tensor(recorded(name, k)).float()) for k in range(TESTED + 20)]
        for name in SOUNDS
    }


def sets(found: Path) -> Iterator[tuple[str, Clips]]:
    wake = found / "picovoice_wakewords"
    if wake.is_dir():
        labels = ["alexa", "computer", "jarvis", "smart_mirror", "view_glass"]
        yield "wake words", of_folder(wake, labels)
    yield "made sounds", made_sounds()
    yield "unknown words", unknown_words()


def other_sounds() -> Tensor:
    """Seconds [n, 16000] of a reader that nobody heard, and of the 18 words by new speakers."""
    seconds = []
    for path in sorted((SHARED / "speech/kathleen").rglob("arctic_b05*.*"))[:60]:
        samples, rate = soundfile.read(path, dtype="float32")
        heard = audiopipe.chain("mix", audiopipe_resample())
        whole = heard.run(audiopipe.Audio(samples, rate), device="cpu")["resample"].samples[0]
        seconds += list(whole[: len(whole) // RATE * RATE].view(-1, RATE))
    rows = (SHARED / "keywords/manifest.csv").read_text().splitlines()[1:]
    words = [r.split(",") for r in rows]
    paths = [row[0] for row in words if row[1] == "val" and row[2][0] != "_"]
    for path in random.Random(SEED).sample(paths, 300):
        seconds.append(the_second(around_the_sound(read(SHARED / "keywords" / path))[None])[0])
    return torch.stack(seconds)


def audiopipe_resample() -> audiopipe.Stage:
    from audiopipe.stages.resample import Resample

    return Resample(rate=RATE)


def nearest(known: Tensor, asked: Tensor, labels: Tensor) -> Tensor:
    """The label of the nearest of `known` [n, d], by the cosine: [m]."""
    likeness = functional.normalize(asked, dim=1) @ functional.normalize(known, dim=1).T
    return labels[likeness.argmax(1)]


def try_it(
    clips: Clips, count: int, draw: int, base: Base, model: str, others: Tensor
) -> dict[str, float]:
    """Teach `count` of each label, and ask for those of other speakers."""
    labels = list(clips)
    order = {x: random.Random(f"{draw} {x}").sample(clips[x], len(clips[x])) for x in labels}
    taught = [(label, *clip) for label in labels for clip in order[label][:count]]
    speakers = {speaker for _, speaker, _ in taught}
    rest = [
        (place, samples)
        for place, label in enumerate(labels)
        for speaker, samples in order[label][count:]
        if speaker not in speakers
    ]
    known = [around_the_sound(samples) for *_, samples in taught]
    asked = [around_the_sound(samples) for _, samples in rest]
    right = torch.tensor([place for place, _ in rest])
    seconds, mine = the_second(torch.stack(asked)), the_second(torch.stack(known))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for label, speaker, samples in taught:
            (folder / "clips" / label).mkdir(parents=True, exist_ok=True)
            path = folder / "clips" / label / f"{speaker}_nohash_0.flac"
            soundfile.write(path, samples.numpy().clip(-1, 1), RATE)
        result = audiopipe.teach(folder / "clips", folder / "model", base=model)
        made = str(folder / "model")
        rows = [keyword_card(made).labels.index(label) for label in labels]
        head, limit = keyword_net(made).head, keyword_threshold(made)
        heard = base.hear(seconds)
        scores = head(heard).softmax(1)
        alarms = head(others).softmax(1)[:, rows].amax(1)
    own = torch.tensor(rows)[right]
    fine = scores.argmax(1) == own
    chosen = scores.gather(1, own[:, None])[:, 0]
    places = torch.arange(len(labels)).repeat_interleave(count)
    by_features = nearest(base.hear(mine), heard, places) == right
    spectra = [log_mel(each).clamp_min(20).flatten(1) for each in (mine, seconds)]
    spectra = [each - each.mean(1, keepdim=True) for each in spectra]
    by_spectra = nearest(spectra[0], spectra[1], places) == right
    return {
        "asked": len(right),
        "accuracy": float(fine.float().mean()),
        "as told": result.accuracy,
        "reported": float((fine & (chosen >= limit)).float().mean()),
        "others": float((alarms >= limit).float().mean()),
        "of labels only": float((scores[:, rows].argmax(1) == right).float().mean()),
        "1-NN": float(by_features.float().mean()),
        "1-NN log-mel": float(by_spectra.float().mean()),
        "seconds": result.seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="keywords-18")
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--found", type=Path, default=SHARED.parent / "data" / "found")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    torch.set_grad_enabled(False)
    base = Base.load(arguments.model)
    others = base.hear(other_sounds())
    print(f"| labels | each | asked | {' | '.join(COLUMNS)} | s |")
    print(f"| --- | {' | '.join(['---:'] * (len(COLUMNS) + 3))} |")
    for name, clips in sets(arguments.found):
        for count in COUNTS:
            draws = [
                try_it(clips, count, draw, base, arguments.model, others)
                for draw in range(arguments.draws)
            ]
            mean = {key: statistics.mean(draw[key] for draw in draws) for key in draws[0]}
            asked = round(mean["asked"])
            low, high = wilson(round(mean["accuracy"] * asked), asked)
            cells = [f"{100 * mean[column]:.1f}" for column in COLUMNS]
            cells[0] += f" ({100 * low:.0f}–{100 * high:.0f})"
            row = [f"{len(clips)} {name}", str(count), str(asked), *cells, f"{mean['seconds']:.1f}"]
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
