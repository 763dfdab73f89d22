"""`audiopipe run`: a pipeline over many files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from audiopipe.cli.options import (
    Definition,
    Device,
    Dtype,
    Json,
    OutputFolder,
    Settings,
    open_pipeline,
)

if TYPE_CHECKING:
    from audiopipe.pipeline import Pipeline
    from audiopipe.run.batch import BatchListener, FileReport
    from audiopipe.run.lane import Opener

SOME_FAILED = 9


def run(
    definition: Definition,
    inputs: Annotated[
        list[str], typer.Argument(help="Files, folders or patterns.", metavar="INPUT...")
    ],
    output: OutputFolder = Path("out"),
    device: Device = "auto",
    dtype: Dtype = "float32",
    settings: Settings = None,
    together: Annotated[
        int | None,
        typer.Option(min=1, help="Files to compute together (default: 8 on a GPU, else 1)."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Run a pipeline over files, folders and patterns.

    What an interrupted run has finished is not done again. One bad file is reported and does
    not stop the rest.

    **Examples**

    `audiopipe run pitch song.wav -o out`

    `audiopipe run my.yaml recordings/ "live/**/*.flac" -o out --set low.rate="22.05 kHz"`
    """
    pipeline = open_pipeline(definition, settings)
    run_files(pipeline, inputs, output, device, dtype, together, as_json)


def run_files(
    pipeline: Pipeline,
    inputs: list[str],
    output: Path,
    device: str,
    dtype: str,
    together: int | None,
    as_json: bool,
    view: Bars | Lines | None = None,
    opener: Opener | None = None,
    form: str = "",
) -> None:
    """Run a batch and show it; exits with a code if some inputs failed."""
    from audiopipe.run.batch import run_batch

    view = view or (Lines() if as_json else Bars())
    with view:
        report = run_batch(
            pipeline,
            inputs,
            output,
            device=device,
            dtype=dtype,
            together=together,
            listener=view,
            opener=opener,
            form=form,
        )
    failed = report.count("failed")
    if not as_json:
        parts = [f"{report.count('done')} done"]
        parts += [f"{n} {name}" for name in ("skipped", "failed") if (n := report.count(name))]
        typer.echo(f"{', '.join(parts)}, in {output}")
    if failed == len(report.files) == 1:
        raise typer.Exit(report.files[0].exit_code)
    if failed:
        raise typer.Exit(SOME_FAILED)


class Bars:
    """A bar for all files, and one for each that is open."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
        )
        self.progress = Progress(
            *columns, console=self.console, transient=True, disable=not self.console.is_terminal
        )
        self.all: TaskID | None = None
        self.open: dict[Path, TaskID] = {}

    def __enter__(self) -> BatchListener:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def begin(self, files: int) -> None:
        if files > 1:
            self.all = self.progress.add_task(f"{files} files", total=files)

    def advance(self, input: Path, done: int, total: int | None) -> None:
        if input not in self.open:
            self.open[input] = self.progress.add_task(escape(input.name), total=total)
        self.progress.update(self.open[input], completed=done, total=total)

    def end(self, report: FileReport) -> None:
        if report.input in self.open:
            self.progress.remove_task(self.open.pop(report.input))
        if self.all is not None:
            self.progress.advance(self.all)
        if report.status == "failed":
            told = f"[red]failed[/red] {escape(report.error)}"
            self.console.print(told, highlight=False, soft_wrap=True)
        for text in report.warnings:
            told = f"[yellow]warning[/yellow] {escape(f'{report.input}: {text}')}"
            self.console.print(told, highlight=False, soft_wrap=True)


class Lines:
    """A line of JSON for each input that is through."""

    def __enter__(self) -> BatchListener:
        return self

    def __exit__(self, *_: object) -> None: ...

    def begin(self, files: int) -> None: ...

    def advance(self, input: Path, done: int, total: int | None) -> None: ...

    def end(self, report: FileReport) -> None:
        told = {
            "input": str(report.input),
            "status": report.status,
            "outputs": [str(path) for path in report.outputs],
            "seconds": round(report.seconds, 6),
            "took": round(report.took, 6),
        }
        if report.error:
            told["error"] = report.error
        if report.warnings:
            told["warnings"] = list(report.warnings)
        typer.echo(json.dumps(told | self.more(report), ensure_ascii=False))

    def more(self, report: FileReport) -> dict[str, object]:
        """What else is told of an input."""
        return {}
