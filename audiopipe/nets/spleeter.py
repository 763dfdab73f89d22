"""The networks of Spleeter (Hennequin, Khlif, Voituret & Moussallam, JOSS 2020), as torch modules.

A U-Net for each stem (Jansson et al., ISMIR 2017) looks at the magnitudes of 512 frames of stereo
sound. What follows are facts of the trained weights: other choices would be as good, but not equal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

FRAMES: Final = 512
"""Frames of a segment: the networks were trained on no other length."""
FILTERS: Final = (16, 32, 64, 128, 256, 512)
"""Channels behind each convolution of the official weights."""
FINE: Final = 16
"""Outputs of a layer up to which `FineDoubling` is the faster one."""
TAPS: Final = ((3, 1, 5), (4, 2, 0))
"""For even and odd rows, the kernel's row for the row before, the same and the next one."""
EPSILON: Final = 1e-10
"""Added to the powers of all stems together: silence is shared out equally."""
DEPTH: Final = len(FILTERS)
VARIABLES: Final = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}
"""What torch and TensorFlow call the same parts of a batch normalization."""

Activation = Literal["leaky", "elu"]


class Doubling(nn.ConvTranspose2d):
    """A transposed convolution as TensorFlow's: [batch, channels, 2 * frames, 2 * bins]."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 5, stride=2, padding=1)

    def forward(self, hidden: Tensor, output_size: list[int] | None = None) -> Tensor:
        return super().forward(hidden, output_size)[..., :-1, :-1]


class FineDoubling(Doubling):
    """The same, as a convolution of size 3 with four times the outputs, which are then spread out.

    Every other row that comes out is a sum over rows at the same offsets, `TAPS` says with which
    row of the kernel; so with columns. Where there are few outputs, this takes half the time.
    """

    def forward(self, hidden: Tensor, output_size: list[int] | None = None) -> Tensor:
        taps = torch.tensor(TAPS, device=hidden.device)
        kernel = functional.pad(self.weight, (0, 1, 0, 1))  # row and column 5 are zeros
        kernel = kernel[:, :, taps[:, :, None, None], taps].permute(1, 2, 4, 0, 3, 5)
        bias = None if self.bias is None else self.bias.repeat_interleave(4)
        spread = functional.conv2d(hidden, kernel.flatten(0, 2), bias, padding=1)
        return functional.pixel_shuffle(spread, 2)


class Unet(nn.Module):
    """One stem's network: magnitudes [batch, 2, frames, bins] to a logit for each of them.

    Frames and bins must be whole multiples of 64, as each of six convolutions halves both.
    TensorFlow pads what it halves by one row before and two behind, and crops likewise what it
    doubles. The convolutions' own output, and not that of the activation, is what the other side
    of the U is given.
    """

    def __init__(self, filters: Sequence[int] = FILTERS, activation: Activation = "leaky") -> None:
        super().__init__()
        self.activation = activation
        down = [2, *filters]
        up = [*filters[::-1], 1]
        self.encode = nn.ModuleList(nn.Conv2d(a, b, 5, stride=2) for a, b in pairwise(down))
        self.decode = nn.ModuleList(
            (Doubling if b > FINE else FineDoubling)(a if k == 0 else 2 * a, b)
            for k, (a, b) in enumerate(pairwise(up))
        )
        self.before = nn.ModuleList(nn.BatchNorm2d(n, eps=1e-3) for n in filters[:-1])
        self.behind = nn.ModuleList(nn.BatchNorm2d(n, eps=1e-3) for n in up[1:])
        self.mask = nn.Conv2d(1, 2, 4, dilation=2, padding=3)

    def forward(self, magnitudes: Tensor) -> Tensor:
        hidden, skips = magnitudes, []
        for k, layer in enumerate(self.encode):
            if k:
                hidden = self._down(self.before[k - 1](hidden))
            hidden = layer(functional.pad(hidden, (1, 2, 1, 2)))
            skips.append(hidden)
        skips.pop()
        for k, layer in enumerate(self.decode):
            if k:
                hidden = torch.cat([skips.pop(), hidden], 1)
            hidden = self.behind[k](self._up(layer(hidden)))
        logits: Tensor = self.mask(hidden)
        return logits

    def _down(self, hidden: Tensor) -> Tensor:
        if self.activation == "elu":
            return functional.elu(hidden, inplace=True)
        return functional.leaky_relu(hidden, 0.2, inplace=True)

    def _up(self, hidden: Tensor) -> Tensor:
        if self.activation == "elu":
            return functional.elu(hidden, inplace=True)
        return functional.relu(hidden, inplace=True)


class SpleeterNet(nn.Module):
    """All stems' networks: magnitudes [batch, 2, FRAMES, bins] to the share of each stem.

    The output is [batch, stems, 2, FRAMES, bins], and adds up to 1 over the stems. Where the
    stems' estimates are not each a share of their own (`sigmoid`) but one of all (`softmax`), this
    is how the network was trained, with five stems.
    """

    def __init__(
        self,
        stems: int,
        activation: Activation = "leaky",
        output: Literal["sigmoid", "softmax"] = "sigmoid",
        filters: Sequence[int] = FILTERS,
    ) -> None:
        super().__init__()
        self.output = output
        self.unets = nn.ModuleList(Unet(filters, activation) for _ in range(stems))

    def forward(self, magnitudes: Tensor) -> Tensor:
        logits = torch.stack([unet(magnitudes) for unet in self.unets], 1)
        shares = logits.softmax(1) if self.output == "softmax" else logits.sigmoid_()
        return masks(shares.mul_(magnitudes[:, None]))


def masks(magnitudes: Tensor) -> Tensor:
    """The share of each stem, of the stems' magnitudes [batch, stems, ...], which are overwritten.

    >>> masks(torch.tensor([[[1.0, 0.0], [3.0, 0.0]]]))
    tensor([[[0.1000, 0.5000],
             [0.9000, 0.5000]]])
    """
    powers = magnitudes.square_()
    total = powers.sum(1, keepdim=True).add_(EPSILON)
    return powers.add_(EPSILON / magnitudes.shape[1]).div_(total)


def state_of_checkpoint(tensors: Mapping[str, Tensor], stems: int) -> dict[str, Tensor]:
    """The state dict of a `SpleeterNet`, of the variables of a checkpoint.

    TensorFlow numbers layers in the order in which they were made, stem after stem: `conv2d`,
    `conv2d_1` and so on. Raises KeyError for a variable that is not there.
    """
    state: dict[str, Tensor] = {}

    def layer(kind: str, number: int) -> str:
        return f"{kind}_{number}" if number else kind

    def kernel(target: str, source: str, axes: tuple[int, int, int, int]) -> None:
        state[f"{target}.weight"] = tensors[f"{source}/kernel"].permute(axes).contiguous()
        state[f"{target}.bias"] = tensors[f"{source}/bias"]

    def norm(target: str, source: str) -> None:
        for name, variable in VARIABLES.items():
            state[f"{target}.{name}"] = tensors[f"{source}/{variable}"]

    for stem in range(stems):
        unet = f"unets.{stem}"
        for k in range(DEPTH):
            # Of kernels, frames and bins come first; then inputs and outputs, or, where the
            # convolution is a transposed one, outputs and inputs. Torch wants them otherwise.
            kernel(f"{unet}.encode.{k}", layer("conv2d", 7 * stem + k), (3, 2, 0, 1))
            kernel(f"{unet}.decode.{k}", layer("conv2d_transpose", 6 * stem + k), (3, 2, 0, 1))
            if k < DEPTH - 1:  # the sixth normalization is there, and nothing comes of it
                norm(f"{unet}.before.{k}", layer("batch_normalization", 12 * stem + k))
            norm(f"{unet}.behind.{k}", layer("batch_normalization", 12 * stem + DEPTH + k))
        kernel(f"{unet}.mask", layer("conv2d", 7 * stem + DEPTH), (3, 2, 0, 1))
    return state
