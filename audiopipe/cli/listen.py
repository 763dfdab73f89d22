"""`audiopipe listen`: words, or other sounds that a network was taught, as they are heard."""

from __future__ import annotations

import json
import sys
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from audiopipe.cli.options import Device, Json, Settings, open_pipeline
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
    from audiopipe.cli.hearing import Hearing
    from audiopipe.cli.keywords_view import Spoken
    from audiopipe.run.live import LiveReport

PIPELINE, STAGE = "keywords", "words"
"""The ready pipeline, and the stage in it that finds words."""
BLOCK = 0.05
"""Seconds of a block: half a hop. Shorter ones cost more, and are hardly faster."""


def listen(
    model: Annotated[
        str | None, typer.Option(help="Which words: a model, or a folder that `teach` made.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="The score that makes an event.")
    ] = None,
    file: FileOption = None,
    realtime: RealtimeOption = True,
    stdin: StdinOption = False,
    rate: RateOption = 48000,
    channels: ChannelsOption = 1,
    encoding: EncodingOption = "s16le",
    microphone: MicrophoneOption = None,
    seconds: SecondsOption = None,
    output: SaveOption = None,
    device: Device = "auto",
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Recognise words from the microphone, in a file, or in raw PCM.

    In a terminal it shows level, spectrum, the score of each word, and what was heard; into a
    pipe, or with `--json`, it prints a line for each word. Ctrl-C ends it with a report. What
    runs is the ready pipeline `keywords`.

    **Examples**

    `audiopipe listen`

    `audiopipe listen --model ./my-words --threshold 0.8`

    `audiopipe listen --file talk.flac --no-realtime --json`
    """
    import torch

    from audiopipe.cli.hearing import EVIDENCE, SPECTRUM
    from audiopipe.plan import Reference
    from audiopipe.run.live import run_live

    listening = Listening(file, realtime, stdin, rate, channels, encoding, microphone, block=BLOCK)
    given = {"model": None if model is None else json.dumps(model), "threshold": threshold}
    chosen = [f"{STAGE}.{option}={value}" for option, value in given.items() if value is not None]
    pipeline = open_pipeline(PIPELINE, [*chosen, *(settings or ())])
    watch = {SPECTRUM: Reference(f"{STAGE}/log-mel"), EVIDENCE: Reference(f"{STAGE}/listen")}
    # A window at a time is too small to be shared out among threads.
    torch.set_num_threads(1)
    source = listening.open()
    timed = file is None or realtime
    with _hearing(as_json, timed) as hearing:
        report = run_live(
            pipeline,
            source,
            device=device,
            folder=output,
            take=hearing.take,
            listener=hearing,
            seconds=seconds,
            watch=watch,
        )
    if as_json:
        typer.echo(json.dumps({"report": as_data(report) | {"events": hearing.counts}}))
    else:
        _tell(report, hearing.counts, timed)


def _hearing(as_json: bool, timed: bool) -> Hearing:
    """A view in a terminal, or lines; `timed` says whether latencies mean anything."""
    from audiopipe.cli.hearing import Hearing, Screen
    from audiopipe.cli.terminal import can_draw

    if as_json:
        return Hearing(partial(_json, timed=timed))
    console = Console(file=sys.stdout)
    return Screen(console) if can_draw(console) else Hearing(_line)


def _line(event: Spoken) -> None:
    typer.echo(f"{event.start:8.2f} s  {event.label:<10}  {event.score:.2f}")


def _json(event: Spoken, timed: bool) -> None:
    told = {
        "time": round(event.start, 6),
        "end": round(event.stop, 6),
        "label": event.label,
        "score": round(event.score, 4),
    }
    if timed:
        told["latency"] = round(event.late, 4)
    typer.echo(json.dumps(told))


def _tell(report: LiveReport, counts: Counter[str], timed: bool) -> None:
    """Print the report: what was heard, how fast, and what was lost."""
    console = Console(stderr=True, highlight=False)
    words = ", ".join(f"{label} {count}" for label, count in counts.most_common())
    console.print(f"heard {report.seconds:.1f} s: {words or 'no word'}", markup=False)
    console.print(f"p50 / p95 / p99 of computing a block: {report.processing}")
    for latency in report.latency.values() if timed else ():
        console.print(f"p50 / p95 / p99 from a word's end to its event: {latency}")
    tell_losses(console, report)
