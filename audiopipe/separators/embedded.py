"""The family of `stems`, the model that comes with audiopipe: frames, masks with a memory, sound.

A card of such a model has the network `stems-net`; `settings` are the arguments of `StemsNet`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from audiopipe.errors import ModelError
from audiopipe.framing import Concatenate, Framing, OverlapAdd
from audiopipe.nets.stems import AHEAD, BINS, HOP, RATE, STEMS, WINDOW, State, StemsNet
from audiopipe.networks import load_network
from audiopipe.separators.base import CHANNELS, Choice, Remainder, separation_card, sums
from audiopipe.signals import Audio, Sampled
from audiopipe.stage import GRID, Fidelity, Reach, Stage, Stateful, Windowed

MOST = {"channels": 512, "hidden": 4096}
"""A card that asks for more would fill the memory before its weights are looked at."""

REMAINDER: Remainder = "distribute"
STEP = 4
"""Frames that come together: the network steps so far at a time, as single ones cost more."""
AT_ONCE = 64
"""Frames that go through the network together: more would be no faster, and cost memory."""
LEAD = WINDOW - HOP
"""Samples of a frame that lie before the hop that it ends with."""


@dataclass(frozen=True, eq=False)
class Spectra(Sampled):
    """Spectra of some signals: `values` [signals, CHANNELS, BINS, frames], complex64."""

    values: Tensor
    rate: int = RATE
    hop: int = HOP
    start: int = 0

    series: ClassVar = ("values",)

    @classmethod
    def empty(cls, signals: int) -> Spectra:
        """A format."""
        return cls(torch.zeros(signals, CHANNELS, BINS, 0, dtype=torch.complex64))


class Analyse(Windowed):
    """Spectra of Hann windows, STEP of them at a time: Audio [2, time] to Spectra [1, ...]."""

    name = "analyse"

    overlap: float | None = None

    def accepts(self, source: Audio) -> Sequence[Audio]:
        if self.overlap is not None:
            raise ValueError(
                "this model has no overlap to set: it remembers what it heard; leave it out"
            )
        return [Audio.empty(RATE, CHANNELS)]

    def output(self, source: Audio) -> Spectra:
        return Spectra.empty(1)

    def framing(self, source: Audio) -> Framing:
        window = WINDOW + (STEP - 1) * HOP
        return Framing(window, STEP * HOP, LEAD, window - 1, Concatenate(STEP))

    def load(self, source: Audio, device: torch.device, dtype: torch.dtype) -> Tensor:
        return torch.hann_window(WINDOW, device=device)

    def compute(self, model: Tensor, windows: Tensor) -> Tensor:
        # What is no number would stay in the network's memory for ever.
        frames = windows.unfold(-1, WINDOW, HOP).nan_to_num(0.0, 0.0, 0.0)
        spectra: Tensor = torch.fft.rfft(frames * model)
        return spectra.mT[:, None]


@dataclass
class Separating:
    """The state of a stream: the network's own, and how many frames went in and came out."""

    net: State | None = None
    heard: int = 0
    given: int = 0


class Mask(Stateful):
    """What each stem has of the spectra: Spectra [1, ...] to Spectra [ports, ...]."""

    name = "mask"
    takes = Spectra
    heavy = True

    model: str
    keep: tuple[str, ...]

    @property
    def fidelity(self) -> Fidelity:
        return GRID

    @property
    def models(self) -> Sequence[str]:
        return (self.model,)

    def output(self, source: Spectra) -> Spectra:
        return Spectra.empty(len(sums(STEMS, self.keep)))

    def reach(self, source: Spectra) -> Reach:
        return Reach(behind=None, ahead=AHEAD, latency=AHEAD)

    def load(self, source: Spectra, device: torch.device, dtype: torch.dtype) -> StemsNet:
        net = stems_net(self.model).to(device)
        # Warmed up here: what a live run hears first is not late.
        net(torch.zeros(1, CHANNELS, BINS, STEP, dtype=torch.complex64, device=device))
        return net

    def start(self, model: StemsNet, sources: Sequence[Spectra]) -> Separating:
        return Separating()

    def step(
        self, model: StemsNet, state: Separating, blocks: Sequence[Spectra], last: bool
    ) -> Spectra:
        (block,) = blocks
        spectra = block.values
        if last:
            spectra = torch.cat([spectra, spectra.new_zeros(*spectra.shape[:-1], AHEAD)], -1)
        found = [spectra.new_zeros(len(sums(STEMS, self.keep)), CHANNELS, BINS, 0)]
        for part in torch.split(spectra, AT_ONCE, -1) if spectra.shape[-1] else ():
            stems, state.net = model(part, state.net)
            early = max(0, AHEAD - state.heard)
            state.heard += part.shape[-1]
            groups = sums(STEMS, self.keep).values()
            found.append(torch.stack([stems[0, list(g)].sum(0) for g in groups])[..., early:])
        start, whole = state.given, torch.cat(found, -1)
        state.given += whole.shape[-1]
        return Spectra(whole, start=start)


class Synthesize(Windowed):
    """Sound of the spectra, a port a stem: Spectra [ports, ...] to Audio [2, time] each."""

    name = "synthesize"
    takes = Spectra

    keep: tuple[str, ...]

    @property
    def fidelity(self) -> Fidelity:
        return GRID

    def output(self, source: Spectra) -> Mapping[str, Audio]:
        return dict.fromkeys(sums(STEMS, self.keep), Audio.empty(RATE, CHANNELS))

    def framing(self, source: Spectra) -> Framing:
        hann = torch.hann_window(WINDOW)
        join = OverlapAdd(HOP, LEAD, weight=hann, norm=hann.square())
        return Framing(window=1, hop=1, join=join)

    def compute(self, model: None, windows: Tensor) -> tuple[Tensor, ...]:
        stretches: Tensor = torch.fft.irfft(windows[..., 0], n=WINDOW)
        return stretches.unbind(1)


def parts(choice: Choice) -> Sequence[Stage]:
    """The stages that the family makes of a model.

    Raises ModelError where the card is of another network's stems.
    """
    card = separation_card(choice.model)
    if (card.rate, card.labels) != (RATE, STEMS):
        raise ModelError(
            f"model {choice.model!r}: {card.network} makes {', '.join(STEMS)} at {RATE} Hz, "
            f"but its card says {', '.join(card.labels)} at {card.rate} Hz"
        )
    mask = Mask(model=choice.model, keep=choice.keep)
    return (Analyse(overlap=choice.overlap), mask, Synthesize(keep=choice.keep))


def stems_net(model: str) -> StemsNet:
    """The network with its weights, on the CPU, for use and not for training.

    Raises ModelError where card and weights do not fit, and what `Store.path` raises.
    """
    return load_network(model, separation_card(model).settings, MOST, StemsNet)
