"""The command line: one file a verb. Nothing heavy is imported before a verb needs it."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console
from rich.logging import RichHandler

from audiopipe import __version__
from audiopipe.cli import (
    check,
    clone,
    consent,
    devices,
    doctor,
    engines,
    listen,
    live,
    models,
    pitch,
    plan,
    run,
    schema,
    separate,
    speak,
    spectrogram,
    stages,
    teach,
    tune,
    watermark,
)
from audiopipe.errors import AudiopipeError, visible

INTERRUPTED = 130

EXIT_CODES = """\
Exit codes: 0 all well · 1 a file has no watermark · 2 the command or the definition is wrong · 3
an input cannot be read · 4 an output cannot be written · 5 the device cannot be used · 6 a model
is missing or wrong · 7 a package or program is missing · 8 a stage broke · 9 some inputs of a
batch failed, the rest is done · 10 a test of a definition failed · 130 interrupted."""

app = typer.Typer(
    name="audiopipe",
    help="Typed, checked, streamable pipelines for audio and speech.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
VERBS: tuple[Callable[..., None], ...] = (
    run.run,
    live.live,
    listen.listen,
    tune.tune,
    spectrogram.spectrogram,
    pitch.pitch,
    separate.separate,
    speak.speak,
    clone.clone,
    teach.teach,
    plan.plan,
    check.check,
    schema.schema,
    stages.stages,
    devices.devices,
    doctor.doctor,
)
for verb in VERBS:
    app.command()(verb)
app.add_typer(models.app, name="models")
app.add_typer(engines.app, name="engines")
app.add_typer(watermark.app, name="watermark")
app.add_typer(consent.app, name="consent")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def common(
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say more of what is going on.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Take what all verbs share."""
    handler = RichHandler(console=Console(stderr=True), show_path=False, show_time=False)
    level = logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(message)s", handlers=[handler])


def main() -> None:
    """Run the command line; refusals are one message and an exit code, not a traceback."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)
    try:
        app()
    except SystemExit as leaving:
        if leaving.code == INTERRUPTED:  # typer does not say why
            typer.echo("interrupted", err=True)
        raise
    except AudiopipeError as error:
        for line in str(error).splitlines():
            typer.echo(f"error: {visible(line)}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.exit(0)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
