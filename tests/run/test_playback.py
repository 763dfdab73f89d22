"""What is played is what was given, at the rate of the device."""

import pytest
import torch

from audiopipe.pipeline import chain
from audiopipe.run import playback
from audiopipe.run.playback import Playback
from audiopipe.signals import Audio
from audiopipe.stages.resample import Resample


class Recorder:
    def __init__(self, rate, channels, device=None):
        self.format, self.blocks, self.ended = Audio.empty(rate, channels), [], ""
        Recorder.last = self

    def write(self, block):
        assert block.signature == self.format.signature
        self.blocks.append(block)

    def close(self):
        self.ended = "closed"

    def abort(self):
        self.ended = "aborted"


@pytest.mark.parametrize("rate", [24_000, 44_100])
def test_blocks_come_at_the_rate_of_the_device(monkeypatch, rate):
    monkeypatch.setattr(playback, "Speakers", Recorder)
    monkeypatch.setattr(playback, "output_rate", lambda *_: rate)
    sound = Audio(torch.randn(1, 12_000, generator=torch.Generator().manual_seed(0)), 24_000)
    played = Playback(sound.format)
    for part in sound.tensors[0].split(700, dim=1):
        played.write(Audio(part, 24_000))
    played.close()
    heard = torch.cat([block.tensors[0] for block in Recorder.last.blocks], dim=1)
    expected = chain(Resample(rate=rate)).run(sound)["resample"].tensors[0]
    assert Recorder.last.ended == "closed"
    assert torch.allclose(heard, expected, atol=1e-5)


def test_falling_silent_plays_nothing_more(monkeypatch):
    monkeypatch.setattr(playback, "Speakers", Recorder)
    monkeypatch.setattr(playback, "output_rate", lambda *_: 48_000)
    played = Playback(Audio.empty(rate=24_000, channels=1))
    played.write(Audio(torch.zeros(1, 100), 24_000))
    before = len(Recorder.last.blocks)
    played.abort()
    assert (Recorder.last.ended, len(Recorder.last.blocks)) == ("aborted", before)
