"""Train the converter's ear for a given time: which sound is each frame, whoever says it.

    python -m training.clone.content --data DATA --run RUN --minutes 20

Each utterance is heard as another throat, microphone and room would have made it. A run that was
cut off goes on from `RUN/ear/checkpoint.pt` with the same command; the weights are beside it.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from audiopipe.nets.frames import MelConfig
from audiopipe.nets.listening import Content

from ..checkpoints import Parts, keep, restore
from ..running import follow, run, schedule
from .data import Crops, Voices
from .disturb import Warp, disturbed

SETTINGS: dict[str, Any] = {
    "width": 192, "expansion": 2, "ahead": [3, 2, 1, 1, 1, 0, 0], "neck": 32,
}  # fmt: skip
BATCH, FRAMES = 24, 320
RATE = 2e-3
NOISE = 0.1
"""On what comes through the neck, so that it does not hide a voice in small numbers."""
EXAMINED = 500
"""Steps after which it is asked about people whom it has not heard."""


class Training:
    """Everything that changes while training, and one step of it."""

    def __init__(
        self, voices: Voices, classes: Tensor, count: int, exam: Exam | None = None, seed: int = 0
    ) -> None:
        torch.manual_seed(seed)
        self.generator = torch.Generator().manual_seed(seed)
        self.content = Content(**SETTINGS)
        bands = self.content.mean.shape[0]
        self.content.mean.copy_(voices.mel[::7, :bands].float().mean(0))
        self.content.deviation.copy_(voices.mel[::7, :bands].float().std(0))
        neck = SETTINGS["neck"]
        self.head = nn.Sequential(nn.Linear(neck, 256), nn.GELU(), nn.Linear(256, count))
        self.net = nn.ModuleList([self.content, self.head])
        self.average = AveragedModel(self.net, multi_avg_fn=follow)
        self.optimizer = torch.optim.AdamW(
            self.net.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.01
        )
        self.classes, self.warp = classes, Warp(MelConfig())
        spoken = [k for k in range(len(voices)) if classes[voices.spans[k, 0]] >= 0]
        self.crops = Crops(voices, self.content.stack.reach, FRAMES, spoken)
        self.exam, self.steps = exam, 0

    def step(self, progress: float) -> dict[str, float]:
        """Take a batch, improve the network."""
        for group in self.optimizer.param_groups:
            group["lr"] = RATE * schedule(progress)
        crop = self.crops.draw(BATCH, self.generator)
        bands = torch.full((BATCH,), self.content.mean.shape[0])
        mel = disturbed(crop.mel[..., : bands[0]], bands, self.warp, self.generator)
        phase = int(torch.randint(2, (), generator=self.generator))
        truth = self.classes[crop.wanted][:, phase::2].long()
        truth = truth.masked_fill(~crop.inside[:, phase::2], -1)
        through = self.content(mel[:, phase:], every=2)[:, : truth.shape[1]]
        told = self.head(through + NOISE * torch.randn(through.shape, generator=self.generator))
        loss = functional.cross_entropy(
            told.transpose(1, 2), truth, ignore_index=-1, label_smoothing=0.05
        )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()
        self.average.update_parameters(self.net)
        self.steps += 1
        figures = {"loss": loss.item(), "right": right(told, truth), "norm": norm.item()}
        if self.exam and self.steps % EXAMINED == 0:
            figures["held"] = self.exam.mark(self.average.module)
        return figures

    def parts(self) -> Parts:
        return {name: getattr(self, name) for name in ("net", "average", "optimizer")}

    def save(self, folder: Path, seconds: float) -> None:
        """Write the checkpoint and the averaged weights, each whole or not at all."""
        random = self.generator.get_state()
        facts = {"steps": self.steps, "seconds": seconds, "random": random}
        about = {"settings": SETTINGS, "steps": self.steps, "seconds": round(seconds)}
        keep(folder, self.parts(), facts, self.average.module, "content", about)

    def resume(self, folder: Path) -> float:
        """Read the checkpoint, if there is one; returns the seconds spent so far."""
        state = restore(folder, self.parts())
        if state is None:
            return 0.0
        self.generator.set_state(state["random"])
        self.steps = state["steps"]
        return state["seconds"]


def right(told: Tensor, truth: Tensor) -> float:
    """Share of the known frames whose sound (not state) is told right."""
    found, known = told.argmax(2), truth >= 0
    return (found // 3 == truth // 3)[known].float().mean().item()


def load_content(folder: Path) -> tuple[Content, dict[str, Any]]:
    """What the training has written, and what it says of it."""
    path = folder / "ear" / "weights.safetensors"
    with safe_open(path, framework="pt") as file:
        about = json.loads(file.metadata()["content"])
    content = Content(**about["settings"])
    own = {
        name[2:]: value.float() for name, value in load_file(path).items() if name.startswith("0.")
    }
    content.load_state_dict(own)
    return content.eval(), about


@dataclass
class Exam:
    """Recordings of people whom no training hears, and the sounds of their frames."""

    voices: Voices
    classes: Tensor
    limit: int = 100

    @torch.inference_mode()
    def mark(self, net: nn.Module) -> float:
        """Share of the frames whose sound is told right, as they were recorded."""
        content, head = net[0], net[1]
        spoken = [k for k, (begin, _) in enumerate(self.voices.spans) if self.classes[begin] >= 0]
        wins: list[float] = []
        for k in spoken[:: max(1, len(spoken) // self.limit)]:
            begin, end = self.voices.spans[k].tolist()
            mel = self.voices.mel[begin:end, : content.mean.shape[0]].float()
            mel = functional.pad(mel, (0, 0, *content.stack.reach), value=mel.min().item())
            wins.append(right(head(content(mel[None])), self.classes[None, begin:end].long()))
        return fmean(wins)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of `prepare`, `phones`")
    parser.add_argument("--run", type=Path, required=True, help="folder for weights and logs")
    parser.add_argument("--minutes", type=float, required=True, help="of the whole training")
    arguments = parser.parse_args()
    with safe_open(arguments.data / "phones.safetensors", framework="pt") as file:
        count = int(file.metadata()["classes"])
        classes = {split: file.get_tensor(split) for split in ("train", "held")}
    voices = Voices.load(arguments.data / "train.safetensors")
    held = Voices.load(arguments.data / "held.safetensors")
    training = Training(voices, classes["train"], count, Exam(held, classes["held"]))
    run(training, arguments.run / "ear", arguments.minutes)


if __name__ == "__main__":
    main()
