"""A voice on held-out sentences, beside the recordings and other programs.

    python -m training.speak.evaluate kathleen=FOLDER --data DATA --run RUN \\
        --vocoder RUN_OF_THE_VOCODER --limit 30

Writes `RUN/evaluation.json`, and all sounds to `RUN/said/WHO/NAME.wav`. English words are
recognised by pocketsphinx (`pip install pocketsphinx`), whose errors on the recordings are the
measure of all others; other languages have no recogniser here, and no word errors. `flite` (a
woman, slt, and a man, rms) and `espeak-ng` are measured where they are installed.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import shutil
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor
from torchaudio.functional import resample

from audiopipe.nets.frames import LogMel, MelConfig
from audiopipe.nets.speech import SpeechNet
from audiopipe.text.phonemes import is_vowel
from audiopipe.voices.tokens import MARKS, labels

from ..vocoder.evaluate import copied, load_vocoder
from .corpus import Recording, Source, read_corpus
from .data import Spoken, load
from .prepare import f0_of
from .run import load_speech, whole

RATE = MelConfig.rate
OTHERS = {
    "en": {
        "flite": ("flite", "-voice", "slt", "-t", "{text}", "-o", "{path}"),
        "flite rms": ("flite", "-voice", "rms", "-t", "{text}", "-o", "{path}"),
        "espeak-ng": ("espeak-ng", "-v", "en-us", "-w", "{path}", "{text}"),
    },
    "de": {"espeak-ng": ("espeak-ng", "-v", "de", "-w", "{path}", "{text}")},
}
Figures = dict[str, float]


def words(text: str) -> list[str]:
    """Words as the recogniser writes them: lower case, without marks."""
    return re.sub(r"[^a-z' ]", " ", text.lower().replace("-", " ")).split()


def errors(said: list[str], heard: list[str]) -> int:
    """How many words have to be changed, left out or put in (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for number, word in enumerate(said, start=1):
        last, row[0] = row[0], number
        for k, other in enumerate(heard, start=1):
            last, row[k] = row[k], min(row[k] + 1, row[k - 1] + 1, last + (word != other))
    return row[-1]


def recogniser(language: str) -> Callable[[Tensor], list[str]] | None:
    """What hears words in samples [time] of 24 kHz; None where nothing knows the language."""
    if language != "en":
        return None
    from pocketsphinx import Decoder

    decoder = Decoder(samprate=16_000, loglevel="FATAL")

    def hear(audio: Tensor) -> list[str]:
        sound = resample(audio, RATE, 16_000)
        sound = sound * (0.5 / sound.abs().max().clamp(min=1e-4))
        decoder.start_utt()
        decoder.process_raw((sound * 32767).short().numpy().tobytes(), full_utt=True)
        decoder.end_utt()
        found = decoder.hyp()
        return words(re.sub(r"\(\d+\)", "", found.hypstr)) if found else []

    return hear


def cepstral_distortion(made: Tensor, real: Tensor, listen: LogMel, order: int = 13) -> float:
    """Mel-cepstral distortion in dB of two waves [time], along the best path of time (DTW), without
    what is quieter than 40 dB below the loudest frame of the recording."""
    rows = []
    for wave in (made, real):
        mel = listen(wave[None])[0]
        level = (2 * mel).exp().sum(0).log10() * 10
        mel = mel[:, level > level.max() - 40].clamp(min=math.log(1e-4))
        bins = mel.shape[0]
        cosines = torch.cos(
            math.pi / bins * torch.arange(1, order + 1)[:, None] * (torch.arange(bins) + 0.5)
        )
        rows.append((2 / bins * cosines @ mel).T)
    distance = torch.cdist(*rows).double().numpy()
    total, steps = np.full(distance.shape, np.inf), np.zeros(distance.shape)
    total[0, 0], steps[0, 0] = distance[0, 0], 1
    for i in range(distance.shape[0]):
        for j in range(distance.shape[1]):
            before = [(i - 1, j - 1), (i - 1, j), (i, j - 1)]
            known = [(total[a], a) for a in before if min(a) >= 0]
            if known:
                cost, at = min(known)
                total[i, j], steps[i, j] = cost + distance[i, j], steps[at] + 1
    # Magnitudes: cepstra of powers are twice as large; 10 / ln 10 * sqrt(2 * sum of squares).
    return float(10 / math.log(10) * math.sqrt(2) * total[-1, -1] / steps[-1, -1])


def prosody_figures(net: SpeechNet, one: Spoken, names: Sequence[str], language: str) -> Figures:
    """How far the plan of a sentence is from how it was said."""
    plan = net.plan(one.ids)
    sounds = torch.tensor([names[k] not in MARKS for k in one.ids.tolist()])
    ms = 1000 * MelConfig.hop / RATE
    late = (plan.frames - one.frames)[sounds]
    vowels = torch.tensor([is_vowel(names[k], language) for k in one.ids.tolist()])
    high = (plan.f0 - one.f0)[vowels]
    return {
        "length_error_ms": late.abs().mean().item() * ms,
        "length_ratio": (plan.frames[sounds].sum() / one.frames[sounds].sum()).item(),
        "f0_error_semitones": high.square().mean().sqrt().item(),
        "f0_deviation_planned": plan.f0[vowels].std().item(),
        "f0_deviation_said": one.f0[vowels].std().item(),
        "energy_error_db": (plan.energy - one.energy)[sounds].abs().mean().item(),
    }


def spoken_by_others(text: str, language: str, folder: Path) -> dict[str, Tensor]:
    """The text said by the programs that are installed, [time] each."""
    found = {}
    for who, command in OTHERS[language].items():
        if shutil.which(command[0]):
            path = folder / "other.wav"
            subprocess.run([part.format(text=text, path=path) for part in command], check=True)
            samples, rate = soundfile.read(path, dtype="float32")
            found[who] = resample(torch.from_numpy(samples), rate, RATE)
    return found


def chosen(corpus: list[Recording], limit: int) -> list[Recording]:
    """Held-out recordings, one a sentence, evenly drawn."""
    by_text = {one.text: one for one in corpus}
    rows = sorted(by_text.values(), key=lambda one: one.name)
    return [rows[k * len(rows) // limit] for k in range(limit)] if len(rows) > limit else rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Source.of, metavar="NAME=FOLDER", help="a set of sets.toml")
    parser.add_argument("--data", type=Path, required=True, help="folder of `prepare`")
    parser.add_argument("--run", type=Path, required=True, help="folder of `train`")
    parser.add_argument("--vocoder", type=Path, required=True, help="run folder of its training")
    parser.add_argument("--limit", type=int, default=30, help="sentences")
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    net, about = load_speech(arguments.run / "weights.safetensors")
    vocoder = load_vocoder(arguments.vocoder / "weights.safetensors")
    sentences, _, language = load(arguments.data / "test.safetensors")
    said, names = {one.name: one for one in sentences}, labels(language)
    listen, hear = LogMel(MelConfig()), recogniser(language)
    rows: dict[str, list[Figures]] = defaultdict(list)
    wrong: dict[str, int] = defaultdict(int)
    total, spent, audible = 0, 0.0, 0.0
    for recording in chosen(read_corpus(arguments.source, held_out=True), arguments.limit):
        one, text = said[recording.name], words(recording.text)
        real = recording.samples()
        begun = time.process_time()
        plan = net.plan(one.ids)
        voice = vocoder.speak(
            *net.render(one.ids, whole(plan.frames, one.ids), plan.f0, plan.energy)
        )
        spent, audible = spent + time.process_time() - begun, audible + len(voice) / RATE
        truly, _ = net.render(one.ids, one.frames, one.f0, one.energy)
        rows["frames"].append({"mel_l1": (truly.T - one.mel).abs().mean().item()})
        rows["prosody"].append(prosody_figures(net, one, names, language))
        waves = {"recording": real, "copy": copied(real, vocoder, listen), "voice": voice}
        waves |= spoken_by_others(recording.text, language, arguments.run)
        total += len(text)
        for who, wave in waves.items():
            path = arguments.run / "said" / who / f"{recording.name}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, wave.clamp(-1, 1).numpy(), RATE)
            if hear is not None:
                wrong[who] += errors(text, hear(wave))
            if who != "recording":
                hz = f0_of(wave, MelConfig(), arguments.source.pitch)
                figures = {"cepstral_distortion": cepstral_distortion(wave, real, listen)}
                if (hz > 0).any():
                    figures["f0_hz"] = hz[hz > 0].mean().item()
                rows[who].append(figures)
    report: dict[str, object] = {"steps": about["steps"], "sentences": len(rows["voice"])}
    report["real_time_factor"] = round(spent / audible, 4)
    if hear is not None:
        report["words"] = total
        report["word_error_rate"] = {who: round(count / total, 4) for who, count in wrong.items()}
    for who, figures in rows.items():
        report[who] = {
            key: round(float(np.mean([row[key] for row in figures if key in row])), 4)
            for key in figures[0]
        }
    print(json.dumps(report, indent=2))
    (arguments.run / "evaluation.json").write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
