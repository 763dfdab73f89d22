"""How right the network is on sets that it does not learn from, clean and in noise.

python -m training.pitch.evaluate WEIGHTS --data DATA SET...
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from audiopipe.evidence import BEFORE, HOP, LOWEST, OCTAVE, WINDOW, Tables, evidence, level
from audiopipe.nets.pitch import AHEAD, BEHIND, CONTEXT, PitchNet

from .sets import PitchSet, read_set

NOISY = (None, 10.0, 0.0)
"""Signal-to-noise ratios in dB, in pink noise; None is without."""


@dataclass(frozen=True)
class Figures:
    """Of one set in one condition: overall accuracy, raw pitch accuracy, voicing recall and false
    alarm, all 0…1, and the median deviation of right frames in cents."""

    overall: float
    pitch: float
    recall: float
    alarm: float
    cents: float

    def line(self) -> str:
        shares = (self.overall, self.pitch, self.recall, self.alarm)
        return " ".join(f"{100 * share:5.1f}" for share in shares) + f" {self.cents:4.1f}"


def decoded(logits: Tensor) -> Tensor:
    """Logits [..., frames, PITCHES] to Hz [..., frames]: the mean around the highest."""
    top = logits.argmax(-1, keepdim=True)
    near = (top + torch.arange(-2, 3)).clamp(0, logits.shape[-1] - 1)
    share = logits.gather(-1, near).softmax(-1)
    place = (share * near).sum(-1)
    return LOWEST * 2 ** (place / OCTAVE)


def tracked(net: PitchNet, sound: Tensor, tables: Tables) -> tuple[Tensor, Tensor]:
    """The pitch in Hz and the logit of its being voiced, of each frame of sound [samples]."""
    frames = 1 + (len(sound) - 1) // HOP
    lead = BEFORE + BEHIND * HOP
    padded = torch.zeros(lead + (frames + AHEAD) * HOP + WINDOW)
    padded[lead : lead + len(sound)] = sound
    hz, voiced = [], []
    with torch.inference_mode():
        windows = padded.unfold(0, WINDOW, HOP)
        loud = level(windows, tables)
        for first in range(0, frames, 400):
            count = min(400, frames - first)
            near = first + BEHIND - CONTEXT
            part = windows[near : near + CONTEXT + count + AHEAD]
            pitch, voicing = net(evidence(part, tables)[None], loud[None, first:near])
            hz.append(decoded(pitch[0]))
            voiced.append(voicing[0])
    return torch.cat(hz), torch.cat(voiced)


def figures(f0: np.ndarray, hz: np.ndarray, voiced: np.ndarray) -> Figures:
    """Figures as in MIREX's melody task; frames of which the truth is unknown are left out."""
    known = np.isfinite(f0) & (f0 >= 0)
    f0, hz, voiced = f0[known], hz[known], voiced[known]
    true = f0 > 0
    cents = np.abs(1200 * np.log2(hz / np.where(true, f0, 1.0)))
    right = true & (cents < 50)
    overall = float(((right & voiced) | (~true & ~voiced)).mean())
    deviation = float(np.median(cents[right & voiced])) if (right & voiced).any() else np.nan
    share = [float(x.mean()) if len(x) else np.nan for x in (right[true], voiced[true])]
    alarm = float(voiced[~true].mean()) if (~true).any() else np.nan
    return Figures(overall, share[0], share[1], alarm, deviation)


def evaluate(net: PitchNet, data: PitchSet, seconds: float = 240.0) -> dict[str, Figures]:
    """Figures of a set by condition."""
    tables, random = Tables.usual(), np.random.default_rng(0)
    found: dict[str, list[tuple[np.ndarray, np.ndarray, np.ndarray]]] = {}
    used = 0.0
    order = random.permutation(len(data))
    for index in order:
        sound, f0 = data.clip(int(index))
        wave = sound / np.float32(32767)
        used += len(wave) / 16000
        noise = pink(len(wave), random)
        for snr in NOISY:
            mixed = wave
            if snr is not None:
                active = np.sqrt(np.square(wave).mean()) + 1e-5
                mixed = wave + noise * active * np.float32(10 ** (-snr / 20))
            hz, voicing = tracked(net, torch.from_numpy(mixed.astype(np.float32)), tables)
            name = "clean" if snr is None else f"{snr:g} dB"
            found.setdefault(name, []).append(
                (f0, hz.numpy()[: len(f0)], voicing.numpy()[: len(f0)] > 0)
            )
        if used > seconds:
            break
    return {
        name: figures(*(np.concatenate(column) for column in zip(*parts, strict=True)))
        for name, parts in found.items()
    }


def pink(length: int, random: np.random.Generator) -> np.ndarray:
    """Noise of equal power in each octave, RMS 1."""
    spectrum = np.fft.rfft(random.standard_normal(length))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    noise = np.fft.irfft(spectrum, length)
    scaled: np.ndarray = (noise / noise.std()).astype(np.float32)
    return scaled


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("sets", nargs="+")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=240.0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    net = PitchNet().eval()
    net.load_state_dict(load_file(arguments.weights))
    for name in arguments.sets:
        for condition, found in evaluate(
            net, read_set(arguments.data / name), arguments.seconds
        ).items():
            print(f"{name:20} {condition:6} {found.line()}")


if __name__ == "__main__":
    main()
