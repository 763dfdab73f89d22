"""Keywords said again by other speakers: each clip taken apart by WORLD and put together anew.

    python -m training.keywords.revoice IN OUT [--copies N] [--seed 0] [--labels zero one …]
        [--speakers PATTERN] [--most N]

Reads IN/WORD/SPEAKER[_nohash]_N.{wav,flac,opus} and writes OUT/WORD/SPEAKER-wK_nohash_N.flac: the
name of a new speaker begins with that of the old one, so that splits by speaker stay right. Copy K
of a speaker is the same new speaker in every clip: pitch and tract belong to it, tempo, melody and
breath are drawn for each clip. `--most` clips a speaker are taken, spread over the words.
"""

from __future__ import annotations

import argparse
import logging
import re
import zlib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyworld  # type: ignore[import-untyped]
import soundfile
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.signal import resample_poly

Floats = NDArray[np.float64]

logger = logging.getLogger("revoice")

RATE = 16000
HOP = 5.0
"""Milliseconds between WORLD's frames."""
LONGEST = 1.2
"""Seconds; what a slow copy has around the word beyond that is cut."""
SILENT, QUIETEST = 0.001, 0.01
"""Root mean squares: what is below the first holds no word, what is below the second is raised."""
LOWEST, HIGHEST = 70.0, 400.0
"""Hz; where the median pitch of a new speaker lies."""
CLEAREST, BREATHIEST = 0.6, 1.6
"""Exponents of the aperiodicity, which lies between 0 and 1: above 1 there is less noise."""


@dataclass(frozen=True)
class Analysis:
    """A clip in WORLD's terms.

    Shape: f0 [frames], envelope and aperiodicity [frames, bins]
    """

    f0: Floats
    envelope: Floats
    aperiodicity: Floats

    @property
    def pitch(self) -> float | None:
        """Median f0 of the voiced frames, in Hz; None where there are hardly any."""
        voiced = self.f0[self.f0 > 0]
        return float(np.median(voiced)) if len(voiced) >= 8 else None


@dataclass(frozen=True)
class Speaker:
    """Who a copy is: factors on the pitch and on the frequencies of the formants."""

    f0: float
    formants: float


def analysed(wave: Floats) -> Analysis:
    """WORLD's analysis, with f0 refined; a floor of noise keeps digital silence defined."""
    noise = np.random.default_rng(0).normal(0, 1e-5, len(wave))
    heard = wave + noise
    coarse, times = pyworld.dio(heard, RATE, f0_floor=60, f0_ceil=500, frame_period=HOP)
    f0 = pyworld.stonemask(heard, coarse, times, RATE)
    envelope = pyworld.cheaptrick(heard, f0, times, RATE)
    return Analysis(f0, envelope, pyworld.d4c(heard, f0, times, RATE))


def new_speaker(pitch: float, rng: np.random.Generator) -> Speaker:
    """Pitch by 0.65 to 1.7 as far as it stays a voice, formants by 0.82 to 1.22 in step with it."""
    lowest = max(0.65, LOWEST / pitch)
    highest = max(lowest, min(1.7, HIGHEST / pitch))
    scale = float(np.exp(rng.uniform(np.log(lowest), np.log(highest))))
    # High voices have short tracts: a third of the pitch's change, and some of their own.
    formants = np.exp(np.log(scale) / 3 + rng.normal(0, 0.08))
    return Speaker(scale, float(np.clip(formants, 0.82, 1.22)))


def warped_frequencies(spectra: Floats, factor: float) -> Floats:
    """Spectra with what was at f moved to f · factor; beyond the band its edge goes on.

    Shape: [frames, bins] -> [frames, bins]
    """
    bins = spectra.shape[1]
    source = np.minimum(np.arange(bins) / factor, bins - 1)
    low = np.minimum(source.astype(int), bins - 2)
    part = source - low
    warped: Floats = np.ascontiguousarray(spectra[:, low] * (1 - part) + spectra[:, low + 1] * part)
    return warped


def time_map(frames: int, speed: float, rng: np.random.Generator) -> Floats:
    """For each new frame the old one, `speed` times as fast on average, smoothly uneven."""
    knots = 5
    local = np.exp(rng.normal(0, 0.18, knots - 1))
    places = np.concatenate([[0.0], np.cumsum(local)]) / local.sum() * (frames - 1)
    count = max(2, round(frames / speed))
    curve = PchipInterpolator(np.linspace(0, count - 1, knots), places)
    clipped: Floats = np.clip(curve(np.arange(count)), 0, frames - 1)
    return clipped


def new_pitch(f0: Floats, places: Floats, scale: float, spread: float, centre: float) -> Floats:
    """The melody at `places`: moved by `scale`, its range about `centre` by `spread`."""
    voiced = f0 > 0
    index = np.arange(len(f0))
    # Log f0 goes on through unvoiced frames, so that in between is no jump to 0.
    contour = np.interp(places, index[voiced], np.log(f0[voiced]))
    moved = np.exp(np.log(centre * scale) + spread * (contour - np.log(centre)))
    # Octave errors of dio would be heard as squeaks.
    moved = np.clip(moved, 0.6 * LOWEST, 1.5 * HIGHEST)
    return np.where(voiced[np.rint(places).astype(int)], moved, 0.0)


def revoiced(clip: Analysis, speaker: Speaker, rng: np.random.Generator) -> Floats:
    """One copy of a clip: the speaker's pitch and tract, a tempo, melody and breath of its own."""
    pitch = clip.pitch
    assert pitch is not None
    places = time_map(len(clip.f0), float(np.exp(rng.uniform(np.log(0.75), np.log(1.3)))), rng)
    # What the speaker's factor does to a clip that is said higher than usual must stay a voice.
    own = speaker.f0 * np.exp(rng.normal(0, 0.05))
    scale = float(np.clip(own, LOWEST / pitch, HIGHEST / pitch))
    f0 = new_pitch(clip.f0, places, scale, rng.uniform(0.6, 1.5), pitch)
    low = np.minimum(places.astype(int), len(clip.f0) - 2)
    part = (places - low)[:, None]
    envelope = np.log(warped_frequencies(clip.envelope, speaker.formants))
    envelope = np.exp(envelope[low] * (1 - part) + envelope[low + 1] * part)
    aperiodicity = warped_frequencies(clip.aperiodicity, speaker.formants)
    aperiodicity = aperiodicity[low] * (1 - part) + aperiodicity[low + 1] * part
    breath = np.exp(rng.uniform(np.log(CLEAREST), np.log(BREATHIEST)))
    aperiodicity = np.clip(aperiodicity, 1e-6, 1) ** breath
    aperiodicity[f0 == 0] = 1
    wave = pyworld.synthesize(f0, envelope, aperiodicity, RATE, HOP)
    return np.asarray(wave)


def densest(wave: Floats) -> Floats:
    """The window of at most LONGEST seconds that holds most energy."""
    limit = int(LONGEST * RATE)
    if len(wave) <= limit:
        return wave
    energy = np.concatenate([[0.0], np.cumsum(np.square(wave))])
    start = int(np.argmax(energy[limit:] - energy[:-limit]))
    return wave[start : start + limit]


def read(path: Path) -> Floats:
    """Samples at 16 kHz, mono."""
    samples, rate = soundfile.read(path, always_2d=True)
    mono: Floats = samples.mean(-1)
    return mono if rate == RATE else resample_poly(mono, RATE, rate)


def chosen(
    folder: Path,
    labels: list[str] | None,
    speakers: str,
    most: int | None,
    rng: np.random.Generator,
) -> dict[str, list[Path]]:
    """The clips of each speaker, at most `most` of them and of each word as many."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.glob("*/*_*")):
        if path.parent.name.startswith("_") or (labels and path.parent.name not in labels):
            continue
        name = path.name.split("_")[0]
        if path.suffix in (".wav", ".flac", ".opus") and re.match(speakers, name):
            found[name].append(path)
    for name, paths in found.items():
        turns: dict[str, int] = defaultdict(int)
        order = []
        for index in rng.permutation(len(paths)):
            word = paths[index].parent.name
            order.append((turns[word], int(index)))
            turns[word] += 1
        found[name] = [paths[index] for _, index in sorted(order)[:most]]
    return found


def revoice(clips: dict[str, list[Path]], out: Path, copies: int, seed: int) -> None:
    """All copies of all clips."""
    written = skipped = 0
    for name, paths in sorted(clips.items()):
        # By the name: who a copy is does not depend on which other speakers are there.
        rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
        waves = {path: read(path) for path in paths}
        levels = {path: float(np.sqrt(np.square(wave).mean())) for path, wave in waves.items()}
        analyses = {path: analysed(waves[path]) for path in paths if levels[path] > SILENT}
        voiced = {path: clip for path, clip in analyses.items() if clip.pitch}
        skipped += len(paths) - len(voiced)
        if not voiced:
            continue
        usual = float(np.median([clip.pitch for clip in voiced.values() if clip.pitch]))
        people = [new_speaker(usual, rng) for _ in range(copies)]
        for path, clip in voiced.items():
            for number, person in enumerate(people):
                wave = densest(revoiced(clip, person, rng))
                # As loud as the source was: what follows draws levels anyway.
                gain = max(levels[path], QUIETEST) / np.sqrt(np.square(wave).mean())
                wave = wave * min(gain, 0.95 / np.abs(wave).max())
                turn = path.stem.split("_")[-1]
                target = out / path.parent.name / f"{name}-w{number}_nohash_{turn}.flac"
                target.parent.mkdir(parents=True, exist_ok=True)
                soundfile.write(target, wave, RATE, subtype="PCM_16")
                written += 1
        logger.info("%s: %d clips, %d copies each", name, len(voiced), copies)
    logger.info("%d clips written, %d sources without a voice left out", written, skipped)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("source", type=Path, metavar="IN")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--copies", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--labels", nargs="*", help="these words only")
    parser.add_argument("--speakers", default="", help="those whose name begins with a match only")
    parser.add_argument("--most", type=int, help="clips of a speaker")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    rng = np.random.default_rng(options.seed)
    clips = chosen(options.source, options.labels, options.speakers, options.most, rng)
    revoice(clips, options.out, options.copies, options.seed)


if __name__ == "__main__":
    main()
