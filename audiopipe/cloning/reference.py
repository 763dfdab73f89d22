"""The recording of a voice that is wanted: whether it will do, and what is taken of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import soxr
import torch
from torch import Tensor

from audiopipe.cloning.contour import RATE
from audiopipe.cloning.frames import FRAMING, MEL, log_mel
from audiopipe.cloning.networks import Converter, Likeness
from audiopipe.cloning.register import semitones
from audiopipe.cloning.tracking import tracked
from audiopipe.errors import LikenessError
from audiopipe.evidence import RATE as TRACKED
from audiopipe.framing import Windows, cut
from audiopipe.io.read import open_audio
from audiopipe.nets.frames import LogMel
from audiopipe.signals import PitchTrack

LONGEST = 300
"""Seconds of a reference that are used."""
LEAST, FEW = 2.0, 5.0
"""Seconds of speech without which nothing is made, and below which the likeness is poor."""
SILENT = -60.0
"""dB full scale; a recording that is never louder holds nothing."""
RANGE = 35.0
"""dB below its loud frames in which speech lies."""
NEAR = 20
"""Frames of 10 ms around one that is voiced in which sound is taken for speech."""
QUIETER, STEADY = 21.0, 8.0
"""dB by which the pauses of a clean recording are quieter than its loud frames (22 or more in the
tests of LibriSpeech; 17 to 21 with noise or music at -10 dB), and below which nobody speaks."""
CLIPPED = 2e-4
"""The share of samples at full scale from which on a recording is said to be clipped."""
PART = 300
"""Frames of speech, 3 s, that are compared with the others."""
APART = 9.0
"""Semitones between the medians of such parts that one person hardly has: up to 8 were measured."""
ALIKE = 0.5
"""The cosine of the angle between what two parts of one person are like, at least: for ten people
of LibriSpeech's tests it was 0.61 and more, where two of them followed each other 0.43 and less."""
BLOCK = 1 << 16


@dataclass(frozen=True)
class Voice:
    """What a reference is like, and what is to be told of it."""

    likeness: Likeness
    told: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sound:
    """A recording [time] at 24 kHz, the share of its samples that are clipped, and whether it went
    on."""

    samples: Tensor
    clipped: float
    longer: bool


@dataclass(frozen=True)
class Reference:
    """A recording that will do: `samples` [time] at 24 kHz, frames [bins, frames] with their pitch
    [frames] in Hz (0 where unvoiced), those that are speech [frames], and what is to be told."""

    samples: Tensor
    mel: Tensor
    hz: Tensor
    speech: Tensor
    told: tuple[str, ...]


def take(path: str | Path, net: Converter, device: torch.device) -> Voice:
    """What the voice of a recording is like, to a network on a device; raises as `examine` does."""
    found = examine(path, device)
    notes = found.told
    if differ(found, net):
        several = "may have more than one person in it: then it gives a voice in between"
        notes = (*notes, f"the reference {path}: {several}")
    return Voice(net.likeness(found.mel, found.hz), notes)


def examine(path: str | Path, device: torch.device) -> Reference:
    """Read a recording, and make sure that there is enough of a voice in it.

    Raises AudioError for what cannot be read, InvalidSamplesError for NaN and infinity, and
    LikenessError for a recording that is silent, has no voice, or less than 2 s of it.
    """
    sound = read(path)
    level = levels(sound.samples)
    loud = float(level.quantile(0.95)) if len(level) else SILENT
    if loud <= SILENT:
        raise LikenessError(path, "is silent; record the voice, 10 s or more of it")
    lower = torch.from_numpy(soxr.resample(sound.samples.numpy(), RATE, TRACKED))
    track = tracked(lower, device)
    level = level[: len(track)]
    speech = spoken(level, track, loud)
    seconds, swing = float(speech.sum()) / 100, loud - float(level.quantile(0.05))
    if seconds == 0 or (seconds >= LEAST and swing < STEADY):
        raise LikenessError(path, "has no voice in it that could be cloned; is it the right file?")
    if seconds < LEAST:
        told = f"has {seconds:.1f} s of speech; {LEAST:g} s are the least, and 30 s are better"
        raise LikenessError(path, told)
    mel = frames(sound.samples, device)
    hz = pitches(track, mel.shape[1]).to(device)
    notes = [f"only its first {LONGEST // 60} minutes are used"] if sound.longer else []
    if seconds < FEW:
        notes.append(f"has only {seconds:.1f} s of speech; from {FEW:g} s on it is met better")
    if sound.clipped > CLIPPED:
        notes.append("is clipped, which is heard in the voice; record it at a lower level")
    if swing < QUIETER:
        notes.append(
            f"has noise, a room or music behind the voice (its pauses are only {swing:.0f} dB "
            "quieter), and the voice gets something of it"
        )
    middle = (torch.arange(mel.shape[1]) + 0.5) * (MEL.hop * 100 / RATE)
    heard = speech[middle.long().clamp_max(len(speech) - 1)].to(device)
    lines = tuple(f"the reference {path}: {each}" for each in notes)
    return Reference(sound.samples, mel, hz, heard, lines)


def read(path: str | Path) -> Sound:
    """The first minutes of a recording, mixed to one channel; raises AudioError."""
    with open_audio(path) as reader:
        resampler = soxr.ResampleStream(reader.format.rate, RATE, 1, dtype="float32")
        most = LONGEST * reader.format.rate
        parts, clipped, heard = [], 0, 0
        for block in reader.blocks(BLOCK):
            left = block.samples[:, : most - heard]
            clipped += int((left.abs() >= 0.999).any(0).sum())
            heard += left.shape[1]
            parts.append(resampler.resample_chunk(left.mean(0).numpy()))
            if heard >= most:
                break
        parts.append(resampler.resample_chunk(torch.zeros(0).numpy(), last=True))
    samples = torch.cat([torch.from_numpy(part) for part in parts])
    return Sound(samples, clipped / max(1, heard), heard >= most)


def levels(samples: Tensor) -> Tensor:
    """The level of every 10 ms [frames] in dB full scale."""
    size = RATE // 100
    whole = samples[: len(samples) // size * size].view(-1, size)
    return 10 * whole.double().square().mean(1).clamp_min(1e-12).log10().float()


def spoken(level: Tensor, track: PitchTrack, loud: float) -> Tensor:
    """Whether frames [frames] are speech: not much quieter than the loud ones, and near a voice."""
    voiced = track.voiced[: len(level)].float()
    near = torch.nn.functional.max_pool1d(voiced[None, None], 2 * NEAR + 1, 1, NEAR)[0, 0] > 0
    return near & (level > loud - RANGE)


def frames(samples: Tensor, device: torch.device) -> Tensor:
    """Log-mel frames [bins, frames] of a sound [time]."""
    listen = LogMel(MEL).to(device)
    windows = cut(FRAMING, Windows(), samples.to(device), last=True)
    return torch.cat([log_mel(listen, part) for part in torch.split(windows, 1024)], 1)


def pitches(track: PitchTrack, count: int) -> Tensor:
    """The pitch of each of our frames [count] in Hz, 0 where there is none."""
    middle = (torch.arange(count) + 0.5) * (MEL.hop * track.rate / RATE / track.hop)
    place = middle.round().long().clamp_max(len(track) - 1)
    return (track.hz * track.voiced)[place]


def differ(found: Reference, net: Converter) -> bool:
    """Whether parts of a recording are unlike each other, as those of two people are."""
    parts = list(_parts(found.mel[:, found.speech], found.hz[found.speech]))
    if len(parts) < 2:
        return False
    medians = [semitones(hz[hz > 0].median()) for _, hz in parts if bool((hz > 0).any())]
    if medians and float(max(medians) - min(medians)) > APART:
        return True
    identities = torch.cat([net.likeness(*part).identity for part in parts])
    alike = torch.nn.functional.normalize(identities, dim=1)
    return bool((alike @ alike.mT).min() < ALIKE)


def _parts(mel: Tensor, hz: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """As many equal parts as have 3 s each, at most ten."""
    count = min(10, mel.shape[1] // PART)
    if count:
        yield from zip(mel.chunk(count, 1), hz.chunk(count), strict=True)
