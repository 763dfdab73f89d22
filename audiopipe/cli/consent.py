"""`audiopipe consent`: records of consent, for cloning a voice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audiopipe.errors import visible

if TYPE_CHECKING:
    from audiopipe.consent import Consent

app = typer.Typer(
    no_args_is_help=True,
    help="Make and check records of consent: whose voice, what for, until when. What they are "
    "worth is in docs/trust.md.",
    epilog="A record is a text of a few lines, YAML or JSON, that can be written by hand as well.",
)

Reference = Annotated[Path, typer.Argument(help="The recording of the voice.")]


def asked(reference: Path) -> Consent:
    """What is answered in the terminal; raises ConsentError."""
    from audiopipe.consent import ask

    def prompt(question: str) -> str:
        return str(typer.prompt(visible(question), default="", show_default=False))

    return ask(reference, prompt)


@app.command(epilog="Example: audiopipe consent new ada.wav -o ada.consent.json")
def new(
    reference: Reference,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write it.", metavar="FILE")
    ] = None,
) -> None:
    """Ask the speaker, and write the record: beside the recording, if nothing else is said."""
    from audiopipe.consent import SUFFIX

    consent = asked(reference)
    target = consent.save(output or reference.with_suffix(SUFFIX))
    typer.echo(visible(f"{target}: {consent.summary}"))


@app.command(epilog="Example: audiopipe consent check ada.consent.json ada.wav")
def check(
    record: Annotated[Path, typer.Argument(help="The record, YAML or JSON.")],
    reference: Reference,
) -> None:
    """Make sure that a record is complete, holds today, and belongs to the recording."""
    from audiopipe.consent import read_consent

    consent = read_consent(record)
    consent.check(reference)
    typer.echo(visible(f"{record}: holds. {consent.summary}"))
