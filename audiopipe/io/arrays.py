"""Spectrograms and scores as npz: written frame by frame, read by `numpy.load` anywhere."""

from __future__ import annotations

import io
import shutil
import tempfile
import zipfile
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch

from audiopipe.errors import AudioError
from audiopipe.io.atomic import FileSink
from audiopipe.signals import Scores, Spectrogram

_COPY = 1 << 20


class NpzSink(FileSink):
    """`values` [..., time], and all else that a spectrogram or scores hold (`rate`, `hop`,
    `labels`, `start` …) as arrays of their own.

    The length is known last, but stands in the header: the values wait in a temporary file
    in the same folder, which takes their size a second time while the file is closed.
    """

    def __init__(self, path: Path, form: Spectrogram | Scores) -> None:
        super().__init__(path)
        self._format = form
        self._frames = 0
        self._start: int | None = None
        with self.guarded():
            self._values = tempfile.TemporaryFile(dir=self.path.parent)  # noqa: SIM115

    def append(self, block: Spectrogram | Scores) -> None:
        if self._start is None:
            self._start = block.start
        # Fortran order: the last axis is the slowest, so that frames can be appended.
        self._values.write(np.ascontiguousarray(block.numpy().T).data)
        self._frames += len(block)

    def finish(self) -> None:
        form = self._format
        with zipfile.ZipFile(self.file, "w", zipfile.ZIP_STORED) as archive:
            with archive.open("values.npy", "w", force_zip64=True) as member:
                member.write(self._values_header())
                self._values.seek(0)
                shutil.copyfileobj(self._values, member, _COPY)
            for name in (f.name for f in fields(form)):
                if name not in ("values", "start"):
                    _add(archive, name, np.array(getattr(form, name)))
            _add(archive, "start", np.array(self._start or 0))
        self._values.close()

    def _values_header(self) -> bytes:
        dtype = np.dtype(np.complex64 if self._format.values.is_complex() else np.float32)
        shape = (*self._format.values.shape[:-1], self._frames)
        buffer = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            buffer,
            {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": True, "shape": shape},
        )
        return buffer.getvalue()

    def abort(self) -> None:
        if hasattr(self, "_values"):
            self._values.close()
        super().abort()


def _add(archive: zipfile.ZipFile, name: str, array: np.ndarray) -> None:
    with archive.open(f"{name}.npy", "w") as member:
        np.lib.format.write_array(member, array, allow_pickle=False)


def load_spectrogram(path: str | Path) -> Spectrogram:
    """Read what `Spectrogram.save("….npz")` wrote; nothing in the file is executed.

    Raises AudioError where the file is missing, damaged, or no spectrogram.
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as data:
            values = torch.from_numpy(np.ascontiguousarray(data["values"]))
            numbers = {n: int(data[n]) for n in ("rate", "hop", "window", "lead", "start")}
            frequencies = tuple(data["frequencies"].tolist())
            scale = str(data["scale"])
    except FileNotFoundError:
        raise AudioError(path, "there is no such file; check the name") from None
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise AudioError(
            path, f"is no spectrogram of audiopipe, or is damaged ({error}); make it anew"
        ) from None
    return Spectrogram(values, scale=scale, frequencies=frequencies, **numbers)
