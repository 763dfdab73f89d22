"""Make the recordings of this folder, the same every time: `python samples/make.py [FOLDER]`.

Nothing is recorded or copied: the voice is a sum of harmonics under vowel formants, the strings
are Karplus-Strong, the drums are noise. Tunes and sounds are ours.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import butter, lfilter, oaconvolve, sosfilt

Wave = np.ndarray

FORMANTS = {
    "a": (800, 1150, 2900, 3900, 4950),
    "e": (450, 1900, 2700, 3500, 4950),
    "i": (320, 2150, 2900, 3700, 4950),
    "o": (470, 850, 2830, 3500, 4950),
    "u": (330, 700, 2530, 3500, 4950),
}
"""The resonances of the vowels in Hz."""
BANDWIDTHS = (80, 95, 130, 150, 180)
HOP = 0.01
"""Seconds between two rows of a table of true pitch."""

BEAT = 0.6
TUNE = (
    # Phrases of (note, beats, vowel); between phrases the singer breathes.
    ((64, 0.5, "a"), (67, 0.5, "o"), (69, 1.5, "a"), (67, 0.5, "e"), (64, 1.0, "i")),
    ((62, 0.5, "o"), (64, 0.5, "e"), (67, 1.0, "a"), (64, 0.5, "e"), (62, 0.5, "o"), (60, 2, "u")),
)
BREATH = 0.3

SONG_BEAT = 0.46
SONG_TUNE = (
    # Over the chords of the band, two bars a phrase, of which the last beat is for breathing.
    ((69, 1, "a"), (72, 1, "o"), (69, 1, "e"), (65, 0.5, "i"), (67, 0.5, "e"), (69, 2, "a")),
    ((72, 1, "a"), (71, 0.5, "e"), (67, 1.5, "o"), (69, 1, "a"), (67, 0.5, "e"), (71, 1.5, "u")),
)


def hertz(note: float | Wave) -> Wave:
    """The frequency of a MIDI note."""
    return 440 * 2 ** ((np.asarray(note, float) - 69) / 12)


def smooth(values: Wave, seconds: float, rate: int) -> Wave:
    """Glide from value to value, by a raised cosine of so many seconds."""
    half = max(1, round(seconds * rate / 2))
    window = np.hanning(2 * half + 1)
    return oaconvolve(np.pad(values, half, mode="edge"), window / window.sum(), mode="valid")


def sing(f0: Wave, formants: Sequence[Wave], loud: Wave, rate: int, top: float) -> Wave:
    """A voice: every harmonic as loud as the vocal tract lets it through, none above `top` Hz."""
    phase = 2 * np.pi * np.cumsum(f0) / rate
    voice, power = np.zeros_like(f0), np.zeros_like(f0)
    every, seldom = np.arange(len(f0)), np.arange(0, len(f0), 32)
    for k in range(1, int(top / f0.min()) + 1):
        f = k * f0[seldom]
        gain = (f / 200) ** -0.6  # glottis and lips
        for centre, width in zip(formants, BANDWIDTHS, strict=True):
            at = centre[seldom]
            gain /= np.hypot(1 - (f / at) ** 2, f * width / at**2)
        gain *= np.clip((top - f) / (0.2 * top), 0, 1)
        gain = np.interp(every, seldom, gain)
        voice += gain * np.sin(k * phase)
        power += gain**2
    return voice * loud * smooth(power, 0.02, rate) ** -0.4  # vowels are nearly as loud


Phrases = Sequence[Sequence[tuple[int, float, str]]]


def melody(
    rate: int = 44100, phrases: Phrases = TUNE, beat: float = BEAT, breath: float = BREATH
) -> tuple[Wave, list[tuple[float, float | None]]]:
    """A sung tune, and its true pitch: (time in s, Hz or None where nothing sounds)."""
    notes, loud, vibrato, vowels = [], [], [], []

    def add(seconds: float, note: float, vowel: str, level: float) -> None:
        count = round(seconds * rate)
        since = np.arange(count) / rate
        notes.append(np.full(count, float(note)))
        vowels.extend(vowel * count)
        loud.append(np.full(count, level) * (1 - 0.35 * since / max(seconds, 0.6)))
        vibrato.append(
            0.35 * np.clip((since - 0.25) / 0.35, 0, 1) if seconds >= beat else since * 0
        )

    add(breath, phrases[0][0][0], phrases[0][0][2], 0)
    for phrase in phrases:
        for note, beats, vowel in phrase:
            add(beats * beat, note, vowel, 1.0)
        add(breath, note, vowel, 0)
    time = np.arange(sum(map(len, notes))) / rate
    wobble = smooth(np.concatenate(vibrato), 0.05, rate) * np.sin(2 * np.pi * 5.6 * time)
    f0 = hertz(smooth(np.concatenate(notes), 0.07, rate) + wobble)
    table = np.array([FORMANTS[v] for v in vowels], float)
    formants = [smooth(table[:, n], 0.08, rate) for n in range(table.shape[1])]
    level = np.concatenate(loud)
    envelope = smooth(level, 0.09, rate)
    wave = sing(f0, formants, envelope, rate, top=9000)
    truth = []
    for k in range(len(wave) // round(HOP * rate) + 1):
        at = min(k * round(HOP * rate), len(wave) - 1)
        truth.append((k * HOP, float(f0[at]) if envelope[at] > 0.05 else None))
    return normal(wave, 0.5), truth


def vowels(rate: int = 16000) -> tuple[Wave, list[tuple[float, float | None]]]:
    """Five vowels at the pitch of a speaking voice, each falling a little; and the true pitch."""
    gap, long = round(0.25 * rate), round(0.5 * rate)
    parts, pitches = [np.zeros(gap)], [np.full(gap, np.nan)]
    for number, vowel in enumerate("aeiou"):
        since = np.arange(long) / long
        f0 = (135 - 4 * number) * (1 + 0.05 * np.sin(np.pi * since) - 0.12 * since)
        formants = [np.full(long, 0.88 * f) for f in FORMANTS[vowel]]
        loud = np.minimum(1, np.minimum(since / 0.1, (1 - since) / 0.25))
        parts += [normal(sing(f0, formants, loud, rate, top=7000), 0.5), np.zeros(gap)]
        pitches += [np.where(loud > 0.05, f0, np.nan), np.full(gap, np.nan)]
    wave, f0 = np.concatenate(parts), np.concatenate(pitches)
    frames = range(0, len(wave) + 1, round(HOP * rate))
    values = [f0[min(at, len(f0) - 1)] for at in frames]
    truth = [(k * HOP, None if np.isnan(f) else float(f)) for k, f in enumerate(values)]
    return wave, truth


def pluck(note: float, seconds: float, rate: int, rng: np.random.Generator) -> Wave:
    """A plucked string: a burst of noise in a loop that averages (Karplus & Strong 1983)."""
    period = rate / float(hertz(note)) - 0.5
    whole, part = int(period), period - int(period)
    loop = np.convolve([0.5, 0.5], [1 - part, part]) * 0.996
    burst = np.zeros(round(seconds * rate))
    burst[: whole + 1] = rng.uniform(-1, 1, whole + 1)
    burst = lfilter([0.4], [1, -0.6], burst)
    wave = lfilter([1], [1, *np.zeros(whole - 1), *-loop], burst)
    return wave * np.minimum(1, np.arange(len(burst))[::-1] / (0.05 * rate))


def bass(note: float, seconds: float, rate: int) -> Wave:
    """A round tone that dies away."""
    time = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * hertz(note) * time
    wave = sum(np.sin(k * phase) * np.exp(-(1.5 + k) * time) / k**1.5 for k in range(1, 7))
    return wave * np.minimum(1, time / 0.008) * np.minimum(1, time[::-1] / 0.03)


def drum(kind: str, rate: int, rng: np.random.Generator) -> Wave:
    """A kick, a snare or a hi-hat."""
    time = np.arange(round(0.25 * rate)) / rate
    noise = rng.standard_normal(len(time))
    if kind == "kick":
        return 1.2 * np.sin(2 * np.pi * (48 * time - 3 * np.exp(-30 * time))) * np.exp(-14 * time)
    if kind == "snare":
        body = np.sin(2 * np.pi * 185 * time) * np.exp(-25 * time)
        high = sosfilt(butter(2, 1200, "highpass", fs=rate, output="sos"), noise)
        return 0.5 * body + 0.22 * high * np.exp(-45 * time)
    high = sosfilt(butter(4, 6000, "highpass", fs=rate, output="sos"), noise)
    return 0.25 * high * np.exp(-70 * time)


def band(rate: int = 22050) -> dict[str, Wave]:
    """Guitar, bass and drums over four chords, each [time, 2]: the mix is their sum."""
    rng = np.random.default_rng(4)
    beat = SONG_BEAT
    chords = ((57, 60, 64, 69), (53, 60, 65, 69), (55, 60, 64, 67), (55, 59, 62, 67))
    length = round((4 * 4 * beat + 0.24) * rate)
    pans = {"guitar": 0.65, "bass": 0.5, "drums": 0.5}
    stems = {name: np.zeros(length) for name in pans}

    def put(stem: str, at: float, wave: Wave, level: float) -> None:
        first = round(at * rate)
        end = min(length, first + len(wave))
        stems[stem][first:end] += level * wave[: end - first]

    for bar, chord in enumerate(chords):
        start = 4 * beat * bar
        for step, voice in enumerate((0, 1, 2, 3, 2, 3, 1, 2)):
            put("guitar", start + step * beat / 2, pluck(chord[voice], 1.1, rate, rng), 0.9)
        for step, note, long in ((0, chord[0] - 12, 1.6), (2, chord[0] - 12, 0.9), (3, 43, 0.9)):
            put("bass", start + step * beat, bass(note, long * beat, rate), 0.35)
        for step in range(8):
            if step % 4 == 0:
                put("drums", start + step * beat / 2, drum("kick", rate, rng), 0.6)
            if step % 4 == 2:
                put("drums", start + step * beat / 2, drum("snare", rate, rng), 0.5)
            put("drums", start + step * beat / 2, drum("hat", rate, rng), 0.16)
    put("guitar", 16 * beat, pluck(57, 0.5, rate, rng), 0.6)
    angles = {name: pan * np.pi / 2 for name, pan in pans.items()}
    sides = {name: np.array([np.cos(a), np.sin(a)]) for name, a in angles.items()}
    placed = {name: stems[name][:, None] * sides[name] for name in stems}
    loudest = np.abs(sum(placed.values())).max()
    return {name: 0.7 * stem / loudest for name, stem in placed.items()}


def song(rate: int = 44100) -> dict[str, Wave]:
    """A singer before the band, as stems [time, 2]: the mix is their sum."""
    played = band(rate)
    voice, _ = melody(rate, SONG_TUNE, SONG_BEAT, breath=SONG_BEAT)
    sung = np.zeros_like(played["guitar"])
    sung[: len(voice)] = 0.4 * voice[: len(sung), None]
    stems = {
        "vocals": sung,
        "drums": played["drums"],
        "bass": played["bass"],
        "other": played["guitar"],
    }
    loudest = np.abs(sum(stems.values())).max()
    return {name: 0.9 * stem / loudest for name, stem in stems.items()}


def noise(rate: int = 22050, seconds: float = 2.0) -> Wave:
    """Pink noise: the same power in every octave."""
    count = round(rate * seconds)
    spectrum = np.fft.rfft(np.random.default_rng(7).standard_normal(count))
    spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(count, 1 / rate), 20))
    return normal(np.fft.irfft(spectrum, count), 0.25)


def normal(wave: Wave, peak: float) -> Wave:
    """The wave with a given peak."""
    return wave * (peak / np.abs(wave).max())


def write(path: Path, wave: Wave, rate: int, bits: int = 16) -> None:
    """Write 16-bit FLAC; with fewer `bits` the rest are zeros, which FLAC does not store."""
    step = 1 << (16 - bits)
    whole = np.rint(wave * 32768 / step) * step
    samples = whole.clip(-32768, 32767).astype(np.int16)
    soundfile.write(path, samples, rate, "PCM_16", compression_level=1.0)


def write_truth(path: Path, truth: Sequence[tuple[float, float | None]]) -> None:
    """Write a table of true pitch; `hz` is empty where nothing sounds."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("time_s", "hz"))
        rows.writerows((f"{time:.2f}", "" if f is None else f"{f:.3f}") for time, f in truth)


def main(folder: Path) -> None:
    """Make all of it."""
    for name, (wave, truth), rate in (
        ("melody", melody(), 44100),
        ("vowels", vowels(), 16000),
    ):
        write(folder / f"{name}.flac", wave, rate)
        write_truth(folder / f"{name}.f0.csv", truth)
    write(folder / "band.flac", sum(band().values()), 22050, bits=11)
    write(folder / "song.flac", sum(song().values()), 44100, bits=11)
    write(folder / "noise.flac", noise(), 22050)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
