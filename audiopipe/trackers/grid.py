"""A pitch track on another grid: of times, of pitches, or of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from audiopipe.signals import PitchTrack
from audiopipe.stage import Reach, Stateful
from audiopipe.tuning import CONCERT
from audiopipe.units import Span

LEAP = 1 / 12
"""Octaves between two frames beyond which there is no pitch between them."""


@dataclass
class Frames:
    """The state: frames that are still needed, and how many have come and gone."""

    held: PitchTrack
    given: int = 0


class Grid(Stateful):
    """PitchTrack [frames] at one hop to PitchTrack [frames] at another.

    Between two frames the logarithm of the pitch is interpolated, unless it leaps; whether a frame
    is voiced is what the nearest says. Pitches are rounded to whole multiples of `resolution`, in
    cents above or below 440 Hz; 0 leaves them as they are.
    """

    name = "grid"
    takes = PitchTrack

    hop: Span
    resolution: float

    def output(self, source: PitchTrack) -> PitchTrack:
        return PitchTrack.empty(source.rate, self._hop(source))

    def reach(self, source: PitchTrack) -> Reach:
        return Reach(behind=1, ahead=1, latency=1)

    def start(self, model: None, sources: Sequence[Any]) -> Frames:
        return Frames(sources[0].format)

    def step(
        self, model: None, state: Frames, blocks: Sequence[PitchTrack], last: bool
    ) -> PitchTrack:
        (block,) = blocks
        track = PitchTrack.join([state.held, block]) if len(state.held) else block
        hop, final = self._hop(block), track.stop - 1
        # The last frame has none behind it to be interpolated with until the stream has ended.
        until = (final * block.hop) // hop + 1 if last else -(-final * block.hop // hop)
        wanted = torch.arange(state.given, max(state.given, until), device=block.device)
        place = wanted.double() * hop / block.hop - track.start
        below = place.floor().long()
        above = (below + 1).clamp_max(len(track) - 1)
        share = (place - below).float()
        low, high = track.hz[below].log2(), track.hz[above].log2()
        nearest = torch.where(share < 0.5, below, above)
        # Where there is no guess on either side, 0 Hz, the difference is no number.
        close = (high - low).abs() <= LEAP
        leaps = ~close | (track.voiced[below] != track.voiced[above])
        octaves = torch.where(leaps, track.hz[nearest].log2(), low + share * (high - low))
        confidence = torch.lerp(track.confidence[below], track.confidence[above], share)
        start, state.given = state.given, state.given + len(wanted)
        needed = min(track.stop, state.given * hop // block.hop)
        state.held = track.cut(max(track.start, min(needed, final)), track.stop)
        hz = torch.exp2(self._rounded(octaves))
        return PitchTrack(hz, track.voiced[nearest], confidence, block.rate, hop, start)

    def _rounded(self, octaves: torch.Tensor) -> torch.Tensor:
        if not self.resolution:
            return octaves
        concert = torch.tensor(CONCERT).log2()
        step = self.resolution / 1200
        return ((octaves - concert) / step).round() * step + concert

    def _hop(self, source: PitchTrack) -> int:
        return max(1, self.hop.samples(source.rate))
