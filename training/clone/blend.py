"""The mean of two endings of one training: what the critic's has in likeness, the other's in words.

    python -m training.clone.blend RUN PLAIN --to BLEND --share 0.4

Both have gone on from the same checkpoint, PLAIN with `--alone 1`, so that their weights are near
each other and what lies between them is a network, too: clearer than the one and more like the
person than either (M. Wortsman et al., "Model soups", ICML 2022, arXiv:2203.05482).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ..checkpoints import keep_weights
from .run import load_converter


def blend(run: Path, plain: Path, to: Path, share: float) -> dict[str, Any]:
    """Write `share` of the weights of `run` and the rest of `plain`'s; returns what they say."""
    first, about = load_converter(run / "weights.safetensors")
    second, other = load_converter(plain / "weights.safetensors")
    if about["settings"] != other["settings"]:
        raise SystemExit(f"{run} and {plain} are not of one size")
    ours, theirs = first.state_dict(), second.state_dict()
    weights = {name: ours[name].lerp(theirs[name], 1 - share) for name in ours}
    about |= {"share": share, "steps_plain": other["steps"], "seconds_plain": other["seconds"]}
    keep_weights(to, weights, "converter", about)
    return about


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of `train`")
    parser.add_argument("plain", type=Path, help="folder of `train --alone 1`")
    parser.add_argument("--to", type=Path, required=True, help="folder for the weights")
    parser.add_argument("--share", type=float, default=0.4, help="of the first")
    arguments = parser.parse_args()
    print(json.dumps(blend(arguments.run, arguments.plain, arguments.to, arguments.share)))


if __name__ == "__main__":
    main()
