"""The last part of `separate`: stems in the form of what came in, and what they add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log10, sqrt

import torch

from audiopipe.separators.base import CHANNELS, REMAINDER, Remainder, separation_card, sums
from audiopipe.signals import Audio
from audiopipe.stage import GRID, Fidelity, Reach, Stateful

ALIKE = 0.999
"""Correlation with the mix above which a stem may be nothing but the mix."""
LEVEL = 0.1
"""And the difference of their levels in dB below which it is."""
SILENT = 1e-8
"""Mean power below which nothing is said of likeness: -80 dB."""


@dataclass
class Account:
    """The state of a stream: of how many of the model's stems each is the sum, its samples, and
    for each stem the sums of what it is likened by."""

    counts: list[int]
    samples: int = 0
    mix: float = 0.0
    power: dict[str, float] = field(default_factory=dict)
    shared: dict[str, float] = field(default_factory=dict)

    def likeness(self, name: str) -> tuple[float, float]:
        """Correlation of a stem with the mix, and its level above the mix in dB."""
        power = self.power[name]
        if not power:
            return 0.0, float("-inf")
        return self.shared[name] / sqrt(power * self.mix), 10 * log10(power / self.mix)


class Balance(Stateful):
    """Bring stems to the rate and the channels of the source, and see to their sum.

    The source first, then the stems: Audio [channels, time] each, to a port a stem. What the mix is
    more than the sum of its stems is shared out (`distribute`: the same to each of the model's
    stems, so that they add up to the mix), a stem of its own (`keep`), or left out (`none`).
    """

    name = "balance"
    many = True
    rejoins = True

    model: str
    keep: tuple[str, ...]
    remainder: Remainder

    @property
    def fidelity(self) -> Fidelity:
        return GRID

    def accepts(self, source: Audio, *stems: Audio) -> Sequence[Audio]:
        return [Audio.empty(source.rate, min(source.channels, CHANNELS))] * (1 + len(stems))

    def output(self, source: Audio, *stems: Audio) -> Mapping[str, Audio]:
        names = [*self._sums(), *([REMAINDER] if self.remainder == "keep" else [])]
        return dict.fromkeys(names, source.format)

    def reach(self, source: Audio) -> Reach:
        return Reach(behind=0, ahead=0, latency=0)

    def start(self, model: None, sources: Sequence[Audio]) -> Account:
        sums = self._sums()  # reads the card: once for a stream
        none = dict.fromkeys(sums, 0.0)
        return Account([len(which) for which in sums.values()], power=dict(none), shared=none)

    def step(
        self, model: None, state: Account, blocks: Sequence[Audio], last: bool
    ) -> tuple[Audio, ...]:
        mix, *stems = (block.samples for block in blocks)
        likened = mix.double()
        state.samples += mix.numel()
        state.mix += float(likened.square().sum())
        for name, stem in zip(state.power, stems, strict=True):
            state.power[name] += float(stem.double().square().sum())
            state.shared[name] += float((stem.double() * likened).sum())
        if self.remainder != "none":
            rest = mix - torch.stack(stems).sum(0)
            if self.remainder == "keep":
                stems.append(rest)
            else:
                whole = sum(state.counts)
                pairs = zip(stems, state.counts, strict=True)
                stems = [stem + rest * (count / whole) for stem, count in pairs]
        return tuple(blocks[0].like(stem, start=blocks[0].start) for stem in stems)

    def warnings(self, state: Account) -> Sequence[str]:
        if state.mix <= SILENT * state.samples:
            return []
        found = {name: state.likeness(name) for name in state.power}
        return [
            f"{name} equals the mix (correlation {alike:.5f}, level {level:+.2f} dB): either the "
            f"recording holds nothing else, or {self.model} failed; run: "
            f"audiopipe models verify {self.model}"
            for name, (alike, level) in found.items()
            if alike > ALIKE and abs(level) < LEVEL
        ]

    def _sums(self) -> dict[str, tuple[int, ...]]:
        return sums(separation_card(self.model).labels, self.keep)
