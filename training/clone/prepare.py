"""Recordings of many people -> `train.safetensors` and `held.safetensors`: log-mel frames and f0.

    python -m training.clone.prepare --to DATA speechocean762=FOLDER librispeech=FOLDER …

The sets, and whose recordings are held out, stand in `sets.toml`. What is prepared is kept.
"""

from __future__ import annotations

import argparse
import csv
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import parselmouth
import soundfile
import torch
from torch import Tensor
from torch.multiprocessing import Pool
from torchaudio.functional import resample

from audiopipe.mel import mel_points
from audiopipe.nets.frames import LogMel, MelConfig

from ..speak.corpus import levelled
from .data import Utterance, Voices

SETS = Path(__file__).with_name("sets.toml")
PITCH_RANGE = (60.0, 500.0)
"""Hz: men, women and children."""
QUIET = 35.0
"""dB below the loudest frame, from which on a frame is quiet."""
AROUND = 12
"""Frames that are kept of the quiet before and behind an utterance."""
SHORTEST = 60
"""Frames: shorter utterances are left out."""


@dataclass(frozen=True)
class Source:
    """A file, and what is known of it."""

    path: Path
    name: str
    speaker: str
    text: str
    held_out: bool


def texts_of(folder: Path) -> Iterator[tuple[str, str]]:
    """Files (their place, or their stem) and what is said in them, from `metadata.csv` or from the
    transcriptions of Sphinx. Capitals are no abbreviations, but letters that are spelled are."""
    table = folder / "metadata.csv"
    if table.exists():
        with table.open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if {"file", "text"} <= row.keys():
                    text = row["text"]
                    yield row["file"], text.lower() if text.isupper() else text
    for path in sorted(folder.glob("etc/*.transcription")):
        for text, name in re.findall(r"<s> (.*) </s> \((.*)\)", path.read_text("utf-8")):
            words = (word if len(word) == 1 else word.lower() for word in text.split())
            yield name, " ".join(words)


def sources(name: str, folder: Path) -> Iterator[Source]:
    """The files of a set."""
    facts = tomllib.loads(SETS.read_text("utf-8"))["sources"][name][0]
    texts = dict(texts_of(folder))
    for path in sorted(folder.glob(facts["files"])):
        place = path.relative_to(folder).as_posix()
        if re.search(facts.get("without", "(?!)"), place):
            continue
        found = re.search(facts.get("speaker", "()"), place)
        speaker = found[1] if found else ""
        held_out = re.search(facts.get("held_out", "(?!)"), speaker) is not None
        text = texts.get(place, texts.get(path.stem, ""))
        yield Source(path, f"{name}/{place}", f"{name}/{speaker}", text, held_out)


def read(path: Path) -> tuple[Tensor, int]:
    """Samples [time] at 24 kHz, their speech at one level for all, and the rate of the file."""
    found, rate = soundfile.read(path, dtype="float32", always_2d=True)
    audio = torch.from_numpy(found).mean(dim=1)
    if rate != MelConfig.rate:
        audio = resample(audio, rate, MelConfig.rate, lowpass_filter_width=32)
    return levelled(audio), rate


def f0_of(audio: Tensor, config: MelConfig) -> Tensor:
    """f0 of each frame in Hz, 0 where there is none: [time] -> [ceil(time / hop)].

    By autocorrelation (Praat): DIO finds nothing where a recording has lost its lowest partials.
    """
    half_rate = resample(audio, config.rate, config.rate // 2).double().numpy()
    step = config.hop / config.rate
    low, high = PITCH_RANGE
    pitch = parselmouth.Sound(half_rate, config.rate / 2).to_pitch_ac(
        time_step=step, pitch_floor=low, pitch_ceiling=high
    )
    found = pitch.selected_array["frequency"]
    middles = (np.arange(-(-len(audio) // config.hop)) + 0.5) * step
    nearest = np.rint((middles - pitch.xs()[0]) / step).astype(int)
    inside = (nearest >= 0) & (nearest < len(found))
    return torch.from_numpy(np.where(inside, found[nearest.clip(0, len(found) - 1)], 0.0)).float()


def filled(rate: int, config: MelConfig) -> int:
    """How many mel bands lie where the filters of a recording have not yet begun to fall."""
    upper = mel_points(config.bins, (config.low, config.high), "htk")[2:]
    return int((upper < min(0.95 * rate / 2, config.high + 1)).sum())


def describe(source: Source) -> tuple[int, np.ndarray, np.ndarray] | None:
    """Bands, log-mel and f0 of a file; None where it is too short."""
    torch.set_num_threads(1)
    config = MelConfig()
    audio, rate = read(source.path)
    mel = LogMel(config)(audio[None])[0].T
    level = 10 * torch.log10((2 * mel).exp().sum(1))
    loud = (level > level.max() - QUIET).nonzero()[:, 0]
    part = slice(max(0, int(loud[0]) - AROUND), int(loud[-1]) + 1 + AROUND)
    mel, hz = mel[part], f0_of(audio, config)[part]
    if len(mel) < SHORTEST:
        return None
    # Arrays, as tensors would go from process to process by an open file each.
    return filled(rate, config), mel.half().numpy(), hz.half().numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--to", type=Path, required=True, metavar="DATA")
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()
    if all((arguments.to / f"{split}.safetensors").exists() for split in ("train", "held")):
        return

    known = [
        source
        for name, _, folder in (given.partition("=") for given in arguments.sets)
        for source in sources(name, Path(folder))
    ]
    made: dict[bool, list[Utterance]] = {False: [], True: []}
    with Pool(arguments.processes) as pool:
        described = pool.imap(describe, known, chunksize=16)
        for number, (source, found) in enumerate(zip(known, described, strict=True)):
            if found is not None:
                bands, mel, hz = (found[0], *map(torch.from_numpy, found[1:]))
                one = Utterance(source.name, source.speaker, source.text, bands, mel, hz)
                made[source.held_out].append(one)
            if number % 500 == 0:
                print(f"{number} of {len(known)}: {source.name}", flush=True)
    for split, utterances in (("train", made[False]), ("held", made[True])):
        voices = Voices.of(utterances)
        voices.save(arguments.to / f"{split}.safetensors")
        hours, people = len(voices.mel) * 256 / 24_000 / 3600, len(set(voices.speakers))
        print(f"{split}: {len(voices)} utterances, {people} speakers, {hours:.2f} h")


if __name__ == "__main__":
    main()
