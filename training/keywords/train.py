"""Train the keyword network; the same command goes on with a run that was cut off.

Minutes are those of a core, not of a clock, so that runs compare on a busy machine too.

python -m training.keywords.train --data DATA --out RUN --minutes 45 shared=1 synthetic=0.5
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Sequence
from math import cos, pi
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn import functional

from audiopipe.nets.keywords import KeywordNet
from audiopipe.stages.keywords import BANDS

from .batches import Batches, Source
from .clips import LABELS, UNKNOWN, WORDS
from .evaluate import evaluate, validation

log = logging.getLogger(__name__)

SETTINGS = {"bands": BANDS, "channels": 96, "blocks": 6, "kernel": 9}
"""Of the network."""
BATCH = 128
PEAK = 4e-3
"""The highest learning rate."""
DECAY = 0.02
"""Of weights."""
TAKEN = 0.35
"""The score of a word from which on something unknown is heard again."""
AVERAGE = 0.998
"""How much of the averaged weights a step keeps."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="+", metavar="NAME=WEIGHT")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=45)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    arguments.out.mkdir(parents=True, exist_ok=True)
    weights = (source.split("=") for source in arguments.sources)
    sources = [
        Source.load(arguments.data / f"{name}.npz", float(weight)) for name, weight in weights
    ]
    random = torch.Generator().manual_seed(arguments.seed)
    train(Batches(sources, random), validation(sources), arguments)


def train(batches: Batches, held_out: object, arguments: argparse.Namespace) -> None:
    """Train for so many minutes of a core, which the learning rate follows."""
    net = KeywordNet(len(LABELS), **SETTINGS)
    average = KeywordNet(len(LABELS), **SETTINGS).eval()
    optimiser = torch.optim.AdamW(net.parameters(), lr=PEAK, weight_decay=DECAY)
    state = arguments.out / "state.pt"
    step, spent = 0, 0.0
    if state.exists():
        saved = torch.load(state, weights_only=True)
        net.load_state_dict(saved["net"])
        average.load_state_dict(saved["average"])
        optimiser.load_state_dict(saved["optimiser"])
        step, spent = saved["step"], saved["spent"]
    sources = [source.name for source in batches.sources if source.weight]
    total = 60 * arguments.minutes
    began, told, kept = time.process_time() - spent, 0.0, 0.0
    losses: list[float] = []
    while (spent := time.process_time() - began) < total:
        for group in optimiser.param_groups:
            group["lr"] = rate(spent / total)
        decibels, targets = batches.next(BATCH)
        logits = net.train()(decibels)
        loss = functional.cross_entropy(logits, targets, label_smoothing=0.05)
        words = logits.detach().softmax(1)[:, : len(WORDS)].amax(1)
        batches.remember((targets[:, LABELS.index(UNKNOWN)] > 0.99) & (words > TAKEN))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        step += 1
        losses.append(loss.item())
        keep = min(AVERAGE, step / (step + 20))
        follow(average, net, keep)
        if spent - told > 120:
            told = spent
            log.info("step %d, %.0f s: loss %.3f", step, spent, sum(losses) / len(losses))
            log.info("%s", evaluate(average, held_out).line())
            losses.clear()
        if spent - kept > 180:
            kept = spent
            save(arguments.out, net, average, optimiser, step, spent, sources)
    save(arguments.out, net, average, optimiser, step, spent, sources)
    figures = evaluate(average, held_out)
    log.info("%d steps: %s", step, figures.line())
    (arguments.out / "figures.json").write_text(json.dumps(figures.data(), indent=1))


def rate(share: float) -> float:
    """The learning rate after a share of the time: up for 5 %, then down along a cosine.

    >>> rate(0.05), round(rate(1.0), 6)
    (0.004, 0.0)
    """
    if share < 0.05:
        return PEAK * max(share, 1e-3) / 0.05
    return 0.5 * PEAK * (1 + cos((share - 0.05) / 0.95 * pi))


def follow(average: KeywordNet, net: KeywordNet, keep: float) -> None:
    """Move the averaged weights a little towards the weights."""
    with torch.no_grad():
        for slow, fast in zip(
            average.state_dict().values(), net.state_dict().values(), strict=True
        ):
            if slow.dtype.is_floating_point:
                slow.lerp_(fast, 1 - keep)
            else:
                slow.copy_(fast)


def save(
    out: Path,
    net: KeywordNet,
    average: KeywordNet,
    optimiser: torch.optim.Optimizer,
    step: int,
    spent: float,
    sources: Sequence[str],
) -> None:
    """Write a checkpoint from which to go on, and the averaged weights for use."""
    saved = {
        "net": net.state_dict(),
        "average": average.state_dict(),
        "optimiser": optimiser.state_dict(),
        "step": step,
        "spent": spent,
    }
    torch.save(saved, out / "state.tmp")
    (out / "state.tmp").replace(out / "state.pt")
    save_file(average.state_dict(), out / "last.tmp")
    (out / "last.tmp").replace(out / "last.safetensors")
    facts = {
        "labels": LABELS,
        "step": step,
        "minutes": round(spent / 60, 1),
        "parameters": sum(weight.numel() for weight in net.parameters()),
        "settings": SETTINGS,
        "sources": sources,
    }
    (out / "last.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main()
