"""The pattern of the mark: what whoever lays it on and whoever looks for it both know.

Time is cut into frames of 20 ms, the range from 300 Hz to 5 kHz into bands of 100 Hz. In each
frame every band is a little louder or softer than it was; which of the two, a fixed table of
signs says, which begins again every 2.56 s. The grid is one of Hz and ms, not of samples: it is
the same at every rate.
"""

from __future__ import annotations

import hashlib
from typing import Literal, get_args

import torch
from torch import Tensor

Kind = Literal["synthetic", "cloned"]
"""What is marked: speech of a voice of its own, or of the voice of a person who consented."""
KINDS: tuple[Kind, ...] = get_args(Kind)

FRAMES_A_SECOND = 50
FRAMES = 128
"""Frames until the pattern begins again."""
LOWEST = 300
"""Where the first band begins, in Hz: what is below, small loudspeakers do not play."""
WIDTH = 100
"""How wide a band is, in Hz."""
BANDS = 47
"""Up to 5 kHz. Codecs put noise of their own in the place of what is above."""
VERSION = 1
"""Another table, grid or depth is another version."""


def signs(kind: Kind) -> Tensor:
    """The table of a kind [frames, bands], of +1 (louder) and -1 (softer).

    The bits are those of SHAKE-256 of the kind's name, so that they never change.

    >>> table = signs("synthetic")
    >>> table.shape, bool(table.mean().abs() < 0.05)
    (torch.Size([128, 47]), True)
    """
    count = FRAMES * BANDS
    data = hashlib.shake_256(f"audiopipe watermark {VERSION} {kind}".encode()).digest(count // 8)
    octets = torch.tensor(list(data), dtype=torch.uint8)
    bits = (octets[:, None] >> torch.arange(8, dtype=torch.uint8)) & 1
    return bits.float().mul(2).sub(1).view(FRAMES, BANDS)
