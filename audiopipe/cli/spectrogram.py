"""`audiopipe spectrogram`: the ready pipeline of that name."""

from __future__ import annotations

from pathlib import Path

from audiopipe.cli.options import (
    Device,
    Dtype,
    Inputs,
    Json,
    OutputFolder,
    Settings,
    open_pipeline,
)
from audiopipe.cli.run import run_files


def spectrogram(
    files: Inputs,
    output: OutputFolder = Path("out"),
    device: Device = "auto",
    dtype: Dtype = "float32",
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Make the log-mel spectrogram of files: a picture, and the values as npz.

    Short for `audiopipe run spectrogram`.

    **Example**: `audiopipe spectrogram song.mp3 --set spectrogram.bands=80`
    """
    pipeline = open_pipeline("spectrogram", settings)
    run_files(pipeline, files, output, device, dtype, None, as_json)
