"""The pitch of voices that are converted, and of those that they are given."""

from __future__ import annotations

from math import ceil

import torch
from torch import Tensor

from audiopipe.evidence import HOP, RATE, WINDOW, Tables, evidence
from audiopipe.framing import Windows, cut
from audiopipe.pitch_models import pitch_net
from audiopipe.signals import Audio, PitchTrack
from audiopipe.stages.pitch import Pitch
from audiopipe.trackers.candidates import Smooth
from audiopipe.trackers.neural import Evidence, Gather, Loaded, NeuralCandidates
from audiopipe.units import Span

TRACKER = Pitch(range=(50.0, 800.0), smoothing=Span.parse("50 ms"))
"""How pitch is found: where voices speak and sing, without leaps of an octave."""
AT_ONCE = 2048
"""Frames whose evidence is held in memory together."""


def tracked(sound: Tensor, device: torch.device) -> PitchTrack:
    """The pitch of a whole sound [time] at 16 kHz, a frame every 10 ms."""
    gather, network, smooth = TRACKER.parts()
    assert isinstance(gather, Gather)
    assert isinstance(network, NeuralCandidates)
    assert isinstance(smooth, Smooth)
    source = Audio.empty(RATE, 1)
    seen = gather.output(source)
    tables = Tables.usual(device)
    silence = evidence(torch.zeros(1, WINDOW, device=device), tables)
    net = Loaded(pitch_net(network.model).to(device), silence)
    hearing = network.start(net, [seen])
    smoothing = smooth.start(None, [network.output(seen)])
    windows = cut(gather.framing(source), Windows(), sound.to(device)[None], last=True)
    windows = windows[: ceil(len(sound) / HOP)]
    found = [PitchTrack.empty(RATE, HOP)]
    for first in range(0, len(windows), AT_ONCE):
        part = gather.compute(tables, windows[first : first + AT_ONCE])
        values = Evidence(part[..., 0].mT, RATE, HOP, first)
        last = first + AT_ONCE >= len(windows)
        candidates = network.step(net, hearing, [values], last)
        found.append(smooth.step(None, smoothing, [candidates], last))
    return PitchTrack.join([block.to("cpu") for block in found])
