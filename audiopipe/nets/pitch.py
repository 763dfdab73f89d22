"""A network that tells the pitch of a sound, and whether it has one."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

import torch
from torch import Tensor, nn
from torch.nn import functional

from audiopipe.evidence import LEVEL, MEL, OCTAVE, PITCHES, TONE, VIEWS

AHEAD = 2
"""Frames after a frame that are heard before it is decided."""
CONTEXT = 6
"""Frames before it of which all is heard."""
BEHIND = 300
"""Frames before it whose level is heard: what hums on softly behind a voice is not the voice."""
SPANS = (63, BEHIND - 1)
"""Frames up to each over which its level is compared with the loudest."""

PARTIALS = (1 / 3, 1 / 2, 2 / 3, 1, 3 / 2, 2, 5 / 2, 3, 4, 5, 6, 7, 8, 10)
"""Multiples of a pitch at which the contrast is looked at: those between whole ones are there only
if the true pitch is an octave or a twelfth lower."""
LEVELS = (1 / 2, 1, 2, 3)
"""The same for the level."""
PERIODS = (1 / 2, 1, 2)
"""The same for the correlations."""
CLOSE = (1 / 2, 1, 3 / 2, 2, 3, 4, 5, 6)
"""The same for the contrast of the long window, and of the brief one."""
RIVALS = (1 / 3, 1 / 2, 2, 3)
"""Pitches that are taken for one by mistake."""


class PitchNet(nn.Module):
    """What frames say about pitch (`audiopipe.evidence`) to logits of pitches and of a voice.

    Every bin of pitch gathers what speaks for it: the spectrum at its partials, the correlations
    at its period. From there on the same small convolutions over time and log frequency work on
    all pitches alike (as in Wei, Li, Yu & Li, "HarmoF0", ICME 2022), and look once more at the
    rivals, an octave or a twelfth away. Whether there is a pitch at all is asked of what the
    likely pitches gathered, of the mel spectrum, and of how loud the frame is among those before.

    Input: what CONTEXT + frames + AHEAD frames say [batch, …, SIZE], and the levels
    [batch, BEHIND - CONTEXT] of those before them. Output: logits [batch, frames, PITCHES] and
    [batch, frames].

    >>> from audiopipe.evidence import SIZE
    >>> net = PitchNet().eval()
    >>> frames = torch.zeros(1, CONTEXT + 20 + AHEAD, SIZE)
    >>> pitch, voicing = net(frames, torch.zeros(1, BEHIND - CONTEXT))
    >>> pitch.shape, voicing.shape
    (torch.Size([1, 20, 176]), torch.Size([1, 20]))
    """

    taps: Tensor
    shifts: Tensor

    def __init__(self, channels: int = 16, hidden: int = 32) -> None:
        super().__init__()
        self.register_buffer("taps", _taps(), persistent=False)
        self.register_buffer("shifts", EDGE + torch.tensor(_steps(RIVALS)), persistent=False)
        self.gather = nn.Linear(len(self.taps), channels)
        self.place = nn.Parameter(torch.zeros(PITCHES, 1, channels))
        self.near = nn.Conv2d(channels, channels, 3, padding=(1, 0))
        self.rivals = nn.Linear(channels, 4)
        self.weigh = nn.Linear(channels + 4 * len(RIVALS), channels)
        self.far = nn.Conv2d(channels, channels, 3, padding=(1, 0), dilation=(1, 2))
        self.pitch = nn.Linear(channels, 1)
        self.timbre = nn.Conv1d(MEL + len(SPANS), hidden, 3)
        self.sound = nn.Conv1d(hidden + channels + 3, hidden, 3)
        self.voicing = nn.Conv1d(hidden, 1, 1)

    def forward(self, frames: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self._gathered(frames)
        hidden = _convolved(hidden, self.near)
        hidden = hidden + self._weighed(hidden)
        hidden = _convolved(hidden, self.far)
        logits = self.pitch(hidden)[..., 0]  # [batch, two frames more, pitches]

        share = logits.softmax(-1)
        heard = (share[..., None, :] @ hidden)[..., 0, :]
        loudest, surest = logits.amax(-1), share.amax(-1)
        total = loudest - surest.log()  # the logarithm of all exponentials
        facts = torch.stack([loudest / 8, total / 8, share.square().sum(-1)], -1)
        tone = frames[:, CONTEXT - 2 :, TONE]
        tone = torch.cat([tone, _relative(frames[..., LEVEL], before)], -1)
        voice = torch.cat([_in_time(tone, self.timbre), heard, facts], -1)
        voice = _in_time(voice, self.sound)
        voice = functional.linear(voice, self.voicing.weight[..., 0], self.voicing.bias)
        return logits[:, 2:], voice[..., 0]

    def _gathered(self, frames: Tensor) -> Tensor:
        """What speaks for each pitch: [batch, frames, pitches, channels]."""
        batch, count, _ = frames.shape
        # A pitch is a row of a view further along: whole rows are copied, which makes it quick.
        rows = frames.unfold(-1, PITCHES, 1).movedim(2, 0).index_select(0, self.taps)
        hidden = (self.place[:, 0] + self.gather.bias).repeat(batch * count, 1)
        hidden.addmm_(rows.view(len(self.taps), -1).mT, self.gather.weight.mT)
        return hidden.relu_().view(batch, count, PITCHES, -1)

    def _weighed(self, hidden: Tensor) -> Tensor:
        """What each pitch says, and the pitches an octave and a twelfth away."""
        channels, flat = hidden.shape[-1], hidden.flatten(0, -2)
        rivals = torch.addmm(self.rivals.bias[:, None], self.rivals.weight, flat.mT)
        padded = functional.pad(rivals.view(len(rivals), *hidden.shape[:-1]), (EDGE, EDGE))
        shifted = padded.unfold(-1, PITCHES, 1).movedim(-2, 0).index_select(0, self.shifts)
        own, others = torch.split(self.weigh.weight, [channels, len(rivals) * len(RIVALS)], 1)
        found = torch.addmm(self.weigh.bias, flat, own.mT)
        found.addmm_(shifted.view(others.shape[1], -1).mT, others.mT)
        return found.relu_().view(hidden.shape)


def _convolved(hidden: Tensor, layer: nn.Conv2d) -> Tensor:
    """Over frames and pitches: [batch, frames, pitches, channels], fewer frames."""
    # Channels stay last in memory, as the convolutions of a CPU like it.
    found = functional.conv2d(
        hidden.permute(0, 3, 1, 2),
        layer.weight.mT,
        layer.bias,
        padding=layer.padding[::-1],
        dilation=layer.dilation[::-1],
    )
    return found.relu_().permute(0, 2, 3, 1)


def _in_time(values: Tensor, layer: nn.Conv1d) -> Tensor:
    """A convolution over frames: [batch, frames, channels], fewer frames."""
    near = values.unfold(1, layer.kernel_size[0], 1).flatten(2)
    return functional.linear(near, layer.weight.flatten(1), layer.bias).relu_()


def _relative(loud: Tensor, before: Tensor) -> Tensor:
    """Levels less the loudest up to each, of each span: [batch, two frames before and more, 2]."""
    levels, now = torch.cat([before, loud], 1), loud[:, CONTEXT - 2 :]
    spans = [
        functional.max_pool1d(levels[:, BEHIND - 1 - span :], span, stride=1) for span in SPANS
    ]
    return now[..., None] - torch.stack(spans, -1)


def _steps(multiples: Sequence[float]) -> list[int]:
    """Multiples of a frequency in bins."""
    return [round(OCTAVE * log2(multiple)) for multiple in multiples]


EDGE = max(_steps(RIVALS))
"""Bins beyond the pitches in which rivals are looked for."""


def _taps() -> Tensor:
    """Where in a frame's numbers the lowest pitch looks, and the others as far above it: [taps]."""
    looks = {
        "contrast": PARTIALS,
        "spectrum": LEVELS,
        "correlation": PERIODS,
        "compressed": PERIODS,
        "low_contrast": CLOSE,
        "low_correlation": PERIODS,
        "brief_contrast": CLOSE,
        "brief_correlation": PERIODS,
    }
    return torch.tensor([VIEWS[n].first + s for n, many in looks.items() for s in _steps(many)])
