"""`audiopipe separate`: stems of files."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log10
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

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
from audiopipe.cli.run import Bars, Lines, run_files

if TYPE_CHECKING:
    from audiopipe.io.atomic import Sink
    from audiopipe.io.save import StemsSink
    from audiopipe.pipeline import Pipeline
    from audiopipe.run.batch import FileReport
    from audiopipe.run.inputs import Job
    from audiopipe.signals import Signal

Format = Literal["flac", "wav", "mp3", "ogg"]
Bits = Literal["16", "24", "32f"]
DEPTHS = {"16": 16, "24": 24, "32f": 32}


def separate(
    files: Inputs,
    output: OutputFolder = Path("out"),
    model: Annotated[
        str, typer.Option(help="The network: see `audiopipe models list`.", metavar="MODEL")
    ] = "stems",
    stems: Annotated[
        str,
        typer.Option(
            help="Which stems to keep, with commas between; the rest is summed. None means all.",
            metavar="NAMES",
        ),
    ] = "",
    format: Annotated[Format, typer.Option(help="How stems are written.")] = "flac",
    bits: Annotated[
        Bits | None,
        typer.Option(help="Of FLAC (16, 24) and WAV (32f is float, which never clips)."),
    ] = None,
    picture: Annotated[
        bool, typer.Option("--picture", help="Also draw the stems over time, as PNG.")
    ] = False,
    device: Device = "auto",
    dtype: Dtype = "float32",
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Separate music into stems: the voice, the drums, the bass, what else there is.

    Songs, folders, and videos. Each song gets a folder with a file a stem, as long as the song
    to the sample: `out/song/vocals.flac`. The stems add up to the song. Tags and artwork of the
    song are in each of them. With `--stems vocals` there are two: `vocals` and `accompaniment`.

    What runs is one stage, `stems`, which `--set` can change: `--set stems.remainder=keep`.

    **Examples**

    `audiopipe separate song.mp3`

    `audiopipe separate album/ -o stems --stems vocals --format mp3`

    `audiopipe separate clip.mp4 --model htdemucs --format wav --bits 32f --picture`
    """
    if bits is not None and format in ("mp3", "ogg"):
        raise typer.BadParameter(f"{format} has no bits to choose", param_hint="--bits")
    if bits == "32f" and format == "flac":
        told = "FLAC holds 16 or 24 bits; add --format wav"
        raise typer.BadParameter(told, param_hint="--bits")
    names = [name.strip() for name in stems.split(",") if name.strip()]
    pipeline = _open(model, names, format, picture, settings)
    opener = Opener(DEPTHS[bits or "24"], _network_rate(pipeline))
    view = _StemLines(opener) if as_json else _StemBars(opener)
    run_files(
        pipeline, files, output, device, dtype, None, as_json, view, opener, form=f" {bits or 24}"
    )


def _open(
    model: str, names: list[str], format: str, picture: bool, settings: list[str] | None
) -> Pipeline:
    """The pipeline of one stage, `stems`, with what is to be written."""
    from audiopipe.definition import override
    from audiopipe.document import Document
    from audiopipe.errors import Place
    from audiopipe.pipeline import check

    outputs = {f"{{name}}/{{stem}}.{format}": "stems"}
    if picture:
        outputs["{name}/stems.png"] = "stems"
    data: dict[str, Any] = {
        "audiopipe": 1,
        "stages": {"stems": {"use": "separate", "model": model, "stems": names}},
        "outputs": outputs,
    }
    document = Document(data, {(): Place("separate", 1, 1)}, "separate")
    return check(override(document, read_settings(settings)))


def _network_rate(pipeline: Pipeline) -> int:
    """The rate in Hz at which its network hears."""
    from audiopipe.separators.base import separation_card

    (node,) = pipeline.definition.graph.nodes
    return separation_card(node.stage.models[0]).rate


@dataclass
class Opener:
    """Opens stems with the tags of their source, and keeps what is to be told of them."""

    depth: Any
    rate: int
    """The rate of the network."""
    opened: dict[Path, StemsSink] = field(default_factory=dict)

    def __call__(self, job: Job, path: Path, form: Signal) -> Sink:
        from audiopipe.io.save import StemsSink, is_drawn, open_sink
        from audiopipe.io.tags import read_tags
        from audiopipe.signals import Stems

        if not isinstance(form, Stems) or is_drawn(path):
            return open_sink(path, form)
        sink = StemsSink(path, form, depth=self.depth, tags=read_tags(job.input))
        self.opened[job.input] = sink
        return sink

    def told(self, input: Path) -> Told:
        """What is to be told of an input, at most once."""
        sink = self.opened.pop(input, None)
        if sink is None:
            return Told()
        levels = {n: (_decibels(w.rms), _decibels(w.peak)) for n, w in sink.writers.items()}
        return Told(levels, next(iter(sink.writers.values())).format.rate)


@dataclass(frozen=True)
class Told:
    """RMS and peak of each stem of an input in dB, and its rate."""

    levels: dict[str, tuple[float, float]] = field(default_factory=dict)
    rate: int = 0


def _decibels(linear: float) -> float:
    return 20 * log10(linear) if linear > 0 else float("-inf")


class _StemBars(Bars):
    """Tells of the stems of each song."""

    def __init__(self, opener: Opener) -> None:
        super().__init__()
        self.opener = opener

    def end(self, report: FileReport) -> None:
        super().end(report)
        told = self.opener.told(report.input)
        if report.status != "done":
            return
        speed = f" ({report.seconds / report.took:.1f} times real time)" if report.took else ""
        typer.echo(f"{report.input}: {report.seconds:.1f} s in {report.took:.1f} s{speed}")
        if told.rate != self.opener.rate:
            typer.echo(f"  separated at {self.opener.rate} Hz, and brought back to {told.rate} Hz")
        for name, (rms, peak) in told.levels.items():
            typer.echo(f"  {name:<14}{_shown(rms)}, peak {_shown(peak)}")


class _StemLines(Lines):
    """Tells the same to programs."""

    def __init__(self, opener: Opener) -> None:
        self.opener = opener

    def more(self, report: FileReport) -> dict[str, object]:
        told = self.opener.told(report.input)
        if report.status != "done":
            return {}
        levels = {
            name: {"rms_db": _finite(rms), "peak_db": _finite(peak)}
            for name, (rms, peak) in told.levels.items()
        }
        return {"rate": told.rate, "network_rate": self.opener.rate, "stems": levels}


def _shown(level: float) -> str:
    return "silence" if level == float("-inf") else f"{level:6.1f} dB"


def _finite(level: float) -> float | None:
    return None if level == float("-inf") else round(level, 2)
