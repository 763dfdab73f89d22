"""A small network with random weights to teach, and sounds that it tells apart."""

from hashlib import sha256

import numpy as np
import soundfile
import torch
from safetensors.torch import save

from audiopipe.nets.keywords import KeywordNet
from audiopipe.teaching.base import OTHERS

RATE = 16000
SETTINGS = {"bands": 40, "channels": 24, "blocks": 1, "kernel": 5}
CARD = """
name = "base"
about = "Nothing yet."
task = "keywords"
network = "keyword-net"
rate = 16000
labels = ["yes", "_unknown_"]

[settings]
bands = 40
channels = 24
blocks = 1
kernel = 5
threshold = 0.6

[licence]
name = "CC-BY-4.0"
url = "https://creativecommons.org/licenses/by/4.0/"
commercial = true

[[data]]
name = "Speech Commands"
licence = "CC-BY-4.0"
source = "https://arxiv.org/abs/1804.03209"
"""


def make_base(folder, others=None):
    """A model folder; `others` are features by word. Gives its path as text."""
    torch.manual_seed(0)
    net = KeywordNet(2, **SETTINGS)
    folder.mkdir(parents=True)
    files = {"weights.safetensors": save(net.state_dict())}
    if others is not None:
        files[OTHERS] = save(others)
    text = CARD
    for name, content in files.items():
        (folder / name).write_bytes(content)
        digest = sha256(content).hexdigest()
        text += f'\n[[files]]\nname = "{name}"\nsize = {len(content)}\nsha256 = "{digest}"\n'
    (folder / "card.toml").write_text(text)
    return str(folder)


def tone(hz, seed, seconds=0.4, rate=RATE, level=0.3, channels=1):
    """A tone that glides a little, in a little noise: [time, channels]."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    glide = hz * (1 + 0.05 * random.standard_normal()) * (time + 0.1 * time**2)
    wave = np.sin(2 * np.pi * glide) * np.hanning(len(time))
    wave = level * wave + 0.002 * random.standard_normal(len(time))
    return np.repeat(wave[:, None], channels, axis=1)


def put(path, samples, rate=RATE, **settings):
    """Write samples, making the folders above."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, **settings)
    return path


HERTZ = {"low": 300, "middle": 1000, "high": 3000}


def make_examples(folder, labels=("low", "high"), count=5, background=False):
    """LABEL/NUMBER.wav, and `_background_/room.wav` of 12 s."""
    for place, label in enumerate(labels):
        for k in range(count):
            put(folder / label / f"{k}.wav", tone(HERTZ.get(label, 500), 100 * place + k))
    if background:
        random = np.random.default_rng(1)
        put(folder / "_background_" / "room.wav", 0.01 * random.standard_normal(12 * RATE))
    return folder
