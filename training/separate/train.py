"""Train the network of stems; the same command goes on with a run that was cut off.

Minutes are those of a core, not of a clock. The learning rate follows them: with more minutes a
finished run goes on from a higher rate.

    python -m training.separate.train --data DATA --out RUN NAME=WEIGHT...
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from math import cos, pi
from pathlib import Path

import torch
from safetensors.torch import save_file

from audiopipe.nets.stems import AHEAD, StemsNet, levelled

from .batches import Batches
from .evaluate import evaluate, line
from .losses import Targets, losses
from .songs import read_song

log = logging.getLogger(__name__)

SETTINGS = {"channels": 48, "hidden": 256}
"""Of the network."""
BATCH = 2
"""Mixes of a step."""
FRAMES = 128 + AHEAD
"""Of a mix."""
PEAK = 1.5e-3
"""The highest learning rate."""
DECAY = 0.01
"""Of weights."""
AVERAGE = 0.999
"""How much of the averaged weights a step keeps."""
AGAIN = 150
"""Fetches after which new songs are looked for."""


def rate(share: float) -> float:
    """The learning rate after a share of the time: up for 2 %, then down along a cosine.

    >>> rate(0.02), round(rate(1.0), 6)
    (0.0015, 0.0)
    """
    if share < 0.02:
        return PEAK * max(share, 1e-3) / 0.02
    return 0.5 * PEAK * (1 + cos(min(1.0, (share - 0.02) / 0.98) * pi))


class Run:
    """The weights of a training, those averaged over its last steps, and how far it is."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.net, self.average = StemsNet(**SETTINGS), StemsNet(**SETTINGS).eval()
        self.average.load_state_dict(self.net.state_dict())
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=PEAK, weight_decay=DECAY)
        self.step, self.spent = 0, 0.0
        if (out / "state.pt").exists():
            saved = torch.load(out / "state.pt", weights_only=True)
            self.net.load_state_dict(saved["net"])
            self.average.load_state_dict(saved["average"])
            self.optimiser.load_state_dict(saved["optimiser"])
            self.step, self.spent = saved["step"], saved["spent"]

    def learn(self, spectra: torch.Tensor, lr: float) -> torch.Tensor:
        """One step on stems; gives the two losses."""
        for group in self.optimiser.param_groups:
            group["lr"] = lr
        with torch.no_grad():
            targets = Targets(spectra)
            state = self.net.silence(spectra[:, 0])
            features, _ = levelled(targets.views, state[1])
        masks, _ = self.net.masks(features, state[2:])
        found = losses(masks[:, :, AHEAD:], targets)
        self.optimiser.zero_grad()
        (found[0] + 0.1 * found[1]).backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        with torch.no_grad():
            keep = min(AVERAGE, self.step / (self.step + 20))
            for slow, fast in zip(self.average.parameters(), self.net.parameters(), strict=True):
                slow.lerp_(fast, 1 - keep)
        return torch.stack(found).detach()

    def save(self, sources: list[str]) -> None:
        """Write a checkpoint from which to go on, and the averaged weights for use."""
        saved = {
            "net": self.net.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "spent": self.spent,
        }
        torch.save(saved, self.out / "state.tmp")
        (self.out / "state.tmp").replace(self.out / "state.pt")
        save_file(self.average.state_dict(), self.out / "last.tmp")
        (self.out / "last.tmp").replace(self.out / "last.safetensors")
        facts = {
            "step": self.step,
            "minutes": round(self.spent / 60, 1),
            "parameters": sum(weight.numel() for weight in self.net.parameters()),
            "settings": SETTINGS,
            "sources": sources,
        }
        (self.out / "last.json").write_text(json.dumps(facts))


def train(batches: Batches, run: Run, arguments: argparse.Namespace) -> None:
    """Train for so many minutes of a core, which the learning rate follows."""
    songs = [read_song(folder) for folder in arguments.held_out]
    total = 60 * arguments.minutes
    began, told, fetched = time.process_time() - run.spent, run.spent, 0
    sums: list[torch.Tensor] = []
    while (spent := time.process_time() - began) < total:
        run.spent = spent
        stems = batches.next(BATCH)
        sums.append(run.learn(stems, rate(spent / total)))
        # The same stems make other mixes: each goes on to the next mix by its own way.
        moved = torch.stack([stems[:, row].roll(row, 0) for row in range(stems.shape[1])], 1)
        sums.append(run.learn(moved, rate(spent / total)))
        fetched += 1
        if fetched % AGAIN == 0:
            batches.look()
        if spent - told > 60 * arguments.every:
            told = spent
            mean = torch.stack(sums).mean(0).tolist()
            log.info("step %d, %.0f s: surprise %.4f, ratio %.3f dB", run.step, spent, *mean)
            sums.clear()
            run.save(arguments.sources)
            paused = time.process_time()
            log.info("%s", line(evaluate(run.average, songs, 2)))
            began += time.process_time() - paused
    run.save(arguments.sources)
    log.info("step %d: %s", run.step, line(evaluate(run.average, songs)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="+", metavar="NAME=WEIGHT")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--held-out", type=Path, nargs="*", default=[], metavar="SONG")
    parser.add_argument("--minutes", type=float, default=100)
    parser.add_argument("--every", type=float, default=5, help="minutes between checkpoints")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    torch.set_num_threads(1)
    # Stems that are not there and masks that say so make numbers so small that steps take thrice.
    torch.set_flush_denormal(True)
    torch.manual_seed(arguments.seed)
    arguments.out.mkdir(parents=True, exist_ok=True)
    weights = {name: float(weight) for name, weight in (s.split("=") for s in arguments.sources)}
    run = Run(arguments.out)
    batches = Batches(arguments.data, weights, FRAMES, arguments.seed + run.step)
    train(batches, run, arguments)


if __name__ == "__main__":
    main()
