"""`audiopipe spectrogram` and `audiopipe pitch`: ready pipelines by their names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from audiopipe.cli.options import Device, Dtype, Json, OutputFolder, Settings, open_pipeline
from audiopipe.cli.run import run_files

Inputs = Annotated[list[str], typer.Argument(help="Files, folders or patterns.", metavar="FILE...")]


def _short_for(pipeline: str, manual: str) -> Callable[..., None]:
    """The verb that runs a ready pipeline of the same name."""

    def verb(
        files: Inputs,
        output: OutputFolder = Path("out"),
        device: Device = "auto",
        dtype: Dtype = "float32",
        settings: Settings = None,
        as_json: Json = False,
    ) -> None:
        run_files(open_pipeline(pipeline, settings), files, output, device, dtype, None, as_json)

    verb.__name__, verb.__doc__ = pipeline, manual
    return verb


spectrogram = _short_for(
    "spectrogram",
    """Make the log-mel spectrogram of files: a picture, and the values as npz.

    Short for `audiopipe run spectrogram`.

    **Example**: `audiopipe spectrogram song.mp3 --set spectrogram.bands=80`
    """,
)

pitch = _short_for(
    "pitch",
    """Track the pitch of a voice or an instrument: a table, and a picture.

    Short for `audiopipe run pitch`.

    **Example**: `audiopipe pitch voice.wav --set "pitch.range=[80 Hz, 400 Hz]"`
    """,
)
