"""Recorded voices as they are, labelled where several trackers agree.

    python -m training.pitch.agreed FOLDER... --to DATA/speech-agreed --seconds 1800

What WORLD puts together is not what a voice does: it has no creak, no breath that trails off and
no room. So real recordings are heard as well. Their pitch is not exact; it is what WORLD's dio
(with stonemask), Praat's autocorrelation and our YIN all say within 40 cents. Where only two find
a pitch, and the same, it is not asked whether the frame is voiced; where none finds one, or a
single one, it is unvoiced; all else is not counted.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import parselmouth  # type: ignore[import-untyped]
import pyworld  # type: ignore[import-untyped]

import audiopipe
from audiopipe.signals import Audio, PitchTrack
from audiopipe.stages.pitch import Pitch

from .sets import HOP, RATE, About, Clip, write_set
from .voices import SHORTEST, Floats, read, recordings

log = logging.getLogger("agreed")

LOWEST, HIGHEST = 50.0, 800.0
"""Hz; where the trackers look."""
CLOSE = 40.0
"""Cents."""

YIN = audiopipe.chain(Pitch(method="yin", range=(LOWEST, HIGHEST)))


def opinions(wave: Floats) -> Floats:
    """What each tracker says of every 10 ms: [trackers, frames] in Hz, 0 where unvoiced."""
    # Praat and WORLD both stumble over digital silence.
    heard = wave + np.random.default_rng(0).normal(0, 1e-5, len(wave))
    world = {"f0_floor": LOWEST, "f0_ceil": HIGHEST, "frame_period": 10.0}
    coarse, times = pyworld.dio(heard, RATE, **world)
    # Its other method, by cross-correlation, says everything 5 ms late: measured on exact tones.
    sound = parselmouth.Sound(heard, RATE)
    praat = sound.to_pitch_ac(time_step=0.01, pitch_floor=60.0, pitch_ceiling=HIGHEST)
    yin = YIN.run(Audio(heard, RATE))["pitch"]
    assert isinstance(yin, PitchTrack)
    tracks = (
        (pyworld.stonemask(heard, coarse, times, RATE), times),
        (praat.selected_array["frequency"], praat.xs()),
        (np.where(yin.voiced, yin.hz, 0.0), yin.seconds),
    )
    return np.stack([sampled(hz, times, len(wave)) for hz, times in tracks])


def sampled(hz: Floats, times: Floats, samples: int) -> Floats:
    """A track at every 10 ms: between two voiced frames interpolated, else as the nearest says."""
    wanted = np.arange(-(-samples // HOP)) * (HOP / RATE)
    right = np.clip(np.searchsorted(times, wanted), 1, len(times) - 1)
    left = right - 1
    share = np.clip((wanted - times[left]) / (times[right] - times[left]), 0, 1)
    both = (hz[left] > 0) & (hz[right] > 0)
    octaves = np.log2(np.where(hz > 0, hz, 1.0))
    between = np.exp2(octaves[left] + share * (octaves[right] - octaves[left]))
    return np.where(both, between, np.where(share < 0.5, hz[left], hz[right]))


def agreed(found: Floats) -> Floats:
    """The truth of each frame from what three trackers say [3, frames].

    >>> agreed(np.array([[100.0, 100, 0, 100], [101, 100, 0, 200], [99, 0, 90, 100]])).round(1)
    array([ 100., -100.,    0.,   nan])
    """
    voiced = found > 0
    votes = voiced.sum(0)
    octaves = np.log2(np.where(voiced, found, 1.0))
    mean = (octaves * voiced).sum(0) / np.maximum(1, votes)
    alike = (np.abs(octaves - mean) * 1200 < CLOSE / 2) | ~voiced
    truth = np.full(found.shape[1], np.nan)
    truth[votes <= 1] = 0.0
    for count, sign in ((3, 1.0), (2, -1.0)):
        sure = (votes == count) & alike.all(0)
        truth[sure] = sign * np.exp2(mean[sure])
    return truth


def clips(paths: list[Path], seconds: float) -> Iterator[Clip]:
    """Recordings with their pitch until there are so many seconds of them."""
    made = 0.0
    for path in paths:
        wave = read(path)
        if len(wave) >= SHORTEST * RATE:
            made += len(wave) / RATE
            yield wave, agreed(opinions(wave))
        if made >= seconds:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=1800)
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--licence", default="that of the recordings")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    about = About(
        arguments.to.name,
        "speech",
        arguments.licence,
        ", ".join(folder.name for folder in arguments.folders),
        f"labelled where trackers agree, seed {arguments.seed}",
    )
    paths = recordings(arguments.folders, arguments.held_out, arguments.seed)
    log.info(
        "%s: %.0f s", arguments.to, write_set(arguments.to, clips(paths, arguments.seconds), about)
    )


if __name__ == "__main__":
    main()
