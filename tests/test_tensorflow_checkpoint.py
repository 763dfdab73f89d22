"""Reading TensorFlow's checkpoints: what is in them, and what is wrong with them."""

import random
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import bundles
import numpy as np
import pytest
import torch

from audiopipe.crc32c import crc32c
from audiopipe.errors import CheckpointError
from audiopipe.models import load_weights
from audiopipe.tensorflow_checkpoint import convert, read_index, safetensors_header

OFFICIAL = Path(__file__).parents[2] / "shared" / "spleeter"
SIZES = {2: 78_614_080, 4: 157_228_152, 5: 196_535_188}


@pytest.fixture
def tensors():
    rng = np.random.default_rng(1)
    named = {f"layer_{k}/kernel": rng.standard_normal((3, k, 2), np.float32) for k in range(1, 40)}
    return {**named, "layer/bias": np.zeros(0, np.float32), "step": np.int64(7)}


@pytest.mark.parametrize("size", [0, 1, 9, 1023, 1024, 1025, 12345])
def test_crc_is_that_of_the_definition(size):
    message = random.Random(size).randbytes(size)
    assert crc32c(message) == bundles.crc32c(message)


def test_crc_over_several_blocks():
    message = random.Random(2).randbytes(1 << 20) * 2 + b"tail"
    # Registers are linear: the CRC of the whole follows from those of equally long messages.
    other = message[:-1] + b"!"
    zeros = bytes(len(message))
    mixed = bytes(a ^ b for a, b in zip(message[-9:], other[-9:], strict=True))
    mixed = bytes(len(message) - 9) + mixed
    assert crc32c(message) ^ crc32c(other) == crc32c(mixed) ^ crc32c(zeros)
    assert crc32c(zeros[: 1 << 20]) == 0x14298C12


def test_everything_comes_back(tmp_path, tensors):
    index, data = bundles.write(tmp_path, tensors)
    convert(index, data, tmp_path / "made.safetensors")
    found = load_weights(tmp_path / "made.safetensors")
    assert found.keys() == tensors.keys()
    for name, array in tensors.items():
        assert torch.equal(found[name], torch.from_numpy(np.asarray(array))), name


def test_the_tensors_are_the_bytes_of_the_data_file(tmp_path, tensors):
    index, data = bundles.write(tmp_path, tensors)
    convert(index, data, tmp_path / "made.safetensors")
    header = safetensors_header(read_index(index))
    assert (tmp_path / "made.safetensors").read_bytes() == header + data.read_bytes()


def test_a_damaged_tensor_is_named(tmp_path, tensors):
    index, data = bundles.write(tmp_path, tensors)
    content = bytearray(data.read_bytes())
    content[read_index(index)[5].offset] ^= 1
    data.write_bytes(content)
    with pytest.raises(CheckpointError, match=f"{read_index(index)[5].name}.* is damaged"):
        convert(index, data, tmp_path / "made.safetensors")


@pytest.mark.parametrize("change", [-1, 1])
def test_data_of_another_size(tmp_path, tensors, change):
    index, data = bundles.write(tmp_path, tensors)
    content = data.read_bytes()
    data.write_bytes(content[:-1] if change < 0 else content + b"\0")
    with pytest.raises(CheckpointError, match=f"has {len(content) + change} bytes"):
        convert(index, data, tmp_path / "made.safetensors")


def test_an_index_cut_short_anywhere_is_refused(tmp_path):
    index, _ = bundles.write(tmp_path, {"a/b": np.zeros(3, np.float32), "a/c": np.int64(1)})
    content = index.read_bytes()
    for size in range(len(content)):
        index.write_bytes(content[:size])
        with pytest.raises(CheckpointError):
            read_index(index)


def test_no_changed_byte_of_an_index_goes_unnoticed(tmp_path):
    index, _ = bundles.write(tmp_path, {"a/b": np.zeros(3, np.float32), "a/c": np.int64(1)})
    content, right = index.read_bytes(), read_index(index)
    for place in range(len(content)):
        for bit in range(8):
            changed = bytearray(content)
            changed[place] ^= 1 << bit
            index.write_bytes(changed)
            with suppress(CheckpointError):  # what nothing points at may be anything
                assert read_index(index) == right


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (bundles.field(1, 2), "2 data files"),
        (bundles.field(1, 1) + bundles.field(2, 1), "big-endian"),
        (b"", "0 data files"),
        (b"\xff" * 11, "64 bits"),
        (b"\x0b", "unknown kind 3"),
    ],
)
def test_foreign_headers(tmp_path, header, reason):
    index, _ = bundles.write(tmp_path, {"a": np.float32(1)}, header=header)
    with pytest.raises(CheckpointError, match=reason):
        read_index(index)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (bundles.field(1, 7), "of a type that is not read, number 7"),
        (bundles.field(1, 1) + bundles.field(5, 8), r"has 8 bytes, which is not F32 \[\]"),
        (bundles.field(1, 1) + bundles.field(2, bundles.field(3, 1)), "shape of 'a' is not known"),
        (bundles.field(1, 1) + bundles.field(5, 4) + bundles.field(3, 1), "another data file"),
        (bundles.field(1, 1) + bundles.field(5, 4) + bundles.field(4, 9), "at byte 9, not at 0"),
        (bundles.field(1, 1) + bundles.field(7, b""), "in slices"),
        (bundles.field(1, b"x"), "field 1 is no number"),
        (bundles.field(1, 1) + bundles.field(2, 3), "field 2 is no message"),
    ],
)
def test_foreign_entries(tmp_path, said, reason):
    index = tmp_path / "model.index"
    index.write_bytes(bundles.table([(b"", bundles.HEADER), (b"a", said)]))
    with pytest.raises(CheckpointError, match=reason):
        read_index(index)


def test_a_name_twice(tmp_path):
    array = np.float32(1)
    entries = [(b"", bundles.HEADER)]
    entries += [(b"a", bundles.entry(array, 4 * k, array.tobytes())) for k in range(2)]
    (tmp_path / "model.index").write_bytes(bundles.table(entries))
    with pytest.raises(CheckpointError, match="twice"):
        read_index(tmp_path / "model.index")


def test_compressed_blocks_are_refused(tmp_path):
    index, _ = bundles.write(tmp_path, {"a": np.float32(1)}, compression=1)
    with pytest.raises(CheckpointError, match="compressed"):
        read_index(index)


def test_other_files_are_refused_with_a_cure(tmp_path):
    other = tmp_path / "song.wav"
    other.write_bytes(b"RIFF" + bytes(1000))
    with pytest.raises(CheckpointError) as refused:
        read_index(other)
    assert str(refused.value) == (
        f"{other}: is no index that can be read: it does not end as a table does; "
        "get the checkpoint again, as TensorFlow's Saver has written it"
    )


def test_an_index_of_any_size_is_not_read(tmp_path):
    huge = tmp_path / "model.index"
    with huge.open("wb") as file:
        file.truncate(1 << 27)
    with pytest.raises(CheckpointError, match="no index is so large"):
        read_index(huge)


@pytest.mark.parametrize("stems", SIZES)
def test_the_official_indices(stems):
    path = OFFICIAL / f"{stems}stems.model.index"
    if not path.exists():
        pytest.skip("needs ../shared/spleeter")
    found = read_index(path)
    # 12 batch normalizations of 4 tensors, 13 convolutions of 2, an instrument; the step
    assert len(found) == stems * (12 * 4 + 13 * 2) + 1
    assert sum(tensor.size for tensor in found) == SIZES[stems]
    shapes = {tensor.name: tensor.shape for tensor in found}
    last = 7 * stems - 1
    assert shapes["conv2d/kernel"] == (5, 5, 2, 16)
    assert shapes[f"conv2d_{last}/kernel"] == (4, 4, 1, 2)


def test_the_header_is_always_the_same(tmp_path):
    """Cards name its SHA-256."""
    index, _ = bundles.write(tmp_path, {"a/b": np.zeros(3, np.float32), "c": np.int64(1)})
    found = sha256(safetensors_header(read_index(index))).hexdigest()
    assert found == "5012b33b640baf7d41c8d1ac4c04671bad2c5c18f5b42033e5febfac4377cce3"
