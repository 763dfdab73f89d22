"""Converters of coqui-tts, which hear a stretch as a whole."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import soxr
import torch
from torch import Tensor

from audiopipe.cloning.agreed import Agreed
from audiopipe.cloning.contour import RATE
from audiopipe.cloning.heard import Heard
from audiopipe.engines.coqui import RefusedError
from audiopipe.errors import EngineError, ModelError
from audiopipe.io.save import save
from audiopipe.models import Store
from audiopipe.signals import Audio
from audiopipe.stage import Reach
from audiopipe.voices.coqui import Loaded, loaded

TASK = "convert"
"""What a card of such a model says."""
MOST, LEAST = 30 * RATE, 20 * RATE
"""Samples of the longest stretch; it ends where it is quietest behind so many."""
QUIET = RATE // 50
"""Samples over which it is quiet."""
SHORTEST = RATE // 2
"""Samples that a converter is given at least, the last of silence: less than about 50 ms they can
not make frames of."""
SILENT = 1e-4
"""A stretch that is never louder is silence, and stays it."""


@dataclass
class Waiting:
    """The state of a stream: the stretch that grows [1, time], and what is to be told of the
    reference."""

    held: Tensor = field(default_factory=lambda: torch.zeros(1, 0))
    given: int = 0
    told: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ready:
    """The model in its process, and the reference."""

    loaded: Loaded
    heard: Heard


class ConvertWhole(Agreed):
    """Give speech another voice by a model of coqui-tts: Audio [1, time] at 24 kHz to the same.

    Stretches of 20 to 30 s are converted by themselves; they end where it is quiet. Raises as
    `Heard` does, EngineError, which names the stretch that coqui-tts refuses, and ModelError for a
    model that converts nothing.
    """

    def accepts(self, source: Audio) -> Sequence[Audio]:
        return [Audio.empty(RATE, channels=1)]

    def output(self, source: Audio) -> Audio:
        return source.format

    def reach(self, source: Audio) -> Reach:
        return Reach(behind=None, ahead=MOST, latency=MOST)

    def load(self, source: Audio, device: torch.device, dtype: torch.dtype) -> Ready:
        heard = Heard(self.reference, self.consent)
        card = Store().card(self.model)
        if card.task != TASK:
            told = f"its card says task {card.task}"
            raise ModelError(f"model {self.model!r} converts no voices: {told}")
        return Ready(loaded(self.model, card, device), heard)

    def start(self, model: Ready, sources: Sequence[Audio]) -> Waiting:
        return Waiting(told=model.heard.told)

    def step(
        self, model: Ready, state: Waiting, blocks: Sequence[Audio], last: bool
    ) -> Iterator[Audio]:
        (block,) = blocks
        device = block.device
        state.held = torch.cat([state.held, block.samples.cpu().nan_to_num(0.0, 0.0, 0.0)], 1)
        while state.held.shape[1] >= MOST or (last and state.held.shape[1]):
            size = _end(state.held)
            stretch, state.held = state.held[:, :size], state.held[:, size:].clone()
            start, state.given = state.given, state.given + size
            try:
                made = _converted(model, stretch)
            except RefusedError as error:
                raise EngineError(
                    f"model {self.model!r} cannot convert the {size / RATE:.1f} s behind "
                    f"{start / RATE:.1f} s: {error}; try another reference, or another model"
                ) from None
            yield Audio(made.to(device), RATE, start)

    def warnings(self, state: Waiting) -> Sequence[str]:
        return state.told


def _end(held: Tensor) -> int:
    """Where the next stretch of what waits [1, time] ends."""
    if held.shape[1] < MOST:
        return held.shape[1]
    power = held[0, LEAST:MOST].square().view(-1, QUIET).mean(1)
    return LEAST + int(power.argmin()) * QUIET + QUIET // 2


def _converted(model: Ready, stretch: Tensor) -> Tensor:
    """A stretch [1, time] in the other voice, as long as it was."""
    if float(stretch.abs().max()) <= SILENT:
        return torch.zeros_like(stretch)
    heard = torch.nn.functional.pad(stretch, (0, max(0, SHORTEST - stretch.shape[1])))
    with tempfile.TemporaryDirectory(prefix="audiopipe-") as folder:
        source = save(Audio(heard, RATE), Path(folder) / "source.wav")
        made = model.loaded.process.convert(source, (model.heard.path,))
    rate = model.loaded.about["rate"]
    if rate != RATE:
        made = torch.from_numpy(soxr.resample(made[0].numpy(), rate, RATE))[None]
    short = stretch.shape[1] - made.shape[1]
    return torch.nn.functional.pad(made, (0, short))  # cuts where negative
