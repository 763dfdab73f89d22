"""`audiopipe watermark`: whether speech is marked as synthetic."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from audiopipe.cli.options import Inputs, Json
from audiopipe.errors import AudiopipeError, visible

if TYPE_CHECKING:
    from audiopipe.watermark import Detection

NOT_FOUND = 1
SOME_FAILED = 9
BLOCK = 10
"""Seconds that are read at a time."""
NOWHERE = Path("/")
"""Nothing is written, so that no file in a folder is taken for what was."""

app = typer.Typer(
    no_args_is_help=True,
    help="Find the mark of synthetic speech. The stage `watermark` lays it on; what it proves, "
    "and what not, is in docs/trust.md.",
    epilog="Exit codes: 0 a mark is in every file, 1 it is not in one of them, 3 a file cannot be "
    "read, 9 some of several cannot.",
)


@app.callback()
def common() -> None:
    """Make `detect` a verb of its own: a single one would be the command itself."""


@app.command(
    epilog="Examples: audiopipe watermark detect episode.mp3, "
    "audiopipe watermark detect uploads/ --json"
)
def detect(files: Inputs, as_json: Json = False) -> None:
    """Look for the watermark in files, and for what their tags say of being synthetic.

    p is the probability, at the most, that a recording without a mark looks like one as much as
    this does; a mark is found where it is below one in a million. No mark found is no proof of
    a recording.
    """
    from audiopipe.disclosure import read_disclosure
    from audiopipe.run.inputs import find_inputs

    found, failed = 0, []
    inputs = [path for path, _ in find_inputs(files, NOWHERE)]
    for path in inputs:
        try:
            detection = _detect(path)
        except AudiopipeError as error:
            failed.append(error)
            if as_json:
                typer.echo(json.dumps({"input": str(path), "error": str(error)}))
            else:
                typer.echo(f"error: {visible(str(error))}", err=True)
            continue
        found += detection.found
        tags = read_disclosure(path)
        told = [_as_json(path, detection, tags)] if as_json else _lines(path, detection, tags)
        for line in told:
            typer.echo(line)
    if failed:
        raise typer.Exit(failed[0].exit_code if len(failed) == len(inputs) else SOME_FAILED)
    if found < len(inputs):
        raise typer.Exit(NOT_FOUND)


def _detect(path: Path) -> Detection:
    from audiopipe.io.read import open_audio
    from audiopipe.watermark import Detector

    with open_audio(path) as reader:
        detector = Detector(reader.format.rate)
        for block in reader.blocks(BLOCK * reader.format.rate):
            detector.push(block)
        detector.push(reader.format, last=True)
    return detector.finish()


def _lines(path: Path, detection: Detection, tags: str) -> Iterator[str]:
    p_value = f"p = {detection.p_value:.1g}" if detection.p_value else "p < 1e-300"
    if detection.found:
        where = f"clearest {detection.start:.0f} to {detection.stop:.0f} s"
        yield visible(f"{path}: marked as {detection.kind} ({p_value}, {where})")
    else:
        yield visible(f"{path}: no mark found ({p_value})")
    if tags:
        yield visible(f"  its tags: {tags}")


def _as_json(path: Path, detection: Detection, tags: str) -> str:
    told = {
        "input": str(path),
        "found": detection.found,
        "p_value": detection.p_value,
        "kind": detection.kind,
        "start": detection.start,
        "stop": detection.stop,
        "tags": tags,
    }
    return json.dumps(told, ensure_ascii=False)
