"""How well the watermark is found, how often where there is none, and what it does to speech.

`python -m benchmarks.watermark FOLDER… --without FOLDER…`, from the root of the repository: speech
to be marked, and sound without a mark. PESQ is measured where the package `pesq` is installed.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch

from audiopipe import Audio, Pipeline
from audiopipe.run.inputs import AUDIO_SUFFIXES
from audiopipe.stages.watermark import Watermark
from audiopipe.watermark import FALSE_ALARMS, Detection, detect
from benchmarks.watermark_attacks import ATTACKS, Sound, available

RATE = 24000
"""Hz at which speech is marked."""
HEARD = 16000
"""Hz of sound without a mark."""
MARKED = 12
"""Seconds of speech that are marked."""
LENGTHS = (1, 2, 3, 5, 10)
"""Seconds that are left."""
LEFT = 5
"""Seconds that are left, after all else that happens."""


def clips(folders: Sequence[Path], seconds: float, rate: int) -> Iterator[Sound]:
    """Different stretches of the sound in folders, from each in turn; of short files put in a row,
    until there is no more."""
    turns = [_stretches(folder, round(seconds * rate), rate) for folder in folders]
    while turns:
        for turn in list(turns):
            clip = next(turn, None)
            if clip is None:
                turns.remove(turn)
            else:
                yield clip


def _stretches(folder: Path, size: int, rate: int) -> Iterator[Sound]:
    row = np.zeros(0, np.float32)
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in AUDIO_SUFFIXES):
        with soundfile.SoundFile(path) as file:
            given = file.samplerate
            for block in file.blocks(60 * given, dtype="float32", always_2d=True):
                row = np.concatenate([row, soxr.resample(block.mean(1), given, rate)])
                while len(row) >= size:
                    yield row[:size]
                    row = row[size:]


def found(sound: Sound, rate: int) -> Detection:
    return detect(Audio(sound.astype(np.float32), rate))


def marked(sound: Sound, kind: str) -> Sound:
    return Pipeline([Watermark(kind=kind)]).run(Audio(sound, RATE))["watermark"].numpy()[0]


def shorter(sound: Sound, rate: int, seconds: float, number: int) -> Sound:
    """So much of it, from anywhere."""
    size = round(seconds * rate)
    first = int(np.random.default_rng(number).integers(0, max(1, len(sound) - size)))
    return sound[first : first + size]


def row(name: str, results: Sequence[tuple[str, Detection]]) -> None:
    """Print a line of a table: of how many clips it was found, and of the right kind."""
    count = sum(detection.found for _, detection in results)
    wrong = sum(detection.found and kind != detection.kind for kind, detection in results)
    values = np.log10([max(1e-300, detection.p_value) for _, detection in results])
    typical, worst = np.median(values), values.max()
    share = 100 * count / len(results)
    print(f"| {name} | {share:.0f} % | {wrong} | {typical:.0f} | {worst:.1f} |", flush=True)


def table_of_attacks(originals: Sequence[Sound]) -> None:
    speech = [
        (kind, marked(sound, kind))
        for sound, kind in zip(originals, itertools.cycle(("synthetic", "cloned")))
    ]
    print(f"\n{len(speech)} clips, {LEFT} s of each:\n")
    print("| what happened | found | wrong kind | log10 p, median | worst |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, attack in ATTACKS.items():
        results = []
        for number, (kind, sound) in enumerate(speech):
            made, rate = attack(sound, RATE)
            results.append((kind, found(shorter(made, rate, LEFT, number), rate)))
        row(name, results)
    for name in ("none", "Opus, 32 kbit/s"):
        print(f"\n{name}, by seconds that are left:\n")
        print("| seconds | found | wrong kind | log10 p, median | worst |")
        print("| --- | ---: | ---: | ---: | ---: |")
        after = [(kind, *ATTACKS[name](sound, RATE)) for kind, sound in speech]
        for seconds in LENGTHS:
            row(
                str(seconds),
                [
                    (kind, found(shorter(made, rate, seconds, number), rate))
                    for number, (kind, made, rate) in enumerate(after)
                ],
            )


def table_of_false_alarms(folders: Sequence[Path], count: int) -> None:
    began = time.perf_counter()
    values = np.array(
        [found(c, HEARD).p_value for c in itertools.islice(clips(folders, LEFT, HEARD), count)]
    )
    took = time.perf_counter() - began
    print(f"\n{len(values)} clips of {LEFT} s without a mark, in {took:.0f} s:\n")
    print("| p below | clips | at most expected |")
    print("| --- | ---: | ---: |")
    for exponent in range(1, 7):
        below = int((values < 10.0**-exponent).sum())
        print(f"| 1e-{exponent} | {below} | {len(values) * 10.0**-exponent:g} |")
    print(f"\nsmallest p: {values.min():.2g}; a mark is found below {FALSE_ALARMS:g}")


def table_of_quality(originals: Sequence[Sound]) -> None:
    """What marking does, beside what a codec does that is held for good enough."""
    made = {
        "marked": [marked(sound, "synthetic") for sound in originals],
        "MP3, 64 kbit/s": [_aligned(s, *ATTACKS["MP3, 64 kbit/s"](s, RATE)) for s in originals],
    }
    print("\n| | difference in dB | noise to mask in dB | frames above the mask | PESQ | worst |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, changed in made.items():
        pairs = list(zip(originals, changed, strict=True))
        differences = [10 * np.log10(np.square(b - a).sum() / np.square(a).sum()) for a, b in pairs]
        masks = np.array([noise_to_mask(a, b) for a, b in pairs])
        scores = [_pesq(a, b) for a, b in pairs]
        print(
            f"| {name} | {np.mean(differences):.1f} | {masks[:, 0].mean():.1f} | "
            f"{100 * masks[:, 1].mean():.1f} % | {np.mean(scores):.2f} | {min(scores):.2f} |"
        )


def _aligned(original: Sound, changed: Sound, rate: int) -> Sound:
    """A decoded sound, moved back by what its codec delays."""
    assert rate == RATE
    size = len(original)
    changed = np.pad(changed, (0, max(0, size + 4000 - len(changed))))
    spectrum = np.fft.rfft(changed, 2 * size) * np.fft.rfft(original, 2 * size).conj()
    delay = int(np.fft.irfft(spectrum)[:4000].argmax())
    return changed[delay : delay + size]


def _pesq(original: Sound, changed: Sound) -> float:
    if find_spec("pesq") is None:
        return float("nan")
    from pesq import pesq

    heard = [soxr.resample(sound, RATE, 16000) for sound in (original, changed)]
    return float(pesq(16000, *heard, "wb"))


def noise_to_mask(original: Sound, changed: Sound) -> tuple[float, float]:
    """What was changed against what the original masks (Johnston 1988): the mean in dB over
    frames and half Barks, and the share of frames in which some half Bark is above its mask."""
    hann, size = np.hanning(1024), 1024

    def powers(sound: Sound) -> np.ndarray:
        windows = np.lib.stride_tricks.sliding_window_view(sound, size)[:: size // 2]
        return np.abs(np.fft.rfft(windows * hann)) ** 2

    hertz = np.fft.rfftfreq(size, 1 / RATE)
    barks = 13 * np.arctan(0.00076 * hertz) + 3.5 * np.arctan((hertz / 7500) ** 2)
    bands = np.eye(int(2 * barks.max()) + 1)[(2 * barks).astype(int)]
    sound, noise = powers(original), powers(changed - original)
    level, change = sound @ bands, noise @ bands
    flatness = np.log(sound + 1e-12) @ bands / bands.sum(0) - np.log(level / bands.sum(0) + 1e-12)
    tonal = np.clip(10 * flatness / np.log(10) / -20, 0, 1)
    half_barks = np.arange(bands.shape[1]) / 2
    apart = half_barks[:, None] - half_barks
    spread = 10 ** (np.where(apart > 0, -10 * apart, 25 * apart) / 10)
    offset = tonal * (14.5 + half_barks) + (1 - tonal) * 5.5
    mask = (level * 10 ** (-offset / 10)) @ spread.T
    heard = sound.sum(1) > 1e-4 * sound.sum(1).mean()
    ratio = change[heard] / (mask[heard] + 1e-12)
    return 10 * np.log10(ratio.mean()), float((ratio.max(1) > 1).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("speech", nargs="*", type=Path)
    parser.add_argument("--without", nargs="*", type=Path, default=[])
    parser.add_argument("--marked", type=int, default=24, help="clips of speech to mark")
    parser.add_argument("--clips", type=int, default=10_000, help="clips without a mark")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.speech:
        if not available():
            parser.error("ffmpeg is not installed")
        originals = list(itertools.islice(clips(given.speech, MARKED, RATE), given.marked))
        table_of_quality(originals)
        table_of_attacks(originals)
    if given.without:
        table_of_false_alarms(given.without, given.clips)


if __name__ == "__main__":
    main()
