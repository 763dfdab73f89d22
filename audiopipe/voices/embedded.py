"""Voices of our own: phonemes become frames (`SpeechNet`), and frames sound (`Vocoder`).

A card of such a voice has the network `speech-net`, and its tokens as labels. `settings` are the
arguments of `SpeechNet`, besides `language` and `vocoder`, the model that makes sound of frames.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from audiopipe.errors import ModelError
from audiopipe.models import Store
from audiopipe.nets.source import Source
from audiopipe.nets.speech import SpeechNet
from audiopipe.nets.vocoder import Vocoder
from audiopipe.networks import load_network
from audiopipe.text import Sentence
from audiopipe.voices.base import Manner, Piece, voice_card
from audiopipe.voices.schedule import Schedule, schedule
from audiopipe.voices.tokens import tokens

FIRST, MOST = 24, 384
"""Frames of the first piece (0.26 s: it is out while the others are being made), and of the
longest: each is twice as long as the one before."""
FADE = 120
"""Samples, 5 ms, in which sound begins and ends beside silence."""
MOST_SPEECH = {"width": 1024, "expansion": 8, "kernel": 63, "encoder": 32, "decoder": 32}
MOST_VOCODER = {"width": 2048, "expansion": 8, "kernel": 63}
"""A card that asks for more would fill the memory before its weights are looked at."""


def open_voice(model: str, device: torch.device) -> EmbeddedVoice:
    """Load a voice; its vocoder computes on `device`. Raises ModelError."""
    card = voice_card(model)
    settings = dict(card.settings)
    try:
        language, vocoder = str(settings.pop("language")), str(settings.pop("vocoder"))
    except KeyError as error:
        raise ModelError(f"model {model!r}: its card has no setting {error}") from None

    def make(**settings: int) -> SpeechNet:
        return SpeechNet(card.labels, **settings)

    net = load_network(model, settings, MOST_SPEECH, make)
    if vocoder.startswith("."):
        vocoder = str(Path(model).expanduser() / vocoder)
    sizes = Store().card(vocoder).settings
    sound = load_network(vocoder, sizes, MOST_VOCODER, Vocoder.of).to(device)
    return EmbeddedVoice(model, language, card.labels, net, sound)


class EmbeddedVoice:
    """A voice of our own: see `voices.base.Voice`."""

    def __init__(
        self, name: str, language: str, labels: Sequence[str], net: SpeechNet, vocoder: Vocoder
    ) -> None:
        self.name, self.language, self.rate = name, language, vocoder.mel.rate
        self._labels = labels
        self._net = net
        self._vocoder = vocoder

    def say(self, sentence: Sentence, manner: Manner) -> Iterator[Piece]:
        """Say a sentence: it is planned as a whole, and made sound of in pieces."""
        made = tokens(sentence, self._labels)
        said = self._net.plan(made.ids)
        hop = self._vocoder.mel.hop
        plan = schedule(sentence, manner, made, said.frames, hop, self.rate)
        ways = [manner.of(sentence.words[owner]) for owner in plan.owners]
        mel, hz = self._net.render(
            made.ids,
            plan.frames,
            said.f0 + torch.tensor([way.pitch for way in ways]),
            said.energy + torch.tensor([way.energy for way in ways]),
        )
        volume = torch.tensor([way.volume for way in ways]).repeat_interleave(plan.frames)
        waiting = list(plan.words)
        given = 0
        for samples in self._sound(mel, hz, volume, plan):
            given += samples.shape[-1]
            ended = [timing for timing in waiting if timing.stop <= given]
            waiting = [timing for timing in waiting if timing.stop > given]
            yield Piece(samples, tuple(ended))

    def _sound(self, mel: Tensor, hz: Tensor, volume: Tensor, plan: Schedule) -> Iterator[Tensor]:
        """Samples [1, time] of frames [bands, n] and their pitch [n], with the schedule's silences
        among them."""
        reach, hop = self._vocoder.reach, self._vocoder.mel.hop
        device = next(self._vocoder.parameters()).device
        around = functional.pad(mel[None], reach, value=math.log(self._vocoder.mel.floor))
        around = around.to(device)
        pitch = functional.pad(hz[None], reach, mode="replicate")
        source, blocks, made = Source(hop, self.rate), torch.zeros(2, 0), 0
        # From the middle of a frame to that of the next in a straight line.
        gains = functional.interpolate(volume[None, None], scale_factor=hop, mode="linear")[0]
        silences = dict(plan.silences)
        stops = sorted({*silences, mel.shape[-1]} - {0})
        if silences.get(0):
            yield torch.zeros(1, silences[0])
        start, size = 0, FIRST
        for stop in stops:
            first = start
            while start < stop:
                end = min(stop, start + size)
                last = end + reach.past + reach.ahead
                near = slice(start, last)
                blocks = torch.cat([blocks, source(pitch[0, made:last])], 1)
                given = (around[..., near], pitch[:, near].to(device), blocks[None].to(device))
                part = self._vocoder(*given).cpu()
                blocks, made = blocks[:, (end - start) * hop :], last
                part = part * 10 ** (gains[:, start * hop : end * hop] / 20)
                if start == first:
                    part[:, :FADE] *= torch.linspace(0, 1, FADE)
                if end == stop:
                    part[:, -FADE:] *= torch.linspace(1, 0, FADE)
                yield part
                start, size = end, min(2 * size, MOST)
            if silences.get(stop):
                yield torch.zeros(1, silences[stop])
