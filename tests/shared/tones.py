"""A keyword model whose words are tones: made in a second, and its answers are known."""

from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from audiopipe.nets.keywords import KeywordNet
from audiopipe.signals import Audio
from audiopipe.stages.keywords import RATE, log_mel

LABELS = ("low", "high", "rise", "_unknown_", "_silence_")
SETTINGS = {"channels": 16, "blocks": 1, "kernel": 5}
HERTZ = {"low": (500.0, 500.0), "high": (2000.0, 2000.0), "rise": (500.0, 2000.0)}
ROOM = 1e-4
"""The level of the noise that is always there."""

CARD = """\
name = "{name}"
about = "Tones for words."
task = "{task}"
network = "{network}"
rate = 16000
labels = {labels}

[settings]
{settings}

[[files]]
name = "weights.safetensors"
size = {size}
sha256 = "{sha256}"

[licence]
name = "MIT"
url = "https://opensource.org/license/mit"
commercial = true

[[data]]
name = "tones"
licence = "CC0-1.0"
source = "made for the test"
"""


def word(label, seconds=0.3, rate=RATE, level=0.3):
    """A spoken word: its tone, with soft edges."""
    time = np.arange(round(seconds * rate)) / rate
    begin, end = HERTZ[label]
    hertz = np.linspace(begin, end, len(time))
    edges = np.minimum(1, np.minimum(time, seconds - time) / 0.01)
    return level * edges * np.sin(2 * np.pi * np.cumsum(hertz) / rate)


def spoken(words, seconds, rate=RATE, channels=1, room=ROOM, seed=0):
    """A recording of words, which are (label, second it begins) or (label, second, length)."""
    rng = np.random.default_rng(seed)
    samples = room * rng.standard_normal(round(seconds * rate))
    for label, begin, *length in words:
        sound = word(label, *length, rate=rate)
        at = round(begin * rate)
        samples[at : at + len(sound)] += sound[: len(samples) - at]
    return Audio(torch.tensor(np.tile(samples, (channels, 1)), dtype=torch.float32), rate)


def tone_model(folder, name="tones", threshold=None, **changes):
    """Write the model into a folder, which is given back; `changes` are for the card."""
    folder = Path(folder) / name
    folder.mkdir(parents=True)
    save_file(tone_net().state_dict(), folder / "weights.safetensors")
    weights = (folder / "weights.safetensors").read_bytes()
    settings = SETTINGS if threshold is None else {**SETTINGS, "threshold": threshold}
    filled = {
        "name": name,
        "task": "keywords",
        "network": "keyword-net",
        "labels": list(LABELS),
        "settings": "\n".join(f"{key} = {value}" for key, value in settings.items()),
        "size": len(weights),
        "sha256": sha256(weights).hexdigest(),
    }
    (folder / "card.toml").write_text(CARD.format(**(filled | changes)))
    return folder


@cache
def tone_net():
    """Random layers, and a head that is the best for them (ridge regression)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = KeywordNet(len(LABELS), **SETTINGS)
    clips, targets = _clips()
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.momentum = 1.0
        net.train()(log_mel(clips))
        features = net.eval().features(log_mel(clips))
        rows = torch.cat([features, torch.ones(len(features), 1)], dim=1).double()
        wanted = 16.0 * nn.functional.one_hot(targets, len(LABELS)).double() - 8
        square = rows.T @ rows + 1e-2 * torch.eye(rows.shape[1], dtype=torch.float64)
        solved = torch.linalg.solve(square, rows.T @ wanted)
        net.head.weight.copy_(solved[:-1].T)
        net.head.bias.copy_(solved[-1])
    return net


def _clips(count=40):
    """Seconds [n, samples] with a word, wholly or half in it, and what their labels are."""
    rng, clips, targets = np.random.default_rng(0), [], []
    for number, label in enumerate(LABELS):
        for k in range(count):
            clip = 10 ** rng.uniform(-5, -2.5) * rng.standard_normal(RATE)
            if label == "_unknown_" and k % 2:
                clip += 0.1 * rng.standard_normal(RATE) * (np.arange(RATE) < rng.integers(RATE))
            elif label != "_silence_":
                name = label if label in HERTZ else list(HERTZ)[k // 2 % len(HERTZ)]
                sound = word(name, rng.uniform(0.25, 0.4), level=10 ** rng.uniform(-1.5, -0.3))
                if label == "_unknown_":
                    at = RATE - len(sound) // 3  # it has only begun
                    clip[at:] += sound[: RATE - at]
                else:
                    at = rng.integers(RATE - len(sound))
                    clip[at : at + len(sound)] += sound
            clips.append(clip)
            targets.append(number)
    return torch.tensor(np.array(clips), dtype=torch.float32), torch.tensor(targets)
