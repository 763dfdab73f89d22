"""`audiopipe tune`: how far what is heard is out of tune."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from audiopipe import tuning
from audiopipe.cli.options import Json, Settings, open_pipeline
from audiopipe.cli.report import as_data, tell_losses
from audiopipe.cli.sources import (
    ChannelsOption,
    EncodingOption,
    FileOption,
    Listening,
    MicrophoneOption,
    RateOption,
    RealtimeOption,
    SaveOption,
    SecondsOption,
    StdinOption,
)

if TYPE_CHECKING:
    from audiopipe.cli.tuner import Reading, Tuner
    from audiopipe.run.live import LiveReport

PIPELINE = "tuner"
BLOCK = 0.04
"""Seconds of a block: a hop. Shorter ones cost more, and show nothing sooner."""


def tune(
    a4: Annotated[
        float, typer.Option("--a4", min=380, max=500, help="The frequency of A4 in Hz.")
    ] = tuning.CONCERT,
    temperament: Annotated[
        tuning.Temperament, typer.Option(help="Where the other notes are.")
    ] = "equal",
    tonic: Annotated[
        str,
        typer.Option(help="The note that the temperament is built on.", metavar="NOTE"),
    ] = "C",
    floor: Annotated[
        float,
        typer.Option(max=0.0, help="Peak level in dBFS below which nothing is shown."),
    ] = -60.0,
    file: FileOption = None,
    realtime: RealtimeOption = True,
    stdin: StdinOption = False,
    rate: RateOption = 48000,
    channels: ChannelsOption = 1,
    encoding: EncodingOption = "s16le",
    microphone: MicrophoneOption = None,
    seconds: SecondsOption = None,
    output: SaveOption = None,
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Tune an instrument, or watch a voice: the nearest note, and how many cents above it.

    From the lowest string of a double bass or A0 of a piano to the top of a piccolo. In a
    terminal it shows the note, a needle, and the last seconds; into a pipe, or with `--json`,
    it prints a line ten times a second while a note sounds. Silence shows nothing. Ctrl-C ends
    it with a report. What runs is the ready pipeline `tuner`.

    One note at a time: two at once are not supported, and show one of them, a note far below
    both, or nothing.

    **Examples**

    `audiopipe tune`

    `audiopipe tune --a4 415 --temperament werckmeister3`

    `audiopipe tune --temperament just --tonic D --file violin.wav`

    `arecord -t raw -f S16_LE -r 48000 | audiopipe tune --stdin --json`
    """
    import torch

    from audiopipe.run.live import run_live

    try:
        key = tuning.pitch_class(tonic)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--tonic") from None
    tuned = tuning.Tuning(a4, temperament, key)
    listening = Listening(file, realtime, stdin, rate, channels, encoding, microphone, block=BLOCK)
    pipeline = open_pipeline(PIPELINE, settings)
    # A window at a time is too small to be shared out among threads.
    torch.set_num_threads(1)
    source = listening.open()
    with _tuner(tuned, floor, as_json) as tuner:
        report = run_live(
            pipeline,
            source,
            device="cpu",
            folder=output,
            take=tuner.take,
            listener=tuner,
            seconds=seconds,
        )
    if as_json:
        typer.echo(json.dumps({"report": as_data(report) | {"notes": tuner.seconds}}))
    else:
        _tell(report, tuner.seconds)


def _tuner(tuned: tuning.Tuning, floor: float, as_json: bool) -> Tuner:
    """A view in a terminal, or lines."""
    from audiopipe.cli.terminal import can_draw
    from audiopipe.cli.tuner import Screen, Tuner

    console = Console(file=sys.stdout)
    if as_json:
        return Tuner(tuned, floor, _json)
    return Screen(tuned, floor, console) if can_draw(console) else Tuner(tuned, floor, _line)


def _line(reading: Reading) -> None:
    typer.echo(
        f"{reading.time:8.2f} s  {reading.note.name:<4} {reading.note.cents:+6.1f} cents  "
        f"{reading.hz:8.2f} Hz"
    )


def _json(reading: Reading) -> None:
    told = {
        "time": round(reading.time, 6),
        "note": reading.note.name,
        "cents": round(reading.note.cents, 2),
        "hz": round(reading.hz, 4),
        "target_hz": round(reading.target, 4),
    }
    typer.echo(json.dumps(told, ensure_ascii=False))


def _tell(report: LiveReport, notes: dict[str, float]) -> None:
    """Print the report: what was heard, how fast, and what was lost."""
    console = Console(stderr=True, highlight=False)
    longest = sorted(notes.items(), key=lambda note: -note[1])
    told = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in longest[:12])
    console.print(f"heard {report.seconds:.1f} s: {told or 'no note'}", markup=False)
    console.print(f"p50 / p95 / p99 of computing a block: {report.processing}")
    tell_losses(console, report)
