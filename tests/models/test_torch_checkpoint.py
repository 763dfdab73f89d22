"""PyTorch's checkpoints: what is read, and what is refused without being run."""

import collections
import os
import pickle
import zipfile

import pytest
import torch

from audiopipe.errors import CheckpointError
from audiopipe.torch_checkpoint import read_state


class Evil:
    """Runs a program where it is unpickled."""

    def __reduce__(self):
        return os.system, ("touch /tmp/audiopipe-was-here",)


def test_tensors_are_those_that_torch_reads(tmp_path):
    torch.manual_seed(0)
    base = torch.randn(6, 4)
    state = collections.OrderedDict(
        whole=base, part=base[1:3].T, half=base.half(), brain=base.bfloat16(),
        counts=torch.arange(5), flags=torch.tensor([True, False]), none=torch.zeros(0, 3),
        parameter=torch.nn.Parameter(base * 2), scalar=torch.tensor(3.5),
    )  # fmt: skip
    torch.save(state, tmp_path / "state.pt")
    found = read_state(tmp_path / "state.pt")
    wanted = torch.load(tmp_path / "state.pt", weights_only=True)
    assert found.keys() == wanted.keys()
    for name, want in wanted.items():
        assert found[name].dtype is want.dtype
        assert torch.equal(found[name], want)


def test_a_state_dict_of_a_network(tmp_path):
    net = torch.nn.Sequential(torch.nn.Conv1d(2, 3, 5), torch.nn.BatchNorm1d(3))
    torch.save(net.state_dict(), tmp_path / "net.pt")
    net.load_state_dict(read_state(tmp_path / "net.pt"))


def test_what_would_run_is_refused(tmp_path):
    torch.save({"weight": torch.zeros(1), "evil": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(CheckpointError, match=r"evil\.pt: its pickle names \w+\.system"):
        read_state(tmp_path / "evil.pt")
    (tmp_path / "old.pt").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(CheckpointError, match=r"no checkpoint of PyTorch 1\.6 or later"):
        read_state(tmp_path / "old.pt")
    assert not os.path.exists("/tmp/audiopipe-was-here")  # noqa: PTH110


@pytest.mark.parametrize(
    "held", [{"epoch": 3}, [torch.zeros(1)], {"nested": {"a": torch.zeros(1)}}]
)
def test_more_than_tensors_is_refused(tmp_path, held):
    torch.save(held, tmp_path / "more.pt")
    with pytest.raises(CheckpointError, match="holds more than named tensors"):
        read_state(tmp_path / "more.pt")


def rewritten(path, change):
    """The archive with another content in some of its files."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, change(name, data))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda name, data: data[:-4] if name.endswith("data/0") else data, "20 bytes, not 6"),
        (lambda name, data: b"big" if name.endswith("byteorder") else data, "big-endian"),
        (lambda name, data: data[:-9] if name.endswith("data.pkl") else data, "damaged"),
    ],
)
def test_what_is_damaged_is_refused(tmp_path, change, told):
    torch.save({"weight": torch.zeros(2, 3)}, tmp_path / "state.pt")
    rewritten(tmp_path / "state.pt", change)
    with pytest.raises(CheckpointError, match=told):
        read_state(tmp_path / "state.pt")


def test_a_shape_beyond_its_numbers_is_refused(tmp_path):
    torch.save({"weight": torch.zeros(2, 3)}, tmp_path / "state.pt")
    # (2, 3) becomes (2, 99): K is an integer of one byte.
    grown = lambda name, data: data.replace(b"K\x02K\x03\x86", b"K\x02K\x63\x86")  # noqa: E731
    rewritten(tmp_path / "state.pt", grown)
    with pytest.raises(CheckpointError, match="damaged"):
        read_state(tmp_path / "state.pt")
