"""Recording examples: the room, takes that begin when something is heard, and files."""

import itertools

import numpy as np
import pytest
import torch
from teaching import tone

from audiopipe.errors import SoundDeviceError
from audiopipe.io.read import open_audio
from audiopipe.signals import Audio
from audiopipe.teaching.recorder import AFTER, BEFORE, PATIENCE, ROOM, Collection, Recorder

RATE = 16000


def noise(seconds, level=0.001, seed=0):
    return level * np.random.default_rng(seed).standard_normal(round(seconds * RATE))


def blocks(*parts, size=320):
    """Blocks of what parts hold, one after the other."""
    wave = Audio(np.concatenate(parts), RATE)
    for start in range(0, len(wave) - size + 1, size):
        yield wave.cut(start, start + size)


def recorder(*parts, tick=lambda peak, left: None):
    return Recorder(blocks(*parts), tick)


class TestRoom:
    def test_it_is_recorded_and_known(self):
        told = []
        room = recorder(noise(20, 0.01), tick=lambda *so_far: told.append(so_far))
        heard = room.background()
        assert float(heard.duration) == pytest.approx(ROOM, abs=0.02)
        assert room.room == pytest.approx(-40, abs=1)
        assert told[0][1] == pytest.approx(ROOM, abs=0.03)
        assert told[-1][1] == 0

    def test_the_microphone_may_end(self):
        with pytest.raises(SoundDeviceError, match="has stopped"):
            recorder(noise(5)).background()


class TestTake:
    def take(self, *parts):
        made = recorder(noise(3), *parts, noise(10))
        made.know(Audio(noise(3), RATE))
        made.skip(3)
        return made.take()

    def test_it_holds_the_sound_and_a_little_before(self):
        take = self.take(noise(2), tone(400, 0)[:, 0])
        loud = (take.audio.samples[0].abs() > 0.02).nonzero()[:, 0] / RATE
        assert take.trouble == ""
        assert float(take.audio.duration) == pytest.approx(BEFORE + AFTER, abs=0.1)
        assert BEFORE - 0.05 < float(loud[0]) < BEFORE + 0.15
        assert float(loud[-1]) < BEFORE + 0.5

    def test_a_louder_room_starts_none(self):
        assert self.take(noise(PATIENCE, 0.002)) is None

    def test_nothing_is_heard_for_a_while(self):
        assert self.take(noise(20)) is None

    def test_what_is_clipped_is_told(self):
        loud = np.clip(9 * tone(400, 0)[:, 0], -1, 1)
        assert "clipped" in self.take(noise(1), loud).trouble

    def test_what_is_quiet_is_told(self):
        assert "too quiet" in self.take(noise(1), 0.06 * tone(400, 0)[:, 0]).trouble

    def test_what_was_going_on_is_no_beginning(self):
        made = recorder(tone(400, 0, 1.0)[4000:, 0], noise(1), tone(400, 1)[:, 0], noise(9))
        made.room = -60.0
        loud = (made.take().audio.samples[0].abs() > 0.02).nonzero()[:, 0] / RATE
        assert float(loud[0]) > BEFORE - 0.05

    def test_one_after_the_other(self):
        made = recorder(
            *itertools.chain(*([noise(2), tone(400, k)[:, 0]] for k in range(3))), noise(9)
        )
        for _ in range(3):
            assert float(made.take().audio.samples.abs().max()) > 0.2


class TestCollection:
    def test_files_are_numbered_on(self, tmp_path):
        made = Collection(tmp_path / "a/clips")
        assert made.labels == []
        audio = Audio(torch.tensor(tone(400, 0).T, dtype=torch.float32), 44100)
        assert [made.save("x", audio).name for _ in range(3)] == [
            "001.flac",
            "002.flac",
            "003.flac",
        ]
        (tmp_path / "a/clips/x/001.flac").unlink()
        assert made.save("x", audio).name == "004.flac"
        assert made.count("x") == 3
        assert made.labels == ["x"]
        with open_audio(tmp_path / "a/clips/x/004.flac") as reader:
            heard = Audio.join(list(reader.blocks(1 << 20)))
        np.testing.assert_allclose(heard.numpy(), audio.numpy(), atol=1e-4)
        assert heard.rate == 44100

    def test_the_room_is_found_again(self, tmp_path):
        made = Collection(tmp_path)
        assert made.room() is None
        made.save("_background_", Audio(noise(2), RATE))
        assert len(made.room()) == 2 * RATE
        assert made.labels == []
