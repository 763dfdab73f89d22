"""Folders of recordings -> `train.safetensors` and `test.safetensors`: 24 kHz, mono, int16.

    python -m training.vocoder.prepare kathleen=FOLDER kerstin=FOLDER --to DATA

The sets, their licences and which of their files are held out stand in `sets.toml`.
"""

import argparse
import re
import tomllib
from pathlib import Path

import soundfile
import torch
from torch import Tensor
from torchaudio.functional import resample

from audiopipe.nets.vocoder import MelConfig

from .data import GAP_SECONDS, Speech

SETS = Path(__file__).parent / "sets.toml"


def read_mono(path: Path, rate: int) -> Tensor:
    """Decode, mix down and resample one file to int16, shape [time]."""
    samples, found = soundfile.read(path, dtype="float32", always_2d=True)
    audio = torch.from_numpy(samples).mean(dim=1)
    if found != rate:
        audio = resample(audio, found, rate, lowpass_filter_width=32)
    return (audio * 32768).round().clamp(-32768, 32767).to(torch.int16)


def join(files: list[tuple[str, Path]], rate: int) -> Speech:
    """Put the utterances end to end, with gaps of silence."""
    gap = torch.zeros(round(GAP_SECONDS * rate), dtype=torch.int16)
    parts, spans, position = [], [], 0
    for _, path in files:
        audio = read_mono(path, rate)
        parts += [audio, gap]
        spans.append((position, position + len(audio)))
        position += len(audio) + len(gap)
    return Speech(torch.cat(parts), torch.tensor(spans), tuple(name for name, _ in files), rate)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--to", type=Path, required=True, metavar="DATA")
    arguments = parser.parse_args()

    known = tomllib.loads(SETS.read_text())
    splits: dict[str, list[tuple[str, Path]]] = {"train": [], "test": []}
    for entry in arguments.sets:
        name, _, folder = entry.partition("=")
        if name not in known or not folder:
            parser.error(f"{entry!r}: expected NAME=FOLDER with NAME one of {', '.join(known)}")
        files = sorted(Path(folder).glob(known[name]["files"]))
        if not files:
            parser.error(f"{folder}: no {known[name]['files']} in it")
        for path in files:
            held_out = re.search(known[name]["held_out"], path.name)
            splits["test" if held_out else "train"].append((f"{name}/{path.stem}", path))

    arguments.to.mkdir(parents=True, exist_ok=True)
    for split, files in splits.items():
        speech = join(files, MelConfig().rate)
        speech.save(arguments.to / f"{split}.safetensors")
        print(f"{split}: {len(speech)} utterances, {speech.seconds() / 60:.1f} minutes")


if __name__ == "__main__":
    main()
