"""A network that tells the pitch of a sound, and whether it has one."""

from __future__ import annotations

from math import log2

import torch
from torch import Tensor, nn
from torch.nn import functional

from audiopipe.evidence import BANDS, LOW, MEL, OCTAVE, PITCHES, VIEWS

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

    Input: what CONTEXT + frames + AHEAD frames say [batch, SIZE, …], the last of it their level,
    and the levels [batch, BEHIND - CONTEXT] of those before them. Output: logits
    [batch, PITCHES, frames] and [batch, frames].

    >>> from audiopipe.evidence import SIZE
    >>> net = PitchNet().eval()
    >>> frames = torch.zeros(1, SIZE, CONTEXT + 20 + AHEAD)
    >>> pitch, voicing = net(frames, torch.zeros(1, BEHIND - CONTEXT))
    >>> pitch.shape, voicing.shape
    (torch.Size([1, 176, 20]), torch.Size([1, 20]))
    """

    taps: Tensor

    def __init__(self, channels: int = 16, hidden: int = 32) -> None:
        super().__init__()
        self.register_buffer("taps", _taps(), persistent=False)
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
        views, tone, loud = torch.split(frames, [VIEWS + 1, MEL, 1], 1)
        hidden = self._gathered(views)
        hidden = _convolved(hidden, self.near)
        hidden = hidden + functional.relu(self.weigh(self._with_rivals(hidden)), inplace=True)
        hidden = _convolved(hidden, self.far)
        logits = self.pitch(hidden)[..., 0]  # [batch, pitches, two frames more]

        share = logits.softmax(1)
        heard = (hidden * share[..., None]).sum(1).mT
        facts = (logits.amax(1) / 8, logits.logsumexp(1) / 8, share.square().sum(1))
        tone = torch.cat([tone[..., CONTEXT - 2 :], *_relative(loud, before[:, None])], 1)
        tone = functional.relu(self.timbre(tone))
        voice = torch.cat([tone, heard, torch.stack(facts, 1)], 1)
        voice = functional.relu(self.sound(voice))
        return logits[..., 2:], self.voicing(voice)[:, 0]

    def _gathered(self, views: Tensor) -> Tensor:
        """What speaks for each pitch: [batch, pitches, frames, channels]."""
        batch, _, frames = views.shape
        # Whole rows are copied, which is what makes it quick.
        taken = views.index_select(1, self.taps.flatten()).view(batch, len(self.taps), -1)
        first = self.gather(taken.mT).view(batch, PITCHES, frames, -1)
        return functional.relu(first.add_(self.place), inplace=True)

    def _with_rivals(self, hidden: Tensor) -> Tensor:
        """What each pitch says, and the pitches an octave and a twelfth away."""
        shifts = [_steps(rival) for rival in RIVALS]
        edge = max(shifts)
        padded = functional.pad(self.rivals(hidden), (0, 0, 0, 0, edge, edge))
        return torch.cat([hidden, *(padded[:, edge + s :][:, :PITCHES] for s in shifts)], -1)


def _convolved(hidden: Tensor, layer: nn.Conv2d) -> Tensor:
    """Over pitches and frames: [batch, pitches, frames, channels], fewer frames."""
    # Channels stay last in memory, as the convolutions of a CPU like it.
    return functional.relu(layer(hidden.permute(0, 3, 1, 2)), inplace=True).permute(0, 2, 3, 1)


def _relative(loud: Tensor, before: Tensor) -> list[Tensor]:
    """Levels less the loudest up to each, of each span: [batch, 1, two frames before and more]."""
    levels, now = torch.cat([before, loud], -1), loud[..., CONTEXT - 2 :]
    return [
        now - functional.max_pool1d(levels[..., BEHIND - 1 - span :], span, stride=1)
        for span in SPANS
    ]


def _steps(multiple: float) -> int:
    """A multiple of a frequency in bins."""
    return round(OCTAVE * log2(multiple))


def _taps() -> Tensor:
    """[taps, PITCHES]: where in a frame's views each pitch looks; behind the last is a zero."""
    views = (
        (0, BANDS, PARTIALS),
        (BANDS, BANDS, LEVELS),
        (2 * BANDS, PITCHES, PERIODS),
        (2 * BANDS + PITCHES, PITCHES, PERIODS),
        (2 * BANDS + 2 * PITCHES, LOW, CLOSE),
        (2 * BANDS + 2 * PITCHES + LOW, LOW, PERIODS),
        (2 * BANDS + 2 * PITCHES + 2 * LOW, BANDS, CLOSE),
        (3 * BANDS + 2 * PITCHES + 2 * LOW, PITCHES, PERIODS),
    )
    rows = []
    for first, count, multiples in views:
        for multiple in multiples:
            at = torch.arange(PITCHES) + _steps(multiple)
            rows.append(torch.where((at >= 0) & (at < count), first + at, VIEWS))
    return torch.stack(rows)
