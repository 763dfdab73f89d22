"""`audiopipe live`: a pipeline on what is heard now."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from audiopipe.cli.options import Definition, Device, Dtype, Json, Settings, open_pipeline
from audiopipe.cli.report import as_data, tell
from audiopipe.cli.sources import (
    ChannelsOption,
    Encoding,
    EncodingOption,
    FileOption,
    Listening,
    MicrophoneOption,
    Policy,
    RateOption,
    RealtimeOption,
    SaveOption,
    SecondsOption,
    StdinOption,
)

if TYPE_CHECKING:
    from audiopipe.pipeline import Pipeline
    from audiopipe.run.source import LiveSource
    from audiopipe.signals import Audio, Signal

Taker = Callable[[Mapping[str, "Signal"]], None]


def live(
    definition: Definition,
    file: FileOption = None,
    realtime: RealtimeOption = True,
    stdin: StdinOption = False,
    rate: RateOption = 48000,
    channels: ChannelsOption = 1,
    encoding: EncodingOption = "s16le",
    microphone: MicrophoneOption = None,
    queue: Annotated[
        float, typer.Option(min=0.02, help="Seconds that may wait to be computed.")
    ] = 2.0,
    policy: Annotated[
        Policy | None,
        typer.Option(help="When the queue is full (default: drop-oldest; for stdin: block)."),
    ] = None,
    seconds: SecondsOption = None,
    output: SaveOption = None,
    play: Annotated[
        str | None, typer.Option(help="Play this audio output.", metavar="OUTPUT")
    ] = None,
    stdout: Annotated[
        str | None, typer.Option(help="Write this audio output raw to stdout.", metavar="OUTPUT")
    ] = None,
    device: Device = "auto",
    dtype: Dtype = "float32",
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Run a pipeline on the microphone, on a file as if it were live, or on raw PCM.

    Ctrl-C ends it well: outputs are complete, and a report tells of latency and drops.

    **Examples**

    `audiopipe live tuner`

    `audiopipe live my.yaml --file talk.flac -o out`

    `arecord -t raw -f S16_LE -r 16000 | audiopipe live pitch --stdin --rate 16000 --json`
    """
    from audiopipe.cli.view import JsonLines, Screen
    from audiopipe.run.live import run_live

    if as_json and stdout is not None:
        raise typer.BadParameter(
            "both print to stdout; use --output", param_hint="--json, --stdout"
        )
    listening = Listening(
        file, realtime, stdin, rate, channels, encoding, microphone, queue, policy
    )
    pipeline = open_pipeline(definition, settings)
    source = listening.open()
    try:
        takers, closers = _takers(pipeline, source, play, stdout, encoding)
    except BaseException:
        source.close()
        raise
    console = Console(stderr=True, highlight=False)
    view: JsonLines | Screen = Screen(console, quiet=stdout is not None)
    if as_json:
        view = JsonLines()
        takers.append(view.take)

    def take(out: Mapping[str, Signal]) -> None:
        for taker in takers:
            taker(out)

    try:
        with view:
            report = run_live(
                pipeline,
                source,
                device=device,
                dtype=dtype,
                folder=output,
                take=take,
                listener=view,
                seconds=seconds,
            )
    finally:
        for close in closers:
            close()
    if as_json:
        typer.echo(json.dumps({"report": as_data(report)}))
    else:
        tell(console, report)


def _takers(
    pipeline: Pipeline,
    source: LiveSource,
    play: str | None,
    stdout: str | None,
    encoding: Encoding,
) -> tuple[list[Taker], list[Callable[[], None]]]:
    """Who takes outputs as they come, and what has to be closed in the end."""
    from audiopipe.errors import did_you_mean
    from audiopipe.io.pcm import PcmFormat, PcmWriter
    from audiopipe.run.playback import Playback
    from audiopipe.signals import Audio

    takers: list[Taker] = []
    closers: list[Callable[[], None]] = []
    made = pipeline.plan(source.format)
    for option, name in (("--play", play), ("--stdout", stdout)):
        if name is None:
            continue
        audible = [each for each in made.outputs if isinstance(made.output(each), Audio)]
        if name not in audible:
            hint = did_you_mean(name, audible)
            raise typer.BadParameter(f"no audio output {name!r}; {hint}", param_hint=option)
        format = made.output(name)
        assert isinstance(format, Audio)
        if option == "--play":
            speakers = Playback(format)
            closers.append(speakers.close)
            takers.append(_taker(name, speakers.write))
        else:
            form = PcmFormat(format.rate, format.channels, encoding)
            takers.append(_taker(name, PcmWriter(sys.stdout.buffer, form).write))
    return takers, closers


def _taker(name: str, write: Callable[[Audio], None]) -> Taker:
    def take(out: Mapping[str, Signal]) -> None:
        if name in out:
            write(out[name])  # type: ignore[arg-type]

    return take
