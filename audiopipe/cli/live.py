"""`audiopipe live`: a pipeline on what is heard now."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from audiopipe.cli.options import Definition, Device, Dtype, Json, Settings, open_pipeline

if TYPE_CHECKING:
    from audiopipe.pipeline import Pipeline
    from audiopipe.run.live import LiveReport
    from audiopipe.run.source import LiveSource
    from audiopipe.signals import Audio, Signal

Encoding = Literal["s16le", "s24le", "f32le"]
Policy = Literal["block", "drop-oldest", "fail"]
Taker = Callable[[Mapping[str, "Signal"]], None]


def live(
    definition: Definition,
    file: Annotated[
        Path | None, typer.Option(help="Listen to a file as if it were live.", metavar="FILE")
    ] = None,
    realtime: Annotated[
        bool, typer.Option(help="Pace the file as it would sound; else as fast as it goes.")
    ] = True,
    stdin: Annotated[bool, typer.Option("--stdin", help="Listen to raw PCM on stdin.")] = False,
    rate: Annotated[int, typer.Option(min=1, help="Sample rate of raw PCM in Hz.")] = 48000,
    channels: Annotated[
        int, typer.Option(min=1, help="Channels of the microphone or raw PCM.")
    ] = 1,
    encoding: Annotated[Encoding, typer.Option(help="Form of raw PCM.")] = "s16le",
    microphone: Annotated[
        str | None, typer.Option(help="Number or name of the microphone.", metavar="DEVICE")
    ] = None,
    queue: Annotated[
        float, typer.Option(min=0.02, help="Seconds that may wait to be computed.")
    ] = 2.0,
    policy: Annotated[
        Policy | None,
        typer.Option(help="When the queue is full (default: drop-oldest; for stdin: block)."),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0.0, help="Stop after so many seconds.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also write outputs here.", metavar="DIR")
    ] = None,
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

    _check_options(file, stdin, microphone, stdout, as_json)
    pipeline = open_pipeline(definition, settings)
    source = _source(file, realtime, stdin, rate, channels, encoding, microphone, queue, policy)
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
        typer.echo(json.dumps({"report": _as_data(report)}))
    else:
        _tell(console, report)


def _check_options(
    file: Path | None, stdin: bool, microphone: str | None, stdout: str | None, as_json: bool
) -> None:
    """Raise BadParameter for options of which only one can be meant."""
    sources = {"--file": file, "--stdin": stdin or None, "--microphone": microphone}
    given = [option for option, value in sources.items() if value is not None]
    if len(given) > 1:
        raise typer.BadParameter("listen to one of them", param_hint=" and ".join(given))
    if as_json and stdout is not None:
        raise typer.BadParameter(
            "both print to stdout; use --output", param_hint="--json, --stdout"
        )


def _source(
    file: Path | None,
    realtime: bool,
    stdin: bool,
    rate: int,
    channels: int,
    encoding: Encoding,
    microphone: str | None,
    queue: float,
    policy: Policy | None,
) -> LiveSource:
    from audiopipe.io.devices import Microphone
    from audiopipe.io.pcm import PcmFormat
    from audiopipe.run.source import paced_file, pcm_input

    if file is not None:
        speed = 1.0 if realtime else float("inf")
        chosen = policy or ("drop-oldest" if realtime else "block")
        return paced_file(file, seconds=queue, policy=chosen, speed=speed)
    if stdin:
        form = PcmFormat(rate, channels, encoding)
        return pcm_input(sys.stdin.buffer, form, seconds=queue, policy=policy or "block")
    return Microphone(microphone, channels=channels, seconds=queue, policy=policy or "drop-oldest")


def _takers(
    pipeline: Pipeline,
    source: LiveSource,
    play: str | None,
    stdout: str | None,
    encoding: Encoding,
) -> tuple[list[Taker], list[Callable[[], None]]]:
    """Who takes outputs as they come, and what has to be closed in the end."""
    from audiopipe.errors import did_you_mean
    from audiopipe.io.devices import Speakers
    from audiopipe.io.pcm import PcmFormat, PcmWriter
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
            speakers = Speakers(format.rate, format.channels)
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


def _tell(console: Console, report: LiveReport) -> None:
    """Print the report of a live run."""
    queue = report.queue
    console.print(f"heard {report.seconds:.1f} s; p50 / p95 / p99 in the following")
    console.print(f"computing a block: {report.processing}")
    for name, latency in report.latency.items():
        declared = 1000 * report.declared[name]
        console.print(f"latency of {name}: {latency} (declared by its stages: {declared:.1f} ms)")
    dropped = queue.dropped / max(1, queue.put) * report.seconds
    console.print(
        f"dropped {queue.drops} blocks ({dropped:.2f} s), {report.overruns} overruns; "
        f"at most {queue.fullest:.2f} s waited"
    )


def _as_data(report: LiveReport) -> dict[str, object]:
    return {
        "seconds": report.seconds,
        "processing_s": vars(report.processing),
        "latency_s": {name: vars(value) for name, value in report.latency.items()},
        "declared_s": dict(report.declared),
        "drops": report.queue.drops,
        "dropped_samples": report.queue.dropped,
        "overruns": report.overruns,
        "queue_fullest_s": report.queue.fullest,
    }
