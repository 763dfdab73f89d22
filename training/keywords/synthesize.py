"""Keywords and other words spoken by the free synthesisers of Debian, to widen the few speakers.

    apt-get install espeak-ng flite festival festvox-kallpc16k festvox-kdlpc16k festvox-us-slt-hts
    python -m training.keywords.synthesize OUT [--seed 0] [--clips-per-word N]

Writes OUT/WORD/SPEAKER_nohash_N.flac (16 kHz, mono, 16 bits), OUT/manifest.csv with what each clip
says, and OUT/SOURCES.md. Every speaker says keywords and other words alike: no voice gives a word
away.
"""

from __future__ import annotations

import argparse
import csv
import logging
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly

from .clips import COMMANDS, DIGITS, RATE, UNKNOWN
from .synthesizers import Engine, Espeak, Festival, Flite, Floats, printed
from .vocabulary import FRAGMENTS, FREQUENT, NEIGHBOURS

logger = logging.getLogger("synthesize")

LONGEST = 1.2
"""Seconds; a keyword that takes longer is said again, of another word a second is kept."""
FRAGMENT = 1.0
CLIPS = {
    **dict.fromkeys(DIGITS, 600),
    **dict.fromkeys(COMMANDS, 150),
    UNKNOWN: 6000,
}
SHARES = {"espeak-ng": 0.7, "flite": 0.19, "festival": 0.11}
"""Of the clips, by engine."""


def quotas(total: int, shares: dict[str, float]) -> dict[str, int]:
    """`total` clips divided by the shares; the first takes what rounding leaves.

    >>> quotas(150, {"a": 0.7, "b": 0.19, "c": 0.11})
    {'a': 106, 'b': 28, 'c': 16}
    """
    counts = {name: int(total * share) for name, share in shares.items()}
    first = next(iter(counts))
    return counts | {first: total - sum(counts.values()) + counts[first]}


def unknown_text(rng: np.random.Generator, *, phonemes: bool) -> str:
    """A neighbour, a frequent word, nonsense or a few words."""
    kind = rng.random()
    if kind < 0.4:
        return str(rng.choice(NEIGHBOURS))
    if kind < 0.8:
        return str(rng.choice(FREQUENT))
    if kind < 0.92 and phonemes:
        return nonsense(rng)
    return str(rng.choice(FRAGMENTS))


def nonsense(rng: np.random.Generator) -> str:
    """One to three syllables in espeak-ng's phonemes, of sounds that most languages have."""
    syllables = []
    for _ in range(rng.integers(1, 4)):
        onset = str(rng.choice(["", *"pbtdkgfsmnlrvwhj", "sp", "st", "tr", "pl", "kr"]))
        coda = str(rng.choice(["", "", *"ptksnml"]))
        syllables.append("|".join(filter(None, [*onset, str(rng.choice([*"aeiou"])), *coda])))
    return f"[['{'|'.join(syllables)}]]"


def finished(
    said: tuple[Floats, int], quietest: float, fragment: bool, rng: np.random.Generator
) -> Floats | None:
    """The word at 16 kHz with 50 to 100 ms around it and a level of its own; None if too long."""
    samples, rate = said
    wave = resample_poly(samples, RATE, rate) if rate != RATE else samples
    frame = RATE // 200
    loud = np.sqrt(np.square(wave[: len(wave) // frame * frame].reshape(-1, frame)).mean(-1))
    heard = np.flatnonzero(loud > quietest * loud.max(initial=0))
    if len(heard) < 20 or loud.max() < 1e-3:
        return None
    before, after = (int(RATE * seconds) for seconds in rng.uniform(0.05, 0.1, 2))
    padded = np.pad(wave, (before, after))
    wave = padded[heard[0] * frame : (heard[-1] + 1) * frame + before + after]
    limit = int(RATE * (FRAGMENT if fragment else LONGEST))
    if len(wave) > limit:
        if not fragment:
            return None
        start = rng.integers(0, len(wave) - limit + 1)
        wave = wave[start : start + limit]
    ramp = np.minimum(1, np.arange(len(wave)) / (0.005 * RATE))
    wave = wave * ramp * ramp[::-1]
    level = 10 ** (rng.uniform(-32, -14) / 20)
    gain = level / np.sqrt(np.square(wave).mean())
    scaled: Floats = wave * min(gain, 0.95 / np.abs(wave).max())
    return scaled


def clips(
    label: str, count: int, engine: Engine, rng: np.random.Generator
) -> Iterator[tuple[str, str, Floats]]:
    """`count` times speaker, text and wave; the speakers take turns."""
    made = 0
    while made < count:
        for speaker in rng.permutation(engine.speakers):
            text = label
            if label == UNKNOWN:
                text = unknown_text(rng, phonemes=engine.name == "espeak-ng")
            said = engine.say(str(speaker), text, rng)
            wave = said and finished(said, engine.quietest, label == UNKNOWN, rng)
            if wave is not None:
                yield str(speaker), text, wave
                made += 1
            if made == count:
                return


def sources_page(engines: list[Engine], counts: Counter[tuple[str, str]]) -> str:
    """SOURCES.md: what spoke, under which licence, and how often."""
    lines = ["# Sources of the synthetic clips", "", "| Debian package | version | licence |"]
    lines += ["|---|---|---|"]
    for engine in engines:
        lines += [
            f"| {p} | {printed('dpkg-query', '-W', '-f', '${Version}', p)} | {text} |"
            for p, text in engine.sources().items()
        ]
    lines += ["", "| engine | speaker | clips |", "|---|---|---|"]
    lines += [f"| {e} | {s} | {n} |" for (e, s), n in sorted(counts.items())]
    total = Counter[str]()
    for (engine_name, _), number in counts.items():
        total[engine_name] += number
    summary = ", ".join(f"{name} {number}" for name, number in total.items())
    return "\n".join([*lines[:1], "", f"Clips: {summary}.", *lines[1:]]) + "\n"


def synthesize(out: Path, seed: int, clips_per_word: int | None) -> None:
    """All clips of all words."""
    rng = np.random.default_rng(seed)
    counts = Counter[tuple[str, str]]()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engines: list[Engine] = [Espeak(folder, rng), Flite(folder), Festival(folder)]
        for label, usual in CLIPS.items():
            (out / label).mkdir(parents=True, exist_ok=True)
            numbers = Counter[str]()
            shares = quotas(clips_per_word or usual, SHARES)
            for engine in engines:
                for speaker, text, wave in clips(label, shares[engine.name], engine, rng):
                    path = f"{label}/{speaker}_nohash_{numbers[speaker]}.flac"
                    soundfile.write(out / path, wave, RATE, subtype="PCM_16")
                    numbers[speaker] += 1
                    counts[engine.name, speaker] += 1
                    rows.append((path, label, text, speaker, engine.name, len(wave)))
            logger.info("%s: %d clips by %d speakers", label, numbers.total(), len(numbers))
        (out / "SOURCES.md").write_text(sources_page(engines, counts))
    with (out / "manifest.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "text", "speaker", "engine", "samples_16k"])
        writer.writerows(rows)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--clips-per-word", type=int, help="the same for each label")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    synthesize(options.out, options.seed, options.clips_per_word)


if __name__ == "__main__":
    main()
