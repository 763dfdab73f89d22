"""What a test of cloning needs: a small untrained converter, a voice to be cloned, its consent."""

from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from separators import random_weights, write_card

from audiopipe.consent import SUFFIX, Consent
from audiopipe.io.save import save
from audiopipe.nets.converter import Converter
from audiopipe.nets.vocoder import Vocoder
from audiopipe.signals import Audio

RATE = 24_000
SIZES = {
    "width": 8, "expansion": 2, "heard": [1, 2], "said": [2, 1], "neck": 4, "identity": 8,
    "heads": 2,
}  # fmt: skip
VOCODER = {"width": 16, "expansion": 2, "kernel": 7, "ahead": [3, 1, 0]}


def _task(folder: Path, task: str) -> None:
    card = folder / "card.toml"
    card.write_text(card.read_text().replace('task = "separate"', f'task = "{task}"'))


def network_clone(folder: Path, seed=0) -> str:
    """A small untrained network of the kind of `clone`, with a vocoder beside it."""
    torch.manual_seed(seed)
    vocoder = folder / "vocoder"
    random_weights(Vocoder.of(**VOCODER), vocoder)
    write_card(vocoder, "vocoder", ["sound"], VOCODER, rate=RATE)
    random_weights(Converter.of(**SIZES), folder)
    files = [folder / "weights.safetensors"]
    name = write_card(folder, "converter", [], SIZES | {"vocoder": "./vocoder"}, RATE, files)
    _task(folder, "clone")
    return name


def voice(seconds=6.0, hz=120.0, rate=RATE, *, seed=0, formants=(700, 1200, 2600)) -> Audio:
    """Syllables of a voice: pulses through formants, four a second, with pauses between phrases."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    pitch = hz * 2 ** (1.5 * np.sin(2 * np.pi * 0.7 * time) / 12)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    sound = np.zeros_like(time)
    for partial in range(1, int(4000 / hz)):
        at = partial * hz
        gain = sum(np.exp(-(((at - formant) / 150) ** 2)) for formant in formants) + 0.02
        sound += gain * np.sin(partial * phase)
    syllables = np.clip(np.sin(2 * np.pi * 2 * time + 1) + 0.6, 0, 1) ** 0.5
    phrases = (time % 2.0) < 1.7
    sound *= syllables * phrases
    sound = 0.3 * sound / max(1e-9, np.abs(sound).max()) + 1e-4 * rng.standard_normal(len(time))
    return Audio(torch.tensor(sound, dtype=torch.float32), rate)


def agree(recording: Path, **changed) -> Path:
    """A record of consent for a recording, beside it."""
    record = {
        "speaker": "Ada Lovelace",
        "purpose": "a test",
        "given": date(2020, 1, 1),
        "statement": "I agree.",
        "reference": sha256(Path(recording).read_bytes()).hexdigest(),
    }
    return Consent.model_validate(record | changed).save(Path(recording).with_suffix(SUFFIX))


@dataclass(frozen=True)
class Given:
    """What a clone is made of, as paths."""

    model: str
    reference: str
    consent: str


def given(folder: Path, audio: Audio | None = None) -> Given:
    """A small model, a reference in a folder, and consent to it."""
    reference = save(voice() if audio is None else audio, folder / "ada.wav")
    model = network_clone(folder / "model")
    return Given(model, str(reference), str(agree(reference)))


def two_people(folder: Path) -> list[dict[str, str]]:
    """Two people, and their consent: what stages that clone have to be told."""
    paths = [
        save(voice(4.0, hz=hz, seed=seed), folder / f"{seed}.wav")
        for seed, hz in enumerate((110.0, 230.0))
    ]
    return [{"reference": str(path), "consent": str(agree(path))} for path in paths]
