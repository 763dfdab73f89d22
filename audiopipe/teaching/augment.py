"""Copies of a recording as it might have sounded: earlier, faster, duller, in noise."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from audiopipe.stages.keywords import RATE
from audiopipe.teaching.noises import amplitude
from audiopipe.teaching.seconds import CONTEXT, SECOND

SHIFT = 0.2
"""Seconds to either side: further, and the end of a word would be outside."""
SPEED = 0.15
EQ = 6.0
"""Decibels up or down, in five bands."""
SNR = (3.0, 35.0)
"""In dB."""
_KNOTS = 5


def the_second(clips: Tensor) -> Tensor:
    """The second in the middle of clips [n, 32000]: [n, 16000]."""
    return clips[:, (CONTEXT - SECOND) // 2 : (CONTEXT + SECOND) // 2]


def augment(clips: Tensor, noises: Tensor, random: torch.Generator) -> Tensor:
    """One changed second of each of clips [n, 32000], with one of noises [m, 16000] under it.

    Shifted in time, played faster or slower, equalised, in noise, louder or softer, and
    clipped where it is too loud: [n, 16000].
    """
    moved = _moved(clips, random)
    chosen = noises[torch.randint(len(noises), (len(clips),), generator=random)]
    return _gained(_in_noise(equalised(moved, random), chosen, random), random)


def _uniform(count: int, low: float, high: float, random: torch.Generator) -> Tensor:
    """Numbers [count, 1]."""
    return low + (high - low) * torch.rand(count, 1, generator=random)


def _moved(clips: Tensor, random: torch.Generator) -> Tensor:
    """Shifted, and at another speed, by linear interpolation: [n, 16000]."""
    count = len(clips)
    speed = _uniform(count, 1 - SPEED, 1 + SPEED, random)
    middle = CONTEXT / 2 + RATE * _uniform(count, -SHIFT, SHIFT, random)
    at = (middle + (torch.arange(SECOND) - SECOND / 2) * speed).clamp(0, CONTEXT - 2)
    first = at.long()
    share = at - first
    return clips.gather(1, first) * (1 - share) + clips.gather(1, first + 1) * share


def equalised(seconds: Tensor, random: torch.Generator) -> Tensor:
    """Through smooth random filters: [n, 16000] to the same."""
    spectrum = torch.fft.rfft(seconds)
    knots = EQ * (2 * torch.rand(len(seconds), 1, _KNOTS, generator=random) - 1)
    # Bands are as wide as octaves are: the curve is drawn over the logarithm of frequency.
    octave = torch.log2(torch.fft.rfftfreq(SECOND, 1 / RATE).clamp_min(125) / 125) / 6
    curve = functional.interpolate(knots, 601, mode="linear", align_corners=True)[:, 0]
    gains = curve[:, (octave * 600).round().long()]
    filtered: Tensor = torch.fft.irfft(spectrum * amplitude(gains), SECOND)
    return filtered


def _in_noise(seconds: Tensor, noises: Tensor, random: torch.Generator) -> Tensor:
    snr = _uniform(len(seconds), *SNR, random)
    power, noise = (_loudest(each) for each in (seconds, noises))
    return seconds + noises * (power / noise.clamp_min(1e-12) * 10 ** (-snr / 10)).sqrt()


def _loudest(seconds: Tensor) -> Tensor:
    """The power of the loudest fifth of a second of [n, 16000]: [n, 1]."""
    return seconds.square().unfold(1, SECOND // 5, SECOND // 10).mean(-1).amax(1, keepdim=True)


def _gained(seconds: Tensor, random: torch.Generator) -> Tensor:
    gains = _uniform(len(seconds), -20, 6, random)
    return (seconds * amplitude(gains)).clamp(-1, 1)
