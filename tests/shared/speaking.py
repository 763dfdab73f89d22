"""Voices made for a test: a plain one that hums, and a small untrained network."""

from dataclasses import dataclass, field
from math import log, pi
from pathlib import Path

import torch
from separators import random_weights, write_card

from audiopipe.nets.speech import SpeechNet
from audiopipe.nets.vocoder import Vocoder
from audiopipe.voices import base
from audiopipe.voices.base import RATE, Piece, Timing
from audiopipe.voices.tokens import labels

PHONEME = 0.06
SIZES = {"width": 8, "encoder": 1, "decoder": 1, "dropout": 0.0}
VOCODER = {"width": 16, "expansion": 2, "kernel": 7, "ahead": [3, 1, 0]}


def _task(folder: str) -> str:
    card = Path(folder) / "card.toml"
    card.write_text(card.read_text().replace('task = "separate"', 'task = "speak"'))
    return folder


def network_voice(folder: Path, seed=0, language="en") -> str:
    """A small untrained network of the kind of `kathleen`, whose phonemes last 80 ms."""
    torch.manual_seed(seed)
    vocoder = folder / "vocoder"
    random_weights(Vocoder.of(**VOCODER), vocoder)
    write_card(vocoder, "vocoder", ["sound"], VOCODER, rate=RATE)
    net = SpeechNet(labels(language), **SIZES)
    net.manner.bias.data[0] = log(1 + 7.5)
    net.head.bias.data.fill_(-2.0)
    random_weights(net, folder)
    settings = SIZES | {"language": language, "vocoder": "./vocoder"}
    files = [folder / "weights.safetensors"]
    return _task(write_card(folder, "speech-net", labels(language), settings, RATE, files))


@dataclass
class Hum:
    """Hums: a tone of 60 ms for each phoneme, in pieces of a word, and exact pauses.

    `faults` are what goes wrong with a word: `silent`, `lost`, `endless`, `nan`, `short`.
    """

    name: str
    language: str = "en"
    rate: int = RATE
    faults: dict = field(default_factory=dict)
    said: list = field(default_factory=list)

    def say(self, sentence, manner):
        self.said.append(sentence.said)
        hz = 200 * 2 ** (manner.pitch / 12)
        at = round(sentence.before.milliseconds * self.rate / 1000)
        if at:
            yield Piece(torch.zeros(1, at))
        for index, word in enumerate(sentence):
            way = manner.of(word)
            fault = self.faults.get(word.said)
            seconds = PHONEME * len(word.phonemes) / way.rate
            if fault == "short":
                seconds = 0.001
            size = 0 if fault == "lost" else round(seconds * self.rate)
            time = torch.arange(size) / self.rate
            level = 0.0 if fault == "silent" else 0.2 * 10 ** (way.volume / 20)
            sound = level * torch.sin(2 * pi * hz * time)[None]
            if fault == "nan":
                sound[:, 5] = torch.nan
            while fault == "endless":
                yield Piece(sound)
            words = (Timing(index, at, at + size),) if size else ()
            at += size + manner.silence(word, self.rate)
            yield Piece(
                torch.cat([sound, torch.zeros(1, manner.silence(word, self.rate))], 1), words
            )


VOICES = {}
"""The hums that are open, by the path of their card."""


def open_voice(model, device):
    """What a family of voices has."""
    return VOICES.setdefault(model, Hum(model, base.voice_card(model).settings["language"]))


def hum(folder: Path, monkeypatch, language="en", **faults) -> str:
    """A model whose voice hums."""
    monkeypatch.setitem(base.FAMILIES, "hum", "speaking")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "weights.safetensors").write_bytes(b"nothing")
    name = _task(write_card(folder, "hum", [], {"language": language}, RATE))
    VOICES[name] = Hum(name, language, faults=faults)
    return name
