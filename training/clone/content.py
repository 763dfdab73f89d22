"""Train the converter's ear for a given time: which sound is each frame, whoever says it.

    python -m training.clone.content --data DATA --out RUN --minutes 20

Each utterance is heard as another throat, microphone and room would have made it. A run that was
cut off goes on from `RUN/content.pt` with the same command; the weights are in
`RUN/content.safetensors`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from audiopipe.nets.frames import MelConfig
from audiopipe.nets.listening import Content

from ..vocoder.train import Clock, follow, schedule
from .data import Crops, Voices
from .disturb import Warp, disturbed

SETTINGS: dict[str, Any] = {
    "width": 192, "expansion": 2, "ahead": [3, 2, 1, 1, 1, 0, 0], "neck": 32,
}  # fmt: skip
BATCH, FRAMES = 24, 320
RATE = 2e-3
NOISE = 0.1
"""On what comes through the neck, so that it does not hide a voice in small numbers."""


class Training:
    """Everything that changes while training, and one step of it."""

    def __init__(self, voices: Voices, classes: Tensor, count: int, seed: int = 0) -> None:
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
        self.steps = 0

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
        return {"loss": loss.item(), "right": right(told, truth), "norm": norm.item()}

    def save(self, folder: Path, seconds: float) -> None:
        """Write the checkpoint and the averaged weights, each whole or not at all."""
        parts = {name: getattr(self, name) for name in ("net", "average", "optimizer")}
        state = {name: part.state_dict() for name, part in parts.items()}
        state |= {"steps": self.steps, "seconds": seconds, "random": self.generator.get_state()}
        torch.save(state, folder / "content.new")
        (folder / "content.new").replace(folder / "content.pt")
        weights = {
            name: value.contiguous() for name, value in self.average.module.state_dict().items()
        }
        about = {"settings": SETTINGS, "steps": self.steps, "seconds": round(seconds)}
        save_file(weights, folder / "content.new", metadata={"content": json.dumps(about)})
        (folder / "content.new").replace(folder / "content.safetensors")

    def resume(self, folder: Path) -> float:
        """Read the checkpoint, if there is one; returns the seconds spent so far."""
        path = folder / "content.pt"
        if not path.exists():
            return 0.0
        state = torch.load(path, weights_only=True)
        for name in ("net", "average", "optimizer"):
            getattr(self, name).load_state_dict(state[name])
        self.generator.set_state(state["random"])
        self.steps = state["steps"]
        return state["seconds"]


def right(told: Tensor, truth: Tensor) -> float:
    """Share of the known frames whose sound (not state) is told right."""
    found, known = told.argmax(2), truth >= 0
    return (found // 3 == truth // 3)[known].float().mean().item()


def load_content(run: Path) -> tuple[Content, dict[str, Any]]:
    """What the training has written, and what it says of it."""
    path = run / "content.safetensors"
    with safe_open(path, framework="pt") as file:
        about = json.loads(file.metadata()["content"])
    content = Content(**about["settings"])
    own = {name[2:]: value for name, value in load_file(path).items() if name.startswith("0.")}
    content.load_state_dict(own)
    return content.eval(), about


@torch.inference_mode()
def judged(net: nn.Module, voices: Voices, classes: Tensor, limit: int = 100) -> float:
    """Share of the frames of held-out speakers whose sound is told right, as they were recorded."""
    content, head = net[0], net[1]
    spoken = [k for k in range(len(voices)) if classes[voices.spans[k, 0]] >= 0]
    wins: list[float] = []
    for k in spoken[:: max(1, len(spoken) // limit)]:
        begin, end = voices.spans[k].tolist()
        mel = voices.mel[begin:end, : content.mean.shape[0]].float()
        mel = functional.pad(mel, (0, 0, *content.stack.reach), value=mel.min().item())
        wins.append(right(head(content(mel[None])), classes[None, begin:end].long()))
    return sum(wins) / len(wins)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of `prepare`, `phones`")
    parser.add_argument("--out", type=Path, required=True, help="folder for weights and log")
    parser.add_argument("--minutes", type=float, required=True, help="of the whole training")
    arguments = parser.parse_args()

    torch.set_flush_denormal(True)
    arguments.out.mkdir(parents=True, exist_ok=True)
    with safe_open(arguments.data / "phones.safetensors", framework="pt") as file:
        count = int(file.metadata()["classes"])
        classes = {split: file.get_tensor(split) for split in ("train", "held")}
    voices = Voices.load(arguments.data / "train.safetensors")
    held = Voices.load(arguments.data / "held.safetensors")
    training = Training(voices, classes["train"], count)
    clock = Clock(arguments.minutes * 60, training.resume(arguments.out), torch.device("cpu"))
    saved, found = clock.seconds(), dict[str, list[float]]()
    with (arguments.out / "content.jsonl").open("a") as log:
        while clock.progress() < 1.0:
            for name, value in training.step(clock.progress()).items():
                found.setdefault(name, []).append(value)
            if training.steps % 50 == 0:
                line = {"step": training.steps, "seconds": round(clock.seconds(), 1)}
                line |= {name: round(fmean(values), 4) for name, values in found.items()}
                if training.steps % 500 == 0:
                    line["held"] = judged(training.average.module, held, classes["held"])
                print(json.dumps(line), file=log, flush=True)
                found = {}
            if clock.seconds() - saved > 120:
                training.save(arguments.out, clock.seconds())
                saved = clock.seconds()
    training.save(arguments.out, clock.seconds())


if __name__ == "__main__":
    main()
