"""What happens to speech after it was marked: codecs, filters, noise, changes of time."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
import soxr
from scipy.signal import butter, fftconvolve, sosfilt

Sound = np.ndarray
"""Samples [time], mono."""
Attack = Callable[[Sound, int], tuple[Sound, int]]
"""What is made of a sound of a rate in Hz, and the rate of that."""


def coded(suffix: str, *options: str, rate: int = 0) -> Attack:
    """Coded by ffmpeg, and decoded again."""

    def attack(sound: Sound, given: int) -> tuple[Sound, int]:
        with tempfile.TemporaryDirectory() as folder:
            source, target, back = (Path(folder) / n for n in ("a.wav", f"b{suffix}", "c.wav"))
            soundfile.write(source, sound, given)
            quiet = ["ffmpeg", "-nostdin", "-v", "error"]
            resampled = ["-ar", str(rate)] if rate else []
            subprocess.run([*quiet, "-i", source, *resampled, *options, target], check=True)
            subprocess.run([*quiet, "-i", target, "-ac", "1", back], check=True)
            return soundfile.read(back, dtype="float32")

    return attack


def filtered(*effect: str) -> Attack:
    """Through an effect of ffmpeg."""
    return coded(".wav", "-af", *effect)


def by_way_of(*rates: int) -> Attack:
    """Resampled to each of the rates in Hz in turn."""

    def attack(sound: Sound, given: int) -> tuple[Sound, int]:
        for rate in rates:
            sound, given = soxr.resample(sound, given, rate), rate
        return sound, given

    return attack


def noisy(decibels: float) -> Attack:
    """With white noise, so many dB below the mean power of the speech."""

    def attack(sound: Sound, rate: int) -> tuple[Sound, int]:
        noise = np.random.default_rng(1).standard_normal(len(sound))
        level = sound.std() * 10 ** (-decibels / 20)
        return (sound + level * noise).astype(np.float32), rate

    return attack


def with_music(decibels: float) -> Attack:
    """Over chords, so many dB below the mean power of the speech."""

    def attack(sound: Sound, rate: int) -> tuple[Sound, int]:
        time = np.arange(len(sound)) / rate
        bed = np.zeros(len(sound))
        for bar, root in enumerate((220.0, 174.6, 261.6, 196.0)):
            here = (time // 2).astype(int) % 4 == bar
            for third in (1, 1.25, 1.5, 2):
                for partial in range(1, 9):
                    bed += here * np.sin(2 * np.pi * root * third * partial * time) / partial
        level = sound.std() / bed.std() * 10 ** (-decibels / 20)
        return (sound + level * bed).astype(np.float32), rate

    return attack


def equalised(sound: Sound, rate: int) -> tuple[Sound, int]:
    """Less bass and more presence: -6 dB below 250 Hz, +6 dB above 2 kHz."""
    low = sosfilt(butter(1, 250, "low", fs=rate, output="sos"), sound)
    high = sosfilt(butter(1, 2000, "high", fs=rate, output="sos"), sound)
    return (sound - 0.5 * low + high).astype(np.float32), rate


def echoed(sound: Sound, rate: int) -> tuple[Sound, int]:
    """In a room of 0.4 s, half direct sound and half room, by power."""
    time = np.arange(int(0.4 * rate)) / rate
    room = np.random.default_rng(2).standard_normal(len(time)) * 10 ** (-3 * time / 0.4)
    late = fftconvolve(sound, room)[: len(sound)]
    return (sound + late * sound.std() / late.std()).astype(np.float32), rate


def rounded(bits: int) -> Attack:
    """Rounded to so many bits."""
    return lambda sound, rate: (np.round(sound * 2 ** (bits - 1)) / 2 ** (bits - 1), rate)


def louder(decibels: float) -> Attack:
    """Louder by so many dB, and clipped at full scale."""
    return lambda sound, rate: (np.clip(sound * 10 ** (decibels / 20), -1, 1), rate)


ATTACKS: dict[str, Attack] = {
    "none": lambda sound, rate: (sound, rate),
    "MP3, 64 kbit/s": coded(".mp3", "-b:a", "64k"),
    "MP3, 64 kbit/s, 44.1 kHz stereo": coded(".mp3", "-b:a", "64k", "-ac", "2", rate=44100),
    "MP3, 32 kbit/s": coded(".mp3", "-b:a", "32k"),
    "AAC, 64 kbit/s": coded(".m4a", "-b:a", "64k"),
    "Opus, 64 kbit/s": coded(".opus", "-b:a", "64k"),
    "Opus, 32 kbit/s": coded(".opus", "-b:a", "32k"),
    "Opus, 16 kbit/s": coded(".opus", "-b:a", "16k"),
    "MP3 64, then Opus 32": lambda s, r: ATTACKS["Opus, 32 kbit/s"](
        *ATTACKS["MP3, 64 kbit/s"](s, r)
    ),
    "24 to 16 to 24 kHz": by_way_of(24000, 16000, 24000),
    "to 44.1 kHz": by_way_of(44100),
    "telephone: 8 kHz": by_way_of(8000),
    "low-pass, 8 kHz": filtered("lowpass=f=8000:p=2,lowpass=f=8000:p=2"),
    "16 bits": rounded(16),
    "8 bits": rounded(8),
    "-30 dB, 16 bits": lambda s, r: rounded(16)(*louder(-30)(s, r)),
    "+12 dB, clipped": louder(12),
    "equaliser": equalised,
    "compressor": filtered("acompressor=threshold=-30dB:ratio=6:attack=5:release=80"),
    "room, 0.4 s": echoed,
    "noise at 30 dB": noisy(30),
    "noise at 20 dB": noisy(20),
    "noise at 10 dB": noisy(10),
    "music at 20 dB": with_music(20),
    "music at 10 dB": with_music(10),
    "speed + 0.1 %": filtered("asetrate=r=24024,aresample=24000"),
    "speed + 1 %": filtered("asetrate=r=24240,aresample=24000"),
    "tempo + 1 %": filtered("atempo=1.01"),
    "tempo + 5 %": filtered("atempo=1.05"),
    "pitch + 1 semitone": filtered("asetrate=r=25427,aresample=24000,atempo=0.94387"),
    "denoised": filtered("afftdn=nr=12:nf=-40"),
}
"""By their names in the table. All but a few take sound of 24 kHz."""


def available() -> bool:
    """Whether ffmpeg is there."""
    return shutil.which("ffmpeg") is not None
