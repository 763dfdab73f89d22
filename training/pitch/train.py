"""Train the pitch network; the same command goes on with a run that was cut off.

Minutes are those of a core, not of a clock, so that runs compare on a busy machine too.

    python -m training.pitch.train --data DATA --out RUN --backgrounds FOLDER... NAME=WEIGHT...
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
from torch import Tensor
from torch.nn import functional

from audiopipe.evidence import LOWEST, OCTAVE, PITCHES
from audiopipe.nets.pitch import PitchNet

from .batches import Background, Batches, load
from .evaluate import evaluate
from .sets import read_set

log = logging.getLogger(__name__)

SETTINGS = {"channels": 16, "hidden": 32}
"""Of the network."""
BATCH, PART = 8, 2
"""Crops of a step, and of those that go through the network together: the cache is small."""
PEAK = 4e-3
"""The highest learning rate."""
DECAY = 0.01
"""Of weights."""
AVERAGE = 0.998
"""How much of the averaged weights a step keeps."""
WIDTH = 0.8
"""Bins: how wide a pitch is as a target."""


def losses(logits: Tensor, voicing: Tensor, f0: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Cross entropy of the pitch, its deviation in bins, cross entropy of the voicing.

    Shape: logits [batch, frames, PITCHES], voicing and f0 [batch, frames]
    """
    known = f0.isfinite()
    place = OCTAVE * (f0.nan_to_num(1.0).abs().clamp_min(1.0) / LOWEST).log2()
    pitched = known & (f0 != 0) & (place > 0) & (place < PITCHES - 1)
    bins = torch.arange(PITCHES)
    chosen = logits[pitched]
    away = bins - place[pitched][:, None]
    target = (-0.5 * (away / WIDTH).square()).exp()
    target = target / target.sum(1, keepdim=True)
    pitch = -(target * chosen.log_softmax(1)).sum(1).mean()
    near = chosen.masked_fill(away.abs() > 2.5, -torch.inf).softmax(1)
    deviation = functional.smooth_l1_loss((near * away).sum(1), torch.zeros(len(away)), beta=0.05)
    sure = known & (f0 >= 0)
    voice = functional.binary_cross_entropy_with_logits(voicing[sure], (f0[sure] > 0).float())
    return pitch.nan_to_num(), deviation.nan_to_num(), voice.nan_to_num()


def rate(share: float) -> float:
    """The learning rate after a share of the time: up for 3 %, then down along a cosine.

    >>> rate(0.03), round(rate(1.0), 6)
    (0.004, 0.0)
    """
    if share < 0.03:
        return PEAK * max(share, 1e-3) / 0.03
    return 0.5 * PEAK * (1 + cos(min(1.0, (share - 0.03) / 0.97) * pi))


def train(batches: Batches, arguments: argparse.Namespace) -> None:
    """Train for so many minutes of a core, which the learning rate follows."""
    net, average = PitchNet(**SETTINGS), PitchNet(**SETTINGS).eval()
    average.load_state_dict(net.state_dict())
    optimiser = torch.optim.AdamW(net.parameters(), lr=PEAK, weight_decay=DECAY)
    state = arguments.out / "state.pt"
    step, spent = 0, 0.0
    if state.exists():
        saved = torch.load(state, weights_only=True)
        net.load_state_dict(saved["net"])
        average.load_state_dict(saved["average"])
        optimiser.load_state_dict(saved["optimiser"])
        step, spent = saved["step"], saved["spent"]
    total = 60 * arguments.minutes
    began, told = time.process_time() - spent, spent
    sums: list[Tensor] = []
    while (spent := time.process_time() - began) < total:
        for group in optimiser.param_groups:
            group["lr"] = rate(spent / total)
        frames, before, f0 = batches.next(BATCH)
        optimiser.zero_grad()
        parts = (x.split(PART) for x in (frames, before, f0))
        for near, levels, truth in zip(*parts, strict=True):
            found = losses(*net(near, levels), truth)
            (sum(found) / (BATCH // PART)).backward()  # type: ignore[union-attr]
            sums.append(torch.stack(found).detach())
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        step += 1
        with torch.no_grad():
            keep = min(AVERAGE, step / (step + 20))
            for slow, fast in zip(average.parameters(), net.parameters(), strict=True):
                slow.lerp_(fast, 1 - keep)
        if spent - told > 60 * arguments.every:
            told = spent
            mean = torch.stack(sums).mean(0).tolist()
            log.info("step %d, %.0f s: pitch %.3f deviation %.3f voicing %.3f", step, spent, *mean)
            sums.clear()
            save(arguments, net, average, optimiser, step, spent)
            began += report(average, arguments, 40.0)
    save(arguments, net, average, optimiser, step, spent)
    report(average, arguments, 600.0)


def report(net: PitchNet, arguments: argparse.Namespace, seconds: float) -> float:
    """Log the figures of the held-out sets; gives the seconds that it took."""
    began = time.process_time()
    for name in arguments.held_out:
        found = evaluate(net, read_set(arguments.data / name), seconds)
        log.info("%s: %s", name, "; ".join(f"{c} {f.line()}" for c, f in found.items()))
    return time.process_time() - began


def save(
    arguments: argparse.Namespace,
    net: PitchNet,
    average: PitchNet,
    optimiser: torch.optim.Optimizer,
    step: int,
    spent: float,
) -> None:
    """Write a checkpoint from which to go on, and the averaged weights for use."""
    saved = {
        "net": net.state_dict(),
        "average": average.state_dict(),
        "optimiser": optimiser.state_dict(),
        "step": step,
        "spent": spent,
    }
    out = arguments.out
    torch.save(saved, out / "state.tmp")
    (out / "state.tmp").replace(out / "state.pt")
    save_file(average.state_dict(), out / "last.tmp")
    (out / "last.tmp").replace(out / "last.safetensors")
    facts = {
        "step": step,
        "minutes": round(spent / 60, 1),
        "parameters": sum(weight.numel() for weight in net.parameters()),
        "settings": SETTINGS,
        "sources": arguments.sources,
    }
    (out / "last.json").write_text(json.dumps(facts))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="+", metavar="NAME=WEIGHT")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--backgrounds", type=Path, nargs="+", required=True)
    parser.add_argument("--held-out", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--minutes", type=float, default=70)
    parser.add_argument("--every", type=float, default=3, help="minutes between checkpoints")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    arguments.out.mkdir(parents=True, exist_ok=True)
    sources = load(arguments.data, arguments.sources)
    background = Background.load(arguments.backgrounds)
    train(Batches(sources, background, arguments.seed), arguments)


if __name__ == "__main__":
    main()
