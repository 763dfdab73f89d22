"""Where a stage computes, and why there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from audiopipe.errors import DeviceError
from audiopipe.stage import Stage

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Choice:
    """A device and a precision, with the reason for them."""

    device: torch.device
    dtype: torch.dtype
    why: str

    def __str__(self) -> str:
        return f"{self.device}, {str(self.dtype).removeprefix('torch.')} ({self.why})"


def check_device(name: str) -> str:
    """Make sure that a device can be used: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.

    Raises DeviceError, which says what is there instead. Nothing falls back silently.

    >>> check_device("cpu")
    'cpu'
    """
    if name == "auto":
        return name
    try:
        device = torch.device(name)
    except RuntimeError:
        raise DeviceError(
            f"unknown device {name!r}; write auto, cpu, cuda, cuda:N or mps"
        ) from None
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if count == 0:
            raise DeviceError(
                f"device {name!r} was asked for, but no CUDA device can be used "
                f"({_why_no_cuda()}); `--device auto` takes what there is"
            )
        if (device.index or 0) >= count:
            raise DeviceError(f"device {name!r} was asked for, but there are only {count}")
    elif device.type == "mps":
        if not torch.backends.mps.is_available():
            raise DeviceError("device 'mps' was asked for, but this machine has no Apple GPU")
    elif device.type != "cpu":
        raise DeviceError(f"unknown device {name!r}; write auto, cpu, cuda, cuda:N or mps")
    return name


def choose(stage: Stage, device: str = "auto", dtype: str = "float32") -> Choice:
    """Choose device and precision for a stage; `device` must have been checked."""
    if dtype not in DTYPES:
        raise DeviceError(f"unknown dtype {dtype!r}; write {', '.join(DTYPES)}")
    precision = DTYPES[dtype] if stage.half else torch.float32
    if device != "auto":
        return Choice(torch.device(device), precision, "asked for")
    if not stage.heavy:
        return Choice(torch.device("cpu"), precision, "a GPU would not pay for the copying")
    if torch.cuda.is_available():
        return Choice(torch.device("cuda"), precision, torch.cuda.get_device_name())
    if torch.backends.mps.is_available():
        return Choice(torch.device("mps"), precision, "an Apple GPU is there")
    return Choice(torch.device("cpu"), precision, f"no GPU: {_why_no_cuda()}")


def _why_no_cuda() -> str:
    if torch.version.cuda is None:
        return "this build of torch is without CUDA"
    return "no NVIDIA driver or device is found"


def computing_devices() -> dict[str, str]:
    """The devices that can be asked for, and what they are."""
    found = {"cpu": f"{torch.get_num_threads()} threads"}
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            found[f"cuda:{index}"] = torch.cuda.get_device_name(index)
    if torch.backends.mps.is_available():
        found["mps"] = "Apple GPU"
    return found


@contextmanager
def few_threads(stages: Iterable[Stage]) -> Iterator[None]:
    """Compute light stages on one thread, as long as this is entered.

    Their steps are too small to be shared out: threads that wait for each other cost half as
    much again on a free machine, ten times as much on a busy one, and reading and writing
    have the other cores.
    """
    threads = torch.get_num_threads()
    if not any(stage.heavy for stage in stages):
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
