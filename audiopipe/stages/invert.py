"""Make sound of a spectrogram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from audiopipe.framing import Concatenate, Framing, OverlapAdd, add_up
from audiopipe.mel import MelKind, from_mel, mel_bank, to_mel
from audiopipe.signals import Audio, Spectrogram
from audiopipe.stage import GRID, Fidelity, Stage, Windowed

MOMENTUM = 0.99
"""How far each iteration goes on in the direction of the last."""
SCALES = ("complex", "magnitude", "power", "mel", "log-mel")


class Invert(Windowed):
    """Make sound of a spectrogram.

    Input [channels, bins, frames]; output `Audio` [channels, time], as long as the sound that
    was analysed. A `complex` spectrogram gives back that sound (overlap-add: Griffin & Lim 1984)
    to 24 bits and better, if the hop is at most a quarter of the window; with longer hops, or
    causal frames, the last samples were seen by the window's edge only, and are inexact.

    The others have lost their phases, which are found by the fast Griffin-Lim algorithm
    (Perraudin, Balazs & Søndergaard 2013), from phases of zero around the middle of each frame;
    mel bands are spread over frequency by least squares before. An iteration reaches a
    window further. So pieces are computed together with as many frames on either side as can
    matter, and their joints are not heard; the price is twice the work, and a latency of some
    seconds. A cepstrum or a constant-Q spectrogram does not hold enough to be inverted.
    """

    name = "invert"
    takes = Spectrogram

    iterations: Annotated[int, Field(ge=1, le=1000)] = 32
    """Rounds of Griffin-Lim: more sound better, slightly, and are later."""

    @property
    def fidelity(self) -> Fidelity:
        return GRID

    def accepts(self, source: Spectrogram) -> Sequence[Spectrogram]:
        if source.scale not in SCALES:
            raise ValueError(
                f"a spectrogram of scale {source.scale!r} does not hold enough to be inverted; "
                f"give it one of scale {', '.join(SCALES)}"
            )
        if 2 * source.hop > source.window:
            raise ValueError(
                f"a hop of {source.hop} is more than half the window of {source.window}, so that "
                "sound is lost between frames; make the hop shorter, best a quarter of the window"
            )
        _bank(source)
        return [source]

    def output(self, source: Spectrogram) -> Audio:
        return Audio.empty(source.rate, source.channels)

    def framing(self, source: Spectrogram) -> Framing:
        if source.scale == "complex":
            hann = torch.hann_window(source.window)
            join = OverlapAdd(source.hop, source.lead, weight=hann, norm=hann.square())
            return Framing(window=1, hop=1, join=join)
        halo, piece = self._sizes(source)
        window, after = piece + 2 * halo, piece + halo - 1
        return Framing(window, piece, halo, after, Concatenate(piece * source.hop))

    def load(self, source: Spectrogram, device: torch.device, dtype: torch.dtype) -> _Model:
        bank = _bank(source)
        halo, piece = self._sizes(source)
        return _Model(
            scale=source.scale,
            hop=source.hop,
            iterations=self.iterations,
            first=halo * source.hop + source.lead,
            size=piece * source.hop,
            window=torch.hann_window(source.window, device=device),
            spread=None if bank is None else torch.linalg.pinv(bank).to(device),
        )

    def compute(self, model: _Model, windows: Tensor) -> Tensor:
        if model.scale == "complex":
            stretches: Tensor = torch.fft.irfft(windows[..., 0], n=len(model.window))
            return stretches
        magnitudes = _magnitudes(model, windows.transpose(-1, -2))
        samples = griffin_lim(magnitudes, model.window, model.hop, model.iterations)
        return samples[..., model.first : model.first + model.size]

    def _sizes(self, source: Spectrogram) -> tuple[int, int]:
        """How many frames on either side of a piece can matter to it, and how many it has."""
        neighbours = ceil(source.window / source.hop) - 1
        halo = (self.iterations + 1) * neighbours
        return halo, 2 * halo

    @classmethod
    def examples(cls) -> Sequence[Stage]:
        return (cls(iterations=2), cls(iterations=6))


@dataclass(frozen=True, eq=False)
class _Model:
    """`window` [window]; `spread` [bands, bins] makes bins of mel bands; the samples of a piece
    are those from `first` on, `size` of them."""

    scale: str
    hop: int
    iterations: int
    first: int
    size: int
    window: Tensor
    spread: Tensor | None


def griffin_lim(magnitudes: Tensor, window: Tensor, hop: int, iterations: int) -> Tensor:
    """Find sound [..., time] whose spectra have the magnitudes [..., frames, bins].

    Its first frame begins with the first sample; time is `(frames - 1) * hop + window`.

    >>> window = torch.hann_window(64)
    >>> tone = torch.sin(torch.arange(64 + 16 * 40) * 0.5)
    >>> spectra = torch.fft.rfft(tone.unfold(0, 64, 16) * window).abs()
    >>> found = griffin_lim(spectra, window, hop=16, iterations=50)
    >>> again = torch.fft.rfft(found.unfold(0, 64, 16) * window).abs()
    >>> bool((again - spectra).norm() < 0.05 * spectra.norm())
    True
    """
    size = len(window)
    frames = magnitudes.shape[-2]
    total = (frames - 1) * hop + size
    norm = add_up(window.square().expand(frames, size), hop, total)
    scale = norm.clamp_min(torch.finfo(norm.dtype).eps).reciprocal()

    def synthesize(spectra: Tensor) -> Tensor:
        stretches = torch.fft.irfft(spectra, n=size).mul_(window)
        return add_up(stretches.movedim(-2, 0), hop, total).mul_(scale)

    signs = 1 - 2 * (torch.arange(magnitudes.shape[-1], device=magnitudes.device) % 2)
    spectra = (magnitudes * signs).to(torch.complex64)
    previous = torch.zeros_like(spectra)
    for _ in range(iterations):
        rebuilt = torch.fft.rfft(synthesize(spectra).unfold(-1, size, hop) * window)
        ahead = rebuilt - previous.mul_(MOMENTUM / (1 + MOMENTUM))
        spectra = ahead.mul_(magnitudes / ahead.abs().clamp_min_(1e-16))
        previous = rebuilt
    return synthesize(spectra)


def _magnitudes(model: _Model, values: Tensor) -> Tensor:
    """Magnitudes [..., bins] of values [..., bins] in the scale that they are in."""
    if model.scale == "magnitude":
        return values.clamp_min(0)
    if model.scale == "log-mel":
        # 0 dB in all bands is how the padding outside the recording looks.
        outside = (values == 0).all(-1, keepdim=True)
        values = (10 ** (values / 10)).masked_fill(outside, 0)
    if model.spread is not None:
        values = values @ model.spread
    return values.clamp_min(0).sqrt()


def _bank(source: Spectrogram) -> Tensor | None:
    """The mel bank [bins, bands] of a spectrogram, found by the spacing of its bands."""
    if source.scale not in ("mel", "log-mel"):
        return None
    hertz = torch.tensor(source.frequencies, dtype=torch.float64)
    kinds: tuple[MelKind, ...] = ("slaney", "htk")
    for kind in kinds:
        mels = to_mel(hertz, kind)
        steps = mels.diff()
        if len(steps) and bool(((steps - steps.mean()).abs() < 1e-6 * steps.mean()).all()):
            ends = torch.stack([mels[0] - steps.mean(), mels[-1] + steps.mean()])
            points = torch.cat([ends[:1], mels, ends[1:]])
            return mel_bank(from_mel(points, kind), source.rate, source.window, kind)
    raise ValueError(
        f"the {len(hertz)} bands are not evenly spaced on a mel scale that is known, so that "
        "they cannot be undone; analyse with the stage `spectrogram` and 2 bands or more"
    )
