"""Sets passed through codecs, aligned to the sample: the same truth for a coarser sound.

    apt-get install ffmpeg
    python -m training.pitch.codecs SET OUT [--seconds 1200] [--seed 0]

Takes clips of SET at random, each through a codec and a bit rate drawn for it. What a codec delays
is measured once for each, with noise, and cut.
"""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audiopipe.errors import AudiopipeError
from training.pitch.sets import HOP, RATE, About, Clip, PitchSet, read_set, write_set
from training.pitch.tones import levels

Samples = NDArray[np.int16]
Floats = NDArray[np.float64]

LEAD = RATE // 4
"""Samples of silence before and after, so that no codec's delay or start cuts off sound."""
GROUP = 6
"""Clips that go through ffmpeg together: to start it takes longer than to code one."""
LOST = 0.1
"""What is left of the level of a frame that a codec left out, at most."""
LONGEST = RATE // 8
"""Samples that a codec may delay."""


class CodecError(AudiopipeError):
    """ffmpeg is missing, or cannot do what is asked of it."""

    exit_code = 2


@dataclass(frozen=True)
class Codec:
    """A codec as ffmpeg names it, in a container, at one of some rates in Hz and in kbit/s."""

    name: str
    container: str
    weight: float
    kilobits: tuple[int, ...] = ()
    rates: tuple[int, ...] = (RATE,)


CODECS = (
    Codec("libmp3lame", "mp3", 3.0, (32, 40, 48, 56, 64)),
    Codec("libopus", "ogg", 3.0, (6, 8, 10, 12, 16, 20, 24)),
    Codec("aac", "adts", 2.0, (16, 20, 24, 32, 48)),
    Codec("pcm_mulaw", "wav", 1.0, rates=(8000,)),
    Codec("libgsm", "gsm", 1.0, rates=(8000,)),
    Codec("libspeex", "ogg", 0.7, (6, 10, 16, 24), (8000, RATE)),
)


def ffmpeg(arguments: list[str], data: bytes) -> bytes:
    """What ffmpeg makes of `data`."""
    command = ["ffmpeg", "-hide_banner", "-loglevel", "error", *arguments, "pipe:1"]
    try:
        return subprocess.run(command, input=data, check=True, capture_output=True).stdout
    except FileNotFoundError as error:
        raise CodecError("ffmpeg is not there (apt-get install ffmpeg)") from error
    except subprocess.CalledProcessError as error:
        raise CodecError(f"{' '.join(command)}: {error.stderr.decode().strip()}") from error


def coded(samples: Samples, codec: Codec, kilobits: int | None, rate: int) -> Samples:
    """Encoded and decoded again, as late as the codec makes it."""
    raw = ["-f", "s16le", "-ar", str(RATE), "-ac", "1"]
    rates = [] if kilobits is None else ["-b:a", f"{kilobits}k"]
    encode = [*raw, "-i", "pipe:0", "-c:a", codec.name, "-ar", str(rate), *rates]
    packed = ffmpeg([*encode, "-f", codec.container], samples.tobytes())
    form = {"adts": "aac"}.get(codec.container, codec.container)
    back = ffmpeg(["-f", form, "-i", "pipe:0", *raw], packed)
    return np.frombuffer(back[: len(back) // 2 * 2], np.int16)


@cache
def delay(codec: Codec, kilobits: int | None, rate: int) -> int:
    """By how many samples it is late, from the correlation with noise that went through."""
    rng = np.random.default_rng(0)
    noise = np.convolve(rng.normal(size=2 * RATE), np.hanning(12), mode="same")
    # It swells and fades twice a second: codecs that predict can follow that.
    noise *= 0.5 + 0.5 * np.sin(4 * np.pi * np.arange(len(noise)) / RATE)
    sound = np.pad((noise * 3000).astype(np.int16), LEAD)
    late = coded(sound, codec, kilobits, rate).astype(float)
    size = 1 << (len(sound) + len(late)).bit_length()
    spectrum = np.fft.rfft(late, size) * np.conj(np.fft.rfft(sound.astype(float), size))
    match = np.fft.irfft(spectrum, size)
    found = np.concatenate([match[-LONGEST:], match[: LONGEST + 1]])
    best = int(found.argmax())
    if found[best] < 4 * np.abs(np.delete(found, range(max(0, best - 40), best + 41))).max() / 3:
        raise CodecError(f"{codec.name} at {kilobits} kbit/s: its delay is not clear")
    return best - LONGEST


def through(
    sounds: Sequence[Samples], codec: Codec, kilobits: int | None, rate: int
) -> Iterator[Samples]:
    """As they come out of a codec, as long as they went in and not late."""
    late = delay(codec, kilobits, rate)
    padded = [np.pad(sound, LEAD) for sound in sounds]
    out = coded(np.concatenate(padded), codec, kilobits, rate)
    out = np.pad(out, (LEAD, 2 * LEAD))  # for codecs that are early, or stop early
    at = 2 * LEAD + late
    for sound in sounds:
        yield out[at : at + len(sound)]
        at += len(sound) + 2 * LEAD


def known(f0: NDArray[np.float32], old: Floats, new: Floats) -> NDArray[np.float32]:
    """The truth without the frames that a codec left out, as those above 4 kHz at 8 kHz.

    Shape: f0 [frames], old and new [samples] -> [frames]
    """
    places = np.arange(len(f0)) * HOP
    width = RATE // 25
    lost = levels(new, places, width) < LOST * levels(old, places, width)
    return np.where(lost & (f0 != 0), np.float32(np.nan), f0)


def coded_clips(source: PitchSet, seed: int, seconds: float) -> Iterator[Clip]:
    """Some of the clips of a set, about `seconds` in all; GROUP of them share a codec."""
    rng = np.random.default_rng([seed, 6])
    weights = np.array([codec.weight for codec in CODECS])
    order = rng.permutation(len(source))
    made = 0
    for first in range(0, len(order), GROUP):
        if made >= seconds * RATE:
            break
        clips = [source.clip(int(index)) for index in order[first : first + GROUP]]
        codec = CODECS[rng.choice(len(CODECS), p=weights / weights.sum())]
        kilobits = int(rng.choice(codec.kilobits)) if codec.kilobits else None
        sounds = [np.asarray(sound) for sound, _ in clips]
        heard = through(sounds, codec, kilobits, int(rng.choice(codec.rates)))
        for new, (old, f0) in zip(heard, clips, strict=True):
            made += len(new)
            yield new / 32767, known(f0, old / 32767, new / 32767)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("source", type=Path, metavar="SET")
    parser.add_argument("out", type=Path, metavar="OUT", help="the folder of the new set")
    parser.add_argument("--seconds", type=float, default=1200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    source = read_set(options.source)
    about = About(
        name=options.out.name,
        category=source.about.category,
        licence=source.about.licence,
        source=source.about.source,
        how=f"{source.about.how}; through codecs, seed {options.seed}",
    )
    clips = coded_clips(source, options.seed, options.seconds)
    print(f"{options.out}: {write_set(options.out, clips, about):.0f} s")


if __name__ == "__main__":
    main()
