"""The free synthesisers of Debian, as so many speakers."""

from __future__ import annotations

import ctypes
import re
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile
from numpy.typing import NDArray

from .clips import WORDS
from .vocabulary import listed

Floats = NDArray[np.float64]

ENGLISH = listed(
    "en en-us en-gb-scotland en-gb-x-rp en-029 en-gb-x-gbclan en-gb-x-gbcwmd en-us-nyc"
)
FOREIGN = listed(
    "de fr es es-419 it nl sv hi pl pt-br pt cs tr fi id ru ro hu el da nb ca vi ta te bn ur"
)
# Robots and whispers stay out, and so do the echoes of those that have one.
VARIANTS = listed("""
f1 f2 f3 f4 f5 m1 m2 m3 m4 m5 m6 m7 m8 klatt klatt2 klatt3 klatt4 adam Alex Alicia Andrea Andy anika
Annie announcer antonio aunty belinda benjamin boris caleb david Denis Diogo ed edward edward2 Gene
Gene2 grandma grandpa gustave Henrique Hugo iven iven2 iven3 iven4 Jacky john kaukovalta Lee linda
marcelo Marco Mario max Michael michel miguel Mike norbert pablo paul pedro quincy rob robert sandro
shelby steph steph2 steph3 travis victor zac
""")
DRAWN = 130
"""Variants of our own; the library holds 349 voices and variants at most."""
ESPEAK_SPEAKERS = 900

# What a language may have for an English sound, the nearest first; others stand as they are.
NEAREST = {
    "0": "0 O o A a", "O2": "0 O o A a", "a": "a a: A", "aa": "a a: A", "A:": "A: A a: a",
    "V": "V a 3 @", "@": "@ e E a", "@2": "@ e E a", "a#": "@ a", "3": "@r er", "3:": "3:r @r er",
    "@L": "@l el", "E": "E e", "I": "I i", "I2": "I i", "I#": "I i", "i": "i I", "i:": "i: i",
    "O": "O o", "O:": "O: O o", "U": "U u", "u:": "u: u", "aI": "aI aj ai", "aU": "aU aw au",
    "eI": "eI ej ei e: e", "oU": "oU ow ou o: o", "OI": "OI oj oi", "O@": "O:r Or or",
    "o@": "O:r Or or", "A@": "A:r ar", "e@": "Er er", "i@3": "i:r ir", "i@": "i@ ia ie",
    "U@": "ur Ur", "T": "T s", "D": "D d z", "Z": "Z z", "h": "h x", "w": "w v", "tS": "tS tj",
    "dZ": "dZ dj", "N": "N n", "t#": "t", "t2": "t", "d#": "d", "S": "S s", "j": "j i", "z": "z s",
}  # fmt: skip

FLITE_VOICES = {"slt": 175, "rms": 105, "awb": 125, "kal16": 105, "kal": 105}
"""Mean f0 in Hz."""
FESTIVAL_VOICES = {
    "kal_diphone": ("kal", 105),
    "ked_diphone": ("ked", 105),
    "cmu_us_slt_arctic_hts": ("slt-hts", 0),
}
"""Short name and mean f0 in Hz; the pitch of the last cannot be set."""
TRACTS = 84, 90, 95, 100, 105, 111, 118
"""Formants of a recorded voice in per cent of its own, by playing it slower or faster."""


def printed(*command: str) -> str:
    """What a command prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Engine(Protocol):
    """A synthesiser: who speaks, and how one text sounds."""

    name: str
    speakers: list[str]
    quietest: float
    """Amplitude of what still belongs to a word, by its loudest: above the floor of the engine."""

    def say(self, speaker: str, text: str, rng: np.random.Generator) -> tuple[Floats, int] | None:
        """Samples and their rate; None where this speaker cannot say it."""

    def sources(self) -> dict[str, str]:
        """Rows of SOURCES.md: Debian packages and what their licence says of the output."""


class Espeak:
    """espeak-ng through its library: accents × variants, some of the variants drawn at random.

    A foreign voice speaks the English phonemes with the nearest sounds that its language has.
    """

    name = "espeak-ng"
    quietest = 0.004  # no floor, and the last breath of a t counts

    def __init__(self, folder: Path, rng: np.random.Generator) -> None:
        self.library = ctypes.CDLL("libespeak-ng.so.1")
        self.library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        installed = Path(printed("espeak-ng", "--version").split("Data at: ")[1].strip())
        drawn = copied_data(installed, folder / "espeak-ng-data", rng)
        synchronous, no_exit = 2, 0x8000
        self.library.espeak_Initialize(synchronous, 200, str(folder).encode(), no_exit)
        kind = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
        )
        self.callback = kind(self._hear)
        self.library.espeak_SetSynthCallback(self.callback)
        self.rate = 22050
        self.blocks: list[NDArray[np.int16]] = []
        self._synthesize("[[a]]")  # only from now on does it read phonemes within brackets
        self.voices: dict[str, tuple[str, str]] = {}
        while len(self.voices) < ESPEAK_SPEAKERS:
            language = str(rng.choice(ENGLISH if rng.random() < 0.62 else FOREIGN))
            variant = str(rng.choice(drawn if rng.random() < 0.7 else VARIANTS))
            self.voices[f"espeak-ng-{language}-{variant}"] = language, variant
        self.speakers = list(self.voices)
        self.sounds = cache(self._sounds)
        self.nearest = cache(self._nearest)
        self.keywords = cache(self._keywords)

    def _hear(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _: int) -> int:
        if count > 0:
            self.blocks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    def say(self, speaker: str, text: str, rng: np.random.Generator) -> tuple[Floats, int] | None:
        language, variant = self.voices[speaker]
        spoken = text
        if language in FOREIGN:
            spoken = self.nearest(language, text)
        caribbean_tree = language == "en-029" and text == "three"
        if not spoken or caribbean_tree:
            return None
        if text not in WORDS and self.sounds(language, spoken) in self.keywords(language):
            return None
        self._speak_as(f"{language}+{variant}")
        # Rate in words a minute, volume, pitch, pitch range.
        ranges = {1: (105, 250), 2: (60, 110), 3: (28, 82), 4: (15, 100)}
        for parameter, limits in ranges.items():
            self.library.espeak_SetParameter(parameter, int(rng.uniform(*limits)), 0)
        self._synthesize(spoken + str(rng.choice(["", ".", "?", "!", ","])))
        if not self.blocks:
            return None
        return np.concatenate(self.blocks) / 32768, self.rate

    def _synthesize(self, text: str) -> None:
        utf8_and_phonemes = 0x101
        said = text.encode()
        self.blocks.clear()
        self.library.espeak_Synth(said, len(said) + 1, 0, 1, 0, utf8_and_phonemes, None, None)

    def _speak_as(self, voice: str) -> None:
        if self.library.espeak_SetVoiceByName(voice.encode()):
            raise ValueError(f"espeak-ng has no voice {voice}")

    def _phonemes(self, language: str, text: str, mode: int) -> str:
        self._speak_as(language)
        pointer = ctypes.pointer(ctypes.c_char_p(text.encode()))
        return (self.library.espeak_TextToPhonemes(pointer, 1, mode) or b"").decode()

    def _sounds(self, language: str, text: str) -> str:
        """IPA without stress, length and tone, so that what sounds alike is alike."""
        return re.sub(r"[ˈˌː0-9_ \u200d]", "", self._phonemes(language, text, 2))

    def _keywords(self, language: str) -> set[str]:
        words: Sequence[str] = WORDS
        if language in FOREIGN:
            words = [self.nearest(language, word) for word in words]
        return {self.sounds(language, word) for word in words}

    def _nearest(self, language: str, text: str) -> str:
        """Phoneme input for an English text in another language; empty if a sound is lacking."""
        if text.startswith("[["):
            return text
        found = []
        for phoneme in self._phonemes("en-us", text, ord("|") << 8).replace(" ", "|").split("|"):
            sound = phoneme.strip("_:;',%=")
            if not sound:
                continue
            options = NEAREST.get(sound, sound).split()
            # An unknown mnemonic ends the phonemes: what can be spoken is followed by the t.
            spoken = [o for o in options if re.search(r".t", self.sounds(language, f"[[{o}|t]]"))]
            if not spoken:
                return ""
            found.append(("'" if "'" in phoneme else "") + spoken[0])
        return f"[[{'|'.join(found)}]]"

    def sources(self) -> dict[str, str]:
        return {
            "espeak-ng": "GPL-3.0-or-later; its section 2: output is covered only if, given its "
            "content, it constitutes a covered work. Synthetic speech reproduces no part of the "
            "program; its stops and fricatives come from short samples in the program's data."
        }


def copied_data(installed: Path, data: Path, rng: np.random.Generator) -> list[str]:
    """Link espeak-ng's data, with variants of our own beside those we use; the names of ours."""
    variants = data / "voices" / "!v"
    variants.mkdir(parents=True)
    for source in installed.iterdir():
        if source.name != "voices":
            (data / source.name).symlink_to(source)
    for source in (installed / "voices").iterdir():
        if source.name not in ("!v", "mb"):  # mbrola's voices are not free
            (data / "voices" / source.name).symlink_to(source)
    for name in VARIANTS:
        text = (installed / "voices" / "!v" / name).read_text()
        (variants / name).write_text(re.sub(r"(?m)^\s*echo.*$", "", text))
    names = [f"drawn{number:03}" for number in range(DRAWN)]
    for name in names:
        (variants / name).write_text("\n".join(drawn_variant(name, rng)) + "\n")
    return names


def drawn_variant(name: str, rng: np.random.Generator) -> Iterator[str]:
    """Lines of a variant: the length of a vocal tract, a pitch that goes with it, a phonation."""
    # Formants as multiples of a man's; somewhat more women and children, whom the others lack.
    tract = rng.uniform(0.9, 1.08) if rng.random() < 0.35 else rng.uniform(1.08, 1.32)
    low = 90 * np.exp(3.6 * (tract - 1) + rng.normal(0, 0.2))
    yield "language variant"
    yield f"name {name}"
    yield f"gender {'male' if tract < 1.08 else 'female'}"
    yield f"pitch {low:.0f} {low * rng.uniform(1.25, 1.8):.0f}"
    for formant in range(9):
        own = tract * (1 + rng.normal(0, 0.03))
        height, width = rng.uniform(75, 120), rng.uniform(75, 130)
        yield f"formant {formant} {100 * own:.0f} {height:.0f} {width:.0f}"
    yield f"flutter {rng.uniform(0, 6):.0f}"
    yield f"roughness {rng.integers(0, 4)}"
    yield f"voicing {rng.uniform(75, 130):.0f}"
    yield f"consonants {rng.uniform(70, 130):.0f} {rng.uniform(80, 120):.0f}"
    yield f"intonation {rng.integers(1, 5)}"
    if rng.random() < 0.3:
        yield f"breath 0 {' '.join(str(n) for n in rng.integers(0, 11, 6))}"
    if rng.random() < 0.25:
        yield f"klatt {rng.integers(1, 5)}"


class Flite:
    """flite, a process a clip: 10 to 40 ms."""

    name = "flite"
    quietest = 0.015

    def __init__(self, folder: Path) -> None:
        self.file = folder / "flite.wav"
        self.speakers = [f"flite-{v}-x{t:03}" for v in FLITE_VOICES for t in TRACTS]
        # 8 kHz: one narrow voice is enough.
        self.speakers = [s for s in self.speakers if "-kal-" not in s or s.endswith("x100")]

    def say(self, speaker: str, text: str, rng: np.random.Generator) -> tuple[Floats, int] | None:
        _, voice, warp = speaker.split("-")
        tract = int(warp[1:]) / 100
        mean = FLITE_VOICES[voice] * tract * np.exp(rng.uniform(-0.2, 0.35))
        stretch = tract * rng.uniform(0.75, 1.3)
        command = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch:.3f}"]
        command += ["--setf", f"int_f0_target_mean={mean:.1f}"]
        command += ["--setf", f"int_f0_target_stddev={mean * rng.uniform(0.05, 0.22):.1f}"]
        subprocess.run([*command, "-t", text, "-o", str(self.file)], check=True)
        samples, rate = soundfile.read(self.file)
        return samples, round(rate * tract)

    def sources(self) -> dict[str, str]:
        return {
            "flite": "CMU's licence (MIT-like, voices included): to use and distribute without "
            "restriction; nothing is asked of the output."
        }


class Festival:
    """festival with its three free English voices, one process that is fed line by line."""

    name = "festival"
    quietest = 0.015

    def __init__(self, folder: Path) -> None:
        self.file = folder / "festival.wav"
        self.voices = {
            f"festival-{short}-x{tract:03}": (voice, mean, tract / 100)
            for voice, (short, mean) in FESTIVAL_VOICES.items()
            for tract in TRACTS
        }
        self.speakers = list(self.voices)
        self.process = subprocess.Popen(
            ["festival", "--pipe"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def say(self, speaker: str, text: str, rng: np.random.Generator) -> tuple[Floats, int] | None:
        voice, mean, tract = self.voices[speaker]
        lines = [f"(voice_{voice})"]
        stretch = tract * rng.uniform(0.75, 1.25)
        if mean:
            f0 = mean * tract * np.exp(rng.uniform(-0.2, 0.35))
            spread = f0 * rng.uniform(0.05, 0.22)
            lines += [f"(Parameter.set 'Duration_Stretch {stretch:.3f})"]
            lines += [
                f"(set! int_lr_params '((target_f0_mean {f0:.1f}) (target_f0_std {spread:.1f})"
                " (model_f0_mean 170) (model_f0_std 34)))"
            ]
        lines += [f'(utt.save.wave (utt.synth (Utterance Text "{text}")) "{self.file}")']
        lines += ['(begin (format t "said\\n") (fflush nil))']
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write("\n".join(lines) + "\n")
        self.process.stdin.flush()
        while "said" not in (line := self.process.stdout.readline()):
            if not line:
                raise RuntimeError("festival ended")
        samples, rate = soundfile.read(self.file)
        return samples, round(rate * tract)

    def sources(self) -> dict[str, str]:
        free = "to use and distribute without restriction; nothing is asked of the output."
        return {
            "festival": f"Edinburgh's licence (MIT-like): {free}",
            "festvox-kallpc16k": f"CMU's licence (MIT-like): {free}",
            "festvox-kdlpc16k": f"Edinburgh's licence (MIT-like): {free}",
            "festvox-us-slt-hts": f"CMU's licence (MIT-like), BSD-3-Clause in parts: {free}",
            "festlex-cmu": f"Edinburgh's licence (MIT-like): {free}",
            "festlex-poslex": f"Edinburgh's licence (MIT-like): {free}",
        }
