"""Raw PCM through pipes."""

import io
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from audiopipe.errors import AudioError, InvalidSamplesError
from audiopipe.io.pcm import PcmFormat, PcmWriter, decode, encode, read_pcm
from audiopipe.signals import Audio


class Dribble(io.RawIOBase):
    """A pipe that gives at most three bytes at once."""

    def __init__(self, data):
        self.data = data

    def read(self, size=-1):
        piece, self.data = self.data[: min(size, 3)], self.data[min(size, 3) :]
        return piece


@pytest.mark.parametrize("encoding", ["s16le", "s24le", "f32le"])
@pytest.mark.parametrize("size", [1, 7, 1000, 5000])
def test_round_trip_through_short_reads(tone, encoding, size):
    audio = tone(1000, channels=2)
    form = PcmFormat(16000, 2, encoding)
    data = encode(audio.numpy().T, encoding)
    assert len(data) == 1000 * form.frame
    blocks = list(read_pcm(Dribble(data), form, size))
    assert [b.start for b in blocks] == list(range(0, 1000, size))
    assert all(len(b) == size for b in blocks[:-1])
    got = Audio.join(blocks)
    assert (got.rate, got.channels, len(got)) == (16000, 2, 1000)
    assert np.abs(got.numpy() - audio.numpy()).max() <= 2.0**-16


def test_integers_survive_unchanged():
    for encoding, bits in (("s16le", 16), ("s24le", 24)):
        full = 1 << (bits - 1)
        values = np.array([-full, -1, 0, 1, full - 1])
        data = b"".join(int(v).to_bytes(bits // 8, "little", signed=True) for v in values)
        assert (decode(data, 1, encoding)[:, 0] * full).tolist() == values.tolist()
        assert encode(decode(data, 1, encoding), encoding) == data


def test_nothing_is_no_blocks():
    assert list(read_pcm(io.BytesIO(b""), PcmFormat(8000), 10)) == []


def test_a_broken_sample_is_told():
    with pytest.raises(AudioError) as caught:
        list(read_pcm(io.BytesIO(b"1234567"), PcmFormat(8000, 2), 100))
    assert str(caught.value) == (
        "standard input: ends inside a sample: 3 of 4 bytes are there; it is not s16le with "
        "2 channel(s), or it was cut off"
    )


def test_what_is_no_number_is_told():
    data = np.array([0, 0, 0, np.nan], "<f4").tobytes()
    with pytest.raises(InvalidSamplesError, match=r"0\.000375 s \(number 3, channel 1\) is NaN"):
        list(read_pcm(io.BytesIO(data), PcmFormat(8000, 1, "f32le"), 2))


def test_a_reader_that_goes_ends_it_quietly(tone):
    read_end, write_end = os.pipe()
    with open(write_end, "wb", buffering=0) as out:  # noqa: PTH123
        writer = PcmWriter(out, PcmFormat(16000))
        writer.write(tone(10))
        assert not writer.gone
        assert len(os.read(read_end, 100)) == 20
        os.close(read_end)
        writer.write(tone(10))
        assert writer.gone
        writer.write(tone(10))


def test_a_program_whose_output_is_cut_ends_quietly():
    program = (
        "import sys, torch; from audiopipe.io.pcm import *; from audiopipe.signals import Audio\n"
        "w = PcmWriter(sys.stdout.buffer, PcmFormat(8000))\n"
        "while not w.gone: w.write(Audio(torch.zeros(1, 8000), 8000))\n"
    )
    command = f"'{sys.executable}' -c '{program}' | head -c 100 | wc -c; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["100", "0"]
    assert done.stderr == ""


def test_loud_samples_are_clipped():
    loud = torch.tensor([[2.0, -2.0]])
    out = io.BytesIO()
    PcmWriter(out, PcmFormat(8000)).write(Audio(loud, 8000))
    assert np.frombuffer(out.getvalue(), "<i2").tolist() == [32767, -32768]
