"""Train a voice for a given time: distances of frames and of prosody, later also against a critic.

    python -m training.speak.train --data DATA --out RUN --minutes 60

The time is what counts, not steps: the learning rate has fallen to nothing when the minutes (of the
processor, where that does the work) are over. A run that was cut off goes on from
`RUN/checkpoint.pt` with the same command.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from audiopipe.nets.speech import DECIBELS, SEMITONES, SpeechNet
from audiopipe.voices.tokens import labels

from ..checkpoints import keep, restore
from ..running import follow, run, schedule
from ..vocoder.losses import adversarial_loss, critic_loss, matching_loss
from .critic import MelCritic, crops
from .data import Batch, Spoken, Voice, batches, load
from .run import load_speech

SETTINGS = {"width": 160, "expansion": 3, "kernel": 7, "encoder": 3, "decoder": 5}
DROPOUT = 0.1
BATCH = 16
RATE, CRITIC_RATE = 2e-3, 5e-4
"""Highest learning rates."""
CRITIC_SHARE = 0.5
"""Part of the time before the critic joins, and from which on it is listened to ever more."""
WEIGHTS = {"mel": 1.0, "prosody": 0.3, "tune": 0.3, "adversarial": 0.1, "matching": 0.3}
SHAKE = (0.4, 1.0)
"""By how many semitones and decibels the truth is disturbed that frames are made of, as what the
network plans is not the truth either."""


def mel_loss(made: Tensor, batch: Batch) -> Tensor:
    """Mean absolute difference of log-mels, over the frames that there are."""
    total = ((made - batch.mel).abs() * batch.inside).sum()
    return total / (batch.inside.sum() * made.shape[2])


def prosody_loss(made: Tensor, batch: Batch) -> Tensor:
    """Mean squared difference of logarithms of lengths, of f0 and of energy, [3]."""
    truth = torch.stack(
        [batch.frames.float().log1p(), batch.f0 / SEMITONES, batch.energy / DECIBELS], dim=2
    )
    # A wild f0 (half of the true one) or a very quiet pause is not to be learned from.
    truth = truth.clamp(-4.0, 5.0)
    weighted = (made - truth).square() * batch.tokens
    return weighted.sum((0, 1)) / batch.tokens.sum()


def tune_loss(made: Tensor, batch: Batch, height: float) -> Tensor:
    """Mean absolute difference of the pitch in semitones, over the frames that have one; what is
    more than half an octave away was not measured well."""
    truth = 12 * torch.log2(batch.hz.clamp(min=1.0)) - height
    difference = (made - truth).abs()
    good = (batch.hz > 0) & (difference.detach() < 6.0)
    return (difference * good).sum() / good.sum().clamp(min=1)


class Training:
    """Everything that changes while training, and one step of it."""

    def __init__(
        self, sentences: Sequence[Spoken], voice: Voice, language: str,
        settings: dict[str, int] = SETTINGS, seed: int = 0,
    ) -> None:  # fmt: skip
        torch.manual_seed(seed)
        self.language, self.settings, self.voice = language, settings, voice
        self.net = SpeechNet(labels(language), dropout=DROPOUT, **settings)
        self.net.mean.copy_(voice.mean)
        self.net.deviation.copy_(voice.deviation)
        self.net.height.fill_(voice.f0)
        self.average = AveragedModel(self.net, multi_avg_fn=follow)
        self.critic = MelCritic()
        settled = {"betas": (0.9, 0.98), "weight_decay": 0.01}
        self.optimizer = torch.optim.AdamW(self.net.parameters(), lr=RATE, **settled)
        self.opponent = torch.optim.AdamW(
            self.critic.parameters(), lr=CRITIC_RATE, betas=(0.8, 0.99)
        )
        self.generator = torch.Generator().manual_seed(seed)
        self.batches = batches(sentences, BATCH, self.generator)
        self.steps = 0

    def step(self, progress: float) -> dict[str, float]:
        """Take a batch, improve the network and (in its time) the critic."""
        for optimizer, rate in ((self.optimizer, RATE), (self.opponent, CRITIC_RATE)):
            for group in optimizer.param_groups:
                group["lr"] = rate * schedule(progress)
        batch = next(self.batches)
        noise = torch.randn(2, *batch.ids.shape, generator=self.generator)
        f0, energy = batch.f0 + SHAKE[0] * noise[0], batch.energy + SHAKE[1] * noise[1]
        total = batch.mel.shape[1]
        made, tune = self.net.sound(batch.ids, batch.frames, f0, energy, batch.tokens, total)
        prosody = prosody_loss(self.net.read(batch.ids, batch.tokens), batch)
        losses = {"mel": mel_loss(made, batch), "prosody": prosody.sum()}
        losses["tune"] = tune_loss(tune, batch, self.voice.f0)
        figures = dict(zip(("length", "f0", "energy"), prosody.tolist(), strict=True))
        if progress >= CRITIC_SHARE:
            lengths = batch.inside.sum((1, 2)).long()
            made, real = crops(
                made * batch.inside, batch.mel * batch.inside, lengths, self.generator
            )
            made, real = ((mel - self.voice.mean) / self.voice.deviation for mel in (made, real))
            figures["critic"] = self.improve_critic(real, made.detach())
            self.critic.requires_grad_(False)
            with torch.no_grad():
                truth = self.critic(real)
            opinion = self.critic(made)
            loudness = min(1.0, (progress - CRITIC_SHARE) / 0.1)
            losses["adversarial"] = loudness * adversarial_loss([opinion])
            losses["matching"] = loudness * matching_loss([truth], [opinion])
            self.critic.requires_grad_(True)
        self.optimizer.zero_grad(set_to_none=True)
        sum(WEIGHTS[name] * value for name, value in losses.items()).backward()
        norm = nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()
        self.average.update_parameters(self.net)
        self.steps += 1
        return (
            {name: value.item() for name, value in losses.items()} | figures | {"norm": norm.item()}
        )

    def improve_critic(self, real: Tensor, made: Tensor) -> float:
        loss = critic_loss([self.critic(real)], [self.critic(made)])
        self.opponent.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.critic.parameters(), 10.0)
        self.opponent.step()
        return loss.item()

    def begin(self, weights: Path) -> None:
        """Go on from what another voice has learned; how high, loud and coloured this one is, its
        own recordings say."""
        net, _ = load_speech(weights)
        own = {name: getattr(self.net, name) for name in ("mean", "deviation", "height")}
        self.net.load_state_dict(net.state_dict() | own)
        self.average.module.load_state_dict(self.net.state_dict())

    def parts(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        names = ("net", "average", "critic", "optimizer", "opponent")
        return {name: getattr(self, name) for name in names}

    def save(self, folder: Path, seconds: float) -> None:
        """Write the checkpoint and the averaged weights, each whole or not at all."""
        random = self.generator.get_state()
        facts = {"steps": self.steps, "seconds": seconds, "random": random}
        about = {"settings": self.settings, "language": self.language, "steps": self.steps}
        about |= {"seconds": round(seconds), "f0": self.voice.f0, "energy": self.voice.energy}
        keep(folder, self.parts(), facts, self.average.module, "speech", about)

    def resume(self, folder: Path) -> float:
        """Read the checkpoint, if there is one; returns the seconds spent so far."""
        state = restore(folder, self.parts())
        if state is None:
            return 0.0
        self.generator.set_state(state["random"])
        self.steps = state["steps"]
        return state["seconds"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of `prepare`")
    parser.add_argument("--out", type=Path, required=True, help="folder for weights and log")
    parser.add_argument("--minutes", type=float, required=True, help="of the whole training")
    parser.add_argument(
        "--begin",
        type=Path,
        metavar="WEIGHTS",
        help="of a voice of the same language, to go on from",
    )
    arguments = parser.parse_args()
    training = Training(*load(arguments.data / "train.safetensors"))
    if arguments.begin:
        training.begin(arguments.begin)
    run(training, arguments.out, arguments.minutes)


if __name__ == "__main__":
    main()
