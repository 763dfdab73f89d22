"""Train the converter for a given time: voices made again, later also voices made of others.

    python -m training.clone.train --data DATA --run RUN --minutes 60

The ear is as `content` left it. In the second part of the time a critic joins, and a share of each
batch is said in another voice: the converter's own ears then have to hear that other person, and
the same words. A run that was cut off goes on from `RUN/checkpoint.pt` with the same command.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from audiopipe.nets.converter import Converter, Likeness
from audiopipe.nets.listening import BANDS, audible

from ..checkpoints import keep, restore
from ..running import follow, run, schedule
from ..speak.critic import CROP, MelCritic
from ..vocoder.losses import adversarial_loss, critic_loss, matching_loss
from .content import SETTINGS as EAR
from .content import load_content
from .data import Voices
from .pairs import Batch, Pairs

SETTINGS: dict[str, Any] = {
    "width": EAR["width"], "expansion": EAR["expansion"], "heard": EAR["ahead"],
    "said": [3, 2, 2, 1, 1, 1, 1, 0, 0], "neck": EAR["neck"], "identity": 128, "heads": 4,
}  # fmt: skip
BATCH, FRAMES, OTHERS = 20, 160, 144
EXCHANGED = 8
"""How many of a batch are said in another voice, once the critic is there."""
RATE, CRITIC_RATE = 2e-3, 5e-4
CRITIC_SHARE = 0.4
"""Part of the time before the critic joins; with 1 it never does."""
WEIGHTS = {
    "mel": 1.0, "who": 0.05, "adversarial": 0.05, "matching": 0.3, "likeness": 1.0, "words": 2.0,
}  # fmt: skip
SCALE = 12.0
"""By which cosines become logits of speakers."""


class Training:
    """Everything that changes while training, and one step of it."""

    def __init__(
        self,
        voices: Voices,
        heard: Tensor,
        folder: Path,
        alone: float = CRITIC_SHARE,
        seed: int = 0,
    ) -> None:
        torch.manual_seed(seed)
        self.alone = alone
        self.net = Converter.of(**SETTINGS)
        content, self.ear = load_content(folder)
        self.net.content = content.requires_grad_(False)
        some = voices.mel[::7].float()
        self.net.mean.copy_(some.mean(0))
        self.net.deviation.copy_(some.std(0))
        # Only a part of the recordings have the upper bands.
        full = torch.cat([voices[k].mel for k, n in enumerate(voices.bands) if n > 95][::20])
        self.net.mean[BANDS:] = full.float().mean(0)[BANDS:]
        self.net.deviation[BANDS:] = full.float().std(0)[BANDS:]
        self.pairs = Pairs(voices, heard, self.net.decoder.reach, FRAMES, OTHERS, seed)
        self.speakers = nn.Linear(SETTINGS["identity"], 3 * self.pairs.speakers, bias=False)
        self.average = AveragedModel(self.net, multi_avg_fn=follow)
        self.critic = MelCritic()
        learned = [one for one in self.net.parameters() if one.requires_grad]
        self.optimizer = torch.optim.AdamW(
            [*learned, *self.speakers.parameters()], lr=RATE, betas=(0.9, 0.98), weight_decay=0.01
        )
        self.opponent = torch.optim.AdamW(
            self.critic.parameters(), lr=CRITIC_RATE, betas=(0.8, 0.99)
        )
        self.steps = 0

    def step(self, progress: float) -> dict[str, float]:
        """Take a batch, improve the network and (in its time) the critic."""
        for optimizer, rate in ((self.optimizer, RATE), (self.opponent, CRITIC_RATE)):
            for group in optimizer.param_groups:
                group["lr"] = rate * schedule(progress)
        batch = self.pairs.draw(BATCH)
        likeness = self.net.describe(
            batch.other, batch.other_content, batch.heard, batch.f0, batch.spread
        )
        made = self.net.say(batch.content, batch.level, batch.pitch, likeness)
        there = batch.inside[..., None] & batch.known[:, None]
        named = functional.normalize(self.speakers.weight, dim=1) @ likeness.identity.T
        losses = {
            "mel": ((made - batch.mel).abs() * there).sum() / there.sum(),
            "who": functional.cross_entropy(SCALE * named.T, batch.who),
        }
        figures = {"told": (named.argmax(0) == batch.who).float().mean().item()}
        # Every other step, as it costs as much as all else.
        if progress >= self.alone and self.steps % 2:
            loudness = min(1.0, (progress - self.alone) / 0.1)
            found, extra = self.exchange(batch, made, likeness)
            losses |= {name: loudness * value for name, value in found.items()}
            figures |= extra
        self.optimizer.zero_grad(set_to_none=True)
        sum(WEIGHTS[name] * value for name, value in losses.items()).backward()
        norm = nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()
        self.average.update_parameters(self.net)
        self.steps += 1
        return (
            {name: value.item() for name, value in losses.items()} | figures | {"norm": norm.item()}
        )

    def exchange(
        self, batch: Batch, made: Tensor, likeness: Likeness
    ) -> tuple[dict[str, Tensor], dict[str, float]]:
        """Losses of a part of the batch in the next one's voice, and of the critic's opinion."""
        part = slice(0, EXCHANGED)
        theirs = Likeness(*(value.roll(1, 0)[part] for value in likeness))
        said = self.net.say(batch.content[part], batch.level[part], batch.pitch[part], theirs)
        own = batch.inside[part] & audible(said.detach())
        self.net.identity.requires_grad_(False)
        heard = self.net.recognise(said, own, theirs.f0, theirs.spread)
        self.net.identity.requires_grad_(True)
        losses = {"likeness": 1 - (heard * theirs.identity.detach()).sum(1).mean()}
        past, ahead = self.net.content.stack.reach
        words = self.net.content(said[..., :BANDS], every=2)
        first = self.net.decoder.reach.past + past
        truth = batch.content[part, first : first + said.shape[1] - past - ahead : 2]
        losses["words"] = (words - truth).abs().mean()

        mask = batch.known[:, None, :BANDS]
        begin = int(torch.randint(FRAMES - CROP, ()))
        window = slice(begin, begin + CROP)
        real, again = (self.small(mel, mask, window) for mel in (batch.mel, made))
        other = self.small(said, mask.roll(1, 0)[part], window)
        fakes = torch.cat([again[EXCHANGED:], other])
        loss = critic_loss([self.critic(real)], [self.critic(fakes.detach())])
        self.opponent.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.critic.parameters(), 10.0)
        self.opponent.step()
        self.critic.requires_grad_(False)
        with torch.no_grad():
            truths = self.critic(real[EXCHANGED:])
        opinion, others = self.critic(again[EXCHANGED:]), self.critic(other)
        losses["adversarial"] = adversarial_loss([opinion]) + adversarial_loss([others])
        losses["matching"] = matching_loss([truths], [opinion])
        self.critic.requires_grad_(True)
        return losses, {"critic": loss.item()}

    def small(self, mel: Tensor, mask: Tensor, window: slice) -> Tensor:
        """What the critic sees of [batch, frames, bins]."""
        bands = (mel[:, window, :BANDS] - self.net.mean[:BANDS]) / self.net.deviation[:BANDS]
        return bands * mask

    def parts(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        names = ("net", "speakers", "average", "critic", "optimizer", "opponent")
        return {name: getattr(self, name) for name in names}

    def save(self, folder: Path, seconds: float) -> None:
        """Write the checkpoint and the averaged weights, each whole or not at all."""
        random = self.pairs.generator.get_state()
        facts = {"steps": self.steps, "seconds": seconds, "random": random}
        about = {"settings": SETTINGS, "steps": self.steps, "seconds": round(seconds)}
        about["ear_seconds"] = self.ear["seconds"]
        keep(folder, self.parts(), facts, self.average.module, "converter", about)

    def resume(self, folder: Path) -> float:
        """Read the checkpoint, if there is one; returns the seconds spent so far."""
        state = restore(folder, self.parts())
        if state is None:
            return 0.0
        self.pairs.generator.set_state(state["random"])
        self.steps = state["steps"]
        return state["seconds"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of `prepare`")
    parser.add_argument("--run", type=Path, required=True, help="folder of `content` and `hear`")
    parser.add_argument("--minutes", type=float, required=True, help="of the whole training")
    parser.add_argument("--alone", type=float, default=CRITIC_SHARE, help="without the critic")
    arguments = parser.parse_args()

    voices = Voices.load(arguments.data / "train.safetensors")
    heard = load_file(arguments.run / "heard.safetensors")["content"]
    training = Training(voices, heard, arguments.run, arguments.alone)
    run(training, arguments.run, arguments.minutes)


if __name__ == "__main__":
    main()
