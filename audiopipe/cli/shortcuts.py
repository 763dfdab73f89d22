"""`audiopipe spectrogram` and `audiopipe pitch`: ready pipelines by their names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audiopipe.cli.options import Device, Dtype, Json, OutputFolder, Settings, open_pipeline
from audiopipe.cli.run import run_files

Inputs = Annotated[list[str], typer.Argument(help="Files, folders or patterns.", metavar="FILE...")]


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


def pitch(
    files: Inputs,
    output: OutputFolder = Path("out"),
    device: Device = "auto",
    dtype: Dtype = "float32",
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Track the pitch of a voice or an instrument: a table, and a picture.

    Short for `audiopipe run pitch`.

    **Example**: `audiopipe pitch voice.wav --set "pitch.range=[80 Hz, 400 Hz]"`
    """
    pipeline = open_pipeline("pitch", settings)
    run_files(pipeline, files, output, device, dtype, None, as_json)
