"""`audiopipe pitch`: pitch and notes of files, as tables, pictures and MIDI."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audiopipe.cli.options import (
    Device,
    Dtype,
    Inputs,
    Json,
    OutputFolder,
    Settings,
    read_settings,
)
from audiopipe.cli.run import run_files
from audiopipe.errors import did_you_mean

if TYPE_CHECKING:
    from audiopipe.pipeline import Pipeline

USUAL = "csv,png"
STAGES = {"csv": "pitch", "json": "pitch", "png": "picture"}
"""Which stage of the ready pipeline `pitch` is written in a format."""
DRAWN = ("spectrum", "picture")
"""Its stages that are for the picture alone."""


def pitch(
    files: Inputs,
    output: OutputFolder = Path("out"),
    formats: Annotated[
        str,
        typer.Option("--format", help="What to write, of csv, json and png, with commas between."),
    ] = USUAL,
    notes: Annotated[
        bool, typer.Option("--notes", help="Also write the notes: as a MIDI file and as csv.")
    ] = False,
    device: Device = "auto",
    dtype: Dtype = "float32",
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Track the pitch of a voice or an instrument: a table, and a picture.

    The table has the frequency, whether it is voiced, how sure that is, and the nearest note
    with the cents above it (A4 at 440 Hz). The picture has the contour over the spectrogram.
    What runs are the ready pipelines `pitch` and `notes`, whose stages `--set` can change. One
    pitch at a time is tracked: of chords comes one of their notes, or nothing.

    **Examples**

    `audiopipe pitch voice.wav --set "pitch.range=[80 Hz, 400 Hz]"`

    `audiopipe pitch tune.flac --notes --format csv,json`

    `audiopipe pitch tune.flac --notes --set "notes.a4=442 Hz" --set notes.bend=true`
    """
    wanted = [format.strip() for format in formats.split(",") if format.strip()]
    for format in wanted:
        if format not in STAGES:
            told = f"{format!r} is no format; {did_you_mean(format, STAGES)}"
            raise typer.BadParameter(told, param_hint="--format")
    if not wanted and not notes:
        raise typer.BadParameter("nothing is to be written", param_hint="--format")
    pipeline = _open(wanted, notes, settings)
    run_files(pipeline, files, output, device, dtype, None, as_json)


def _open(formats: Sequence[str], notes: bool, settings: list[str] | None) -> Pipeline:
    """The ready pipeline `pitch` with the outputs that are wanted, and no stage beyond them."""
    from audiopipe.definition import override
    from audiopipe.document import Document, read_document
    from audiopipe.pipeline import check
    from audiopipe.ready import find_definition

    document = read_document(find_definition("pitch"))
    data = copy.deepcopy(document.data)
    data["outputs"] = {f"{{name}}.pitch.{format}": STAGES[format] for format in formats}
    if "png" not in formats:
        for stage in DRAWN:
            del data["stages"][stage]
    if notes:
        more = read_document(find_definition("notes")).data
        data["stages"]["notes"] = more["stages"]["notes"] | {"from": "pitch"}
        data["outputs"] |= more["outputs"]
    chosen, pairs = Document(data, document.places, document.file), read_settings(settings)
    if "png" in formats and "pitch.hop" in pairs:
        pairs.setdefault("spectrum.hop", pairs["pitch.hop"])  # they are drawn over each other
    return check(override(chosen, pairs))
