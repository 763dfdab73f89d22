"""Folders of recordings -> `train.safetensors` and `test.safetensors`: 24 kHz, mono, int16,
with the pitch of each frame.

    python -m training.vocoder.prepare kathleen=FOLDER kerstin=FOLDER --to DATA

The sets, their licences and which of their files are held out stand in `sets.toml`.
"""

import argparse
import re
import tomllib
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor
from torch.nn import functional
from torchaudio.functional import resample

import audiopipe
from audiopipe import Audio
from audiopipe.nets.frames import MelConfig
from audiopipe.stages.pitch import Pitch
from audiopipe.stages.resample import Resample

from .data import GAP_SECONDS, Speech

SETS = Path(__file__).parent / "sets.toml"
NOWHERE = 150.0
"""Hz: given to the frames of a recording without any pitch."""


def read_mono(path: Path, rate: int) -> Tensor:
    """Decode, mix down and resample one file to int16, shape [time]."""
    samples, found = soundfile.read(path, dtype="float32", always_2d=True)
    audio = torch.from_numpy(samples).mean(dim=1)
    if found != rate:
        audio = resample(audio, found, rate, lowpass_filter_width=32)
    return (audio * 32768).round().clamp(-32768, 32767).to(torch.int16)


def join(files: list[tuple[str, Path]], rate: int) -> Speech:
    """Put the utterances end to end, with gaps of silence."""
    hop, gap = MelConfig.hop, round(GAP_SECONDS * rate)
    parts, pitches, spans, position = [], [], [], 0
    for _, path in files:
        audio = read_mono(path, rate)
        spans.append((position, position + len(audio)))
        parts.append(functional.pad(audio, (0, gap + -(len(audio) + gap) % hop)))
        pitches.append(pitch(parts[-1], rate))
        position += len(parts[-1])
    names = tuple(name for name, _ in files)
    return Speech(torch.cat(parts), torch.tensor(spans), torch.cat(pitches), names, rate)


def pitch(samples: Tensor, rate: int) -> Tensor:
    """The pitch of each frame in Hz, in straight lines through what has none (NOWHERE, where there
    is none at all): int16 [frames * hop] to float32 [frames]."""
    audio = Audio(samples.float() / 32768, rate=rate)
    track = audiopipe.chain(Resample(rate=16_000), Pitch()).run(audio)["pitch"]
    middles = (np.arange(len(samples) // MelConfig.hop) + 0.5) * MelConfig.hop / rate
    voiced = track.voiced.numpy()
    if not voiced.any():
        return torch.full((len(middles),), NOWHERE)
    logs = np.interp(middles, track.seconds[voiced], np.log(track.hz.numpy()[voiced]))
    return torch.from_numpy(np.exp(logs)).float()


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
        for path in files[:: known[name].get("every", 1)]:
            held_out = re.search(known[name]["held_out"], path.name)
            splits["test" if held_out else "train"].append((f"{name}/{path.stem}", path))

    arguments.to.mkdir(parents=True, exist_ok=True)
    for split, files in splits.items():
        speech = join(files, MelConfig().rate)
        speech.save(arguments.to / f"{split}.safetensors")
        print(f"{split}: {len(speech)} utterances, {speech.seconds() / 60:.1f} minutes")


if __name__ == "__main__":
    main()
