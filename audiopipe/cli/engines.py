"""`audiopipe engines`: other people's programs, each in an environment of its own."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from audiopipe.errors import visible

app = typer.Typer(
    no_args_is_help=True,
    help="Install other people's programs, each in a Python environment of its own.",
    epilog="Environment: AUDIOPIPE_ENGINES (the folder where they lie).",
)

Name = Annotated[str, typer.Argument(help="An engine, as `audiopipe engines list` names it.")]


@app.command("list", epilog="Example: audiopipe engines list")
def list_engines(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the engines, and whether they are here."""
    from rich.console import Console
    from rich.table import Table

    from audiopipe.engines.environments import ENGINES, Environments

    environments = Environments()
    rows = [
        {
            "name": engine.name,
            "installs": engine.package,
            "licence": engine.licence,
            "state": environments.state(engine.name),
            "folder": str(environments.folder(engine.name)),
            "about": engine.about,
        }
        for engine in ENGINES.values()
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table("engine", "installs", "licence", "state", "what it is", box=None, pad_edge=False)
    for row in rows:
        table.add_row(row["name"], row["installs"], row["licence"], row["state"], row["about"])
    Console(highlight=False, markup=False).print(table)


@app.command(epilog="Example: audiopipe engines install spleeter")
def install(name: Name) -> None:
    """Make the environment of an engine: needs a network, and some minutes.

    An installation that was interrupted is made anew.
    """
    from rich.console import Console
    from rich.markup import escape

    from audiopipe.engines.environments import Environments

    environments = Environments()
    environments.engine(name)
    with Console(stderr=True).status(f"installing {name}") as status:
        environments.install(name, lambda line: status.update(escape(visible(line)[:100])))
    typer.echo(f"{name}: installed in {environments.folder(name)}")


@app.command(epilog="Example: audiopipe engines remove spleeter")
def remove(name: Name) -> None:
    """Remove the environment of an engine."""
    from audiopipe.engines.environments import Environments

    removed = Environments().remove(name)
    typer.echo(f"{name}: {'removed' if removed else 'was not installed'}")
