"""`audiopipe models`: which models there are, and getting them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from audiopipe.errors import ModelVerificationError, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress, TaskID

    from audiopipe.cards import Card

app = typer.Typer(
    no_args_is_help=True,
    help="Show, download and verify models.",
    epilog="Environment: AUDIOPIPE_MODELS (folder for downloads), AUDIOPIPE_OFFLINE=1 (never "
    "download), AUDIOPIPE_MIRROR (address where MIRROR/NAME/FILE is tried first).",
)

Name = Annotated[str, typer.Argument(help="A model's name, or a folder with a card.toml.")]
Names = Annotated[list[str], typer.Argument(help="Names of models, or folders with a card.toml.")]


@app.command("list", epilog="Example: audiopipe models list --json")
def list_models(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List all models: task, size, licence, and whether they are here."""
    from rich.console import Console
    from rich.filesize import decimal
    from rich.table import Table

    from audiopipe.models import Store

    store = Store()
    cards = [store.card(name) for name in store.names()]
    if as_json:
        rows = [
            {
                "name": card.name,
                "task": card.task,
                "bytes": card.size,
                "licence": card.licence.name,
                "commercial": card.licence.commercial,
                "state": store.state(card.name),
            }
            for card in cards
        ]
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table("model", "task", "size", "licence", "commercial use", "state", box=None)
    for card in cards:
        table.add_row(
            card.name,
            card.task,
            decimal(card.size),
            card.licence.name,
            "yes" if card.licence.commercial else "no",
            store.state(card.name),
        )
    Console(markup=False).print(table)


@app.command(epilog="Example: audiopipe models show keywords-18")
def show(name: Name) -> None:
    """Show all that is known about a model."""
    from audiopipe.models import Store

    store = Store()
    for fact in _describe(name, store.card(name), store.state(name)):
        for line in fact.splitlines():
            typer.echo(visible(line))


@app.command(
    epilog="Examples: audiopipe models pull spleeter-2stems, "
    "audiopipe models pull NAME --accept-licence"
)
def pull(
    names: Names,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="Accept the models' licences.")
    ] = False,
) -> None:
    """Download models, and verify every byte.

    A download that was interrupted goes on where it stopped.
    """
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from audiopipe.models import Store

    store = Store()
    for name in names:
        store.card(name)  # so that a wrong name is found before the first download
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, TransferSpeedColumn(), console=Console(stderr=True)) as bars:
        for name in names:
            store.pull(name, _advance(bars, name), accept_licence)
    for name in names:
        typer.echo(f"{name}: complete and verified")


@app.command(epilog="Examples: audiopipe models verify, audiopipe models verify keywords-18")
def verify(
    names: Annotated[
        list[str] | None, typer.Argument(help="Models; all that are here if none is named.")
    ] = None,
) -> None:
    """Hash the files of models again; exit code 6 if one is not right."""
    from audiopipe.models import Store

    store = Store()
    problems = []
    here = (name for name in store.names() if store.state(name) != "not downloaded")
    for name in names or here:
        try:
            store.verify(name)
        except ModelVerificationError as error:
            problems.append(str(error))
        else:
            typer.echo(f"{name}: verified")
    if problems:
        raise ModelVerificationError("\n".join(problems))


@app.command(epilog="Example: audiopipe models path keywords-18 weights.safetensors")
def path(
    name: Name,
    file: Annotated[str | None, typer.Argument(help="A file of it; all if none is named.")] = None,
) -> None:
    """Print where a model's verified files lie."""
    from audiopipe.models import Store

    store = Store()
    files = [file] if file else [entry.name for entry in store.card(name).files]
    for entry in files:
        typer.echo(store.path(name, entry))


def _advance(bars: Progress, name: str) -> Callable[[str, int, int], None]:
    """A bar for each file, from when the first byte of it is there."""
    tasks: dict[str, TaskID] = {}

    def advance(file: str, done: int, total: int) -> None:
        if file not in tasks:
            tasks[file] = bars.add_task(f"{name}/{file}", total=total)
        bars.update(tasks[file], completed=done)

    return advance


def _describe(name: str, card: Card, state: str) -> Iterator[str]:
    """The card, a line a fact."""
    from rich.filesize import decimal

    from audiopipe.cards import engine_version
    from audiopipe.ledger import pull_command

    licence = card.licence
    yield f"{card.name}: {card.about}"
    yield f"task         {card.task}"
    yield f"network      {card.network}"
    for key, value in card.settings.items():
        yield f"  {key} = {value}"
    yield f"sample rate  {card.rate} Hz"
    if card.labels:
        yield f"labels       {', '.join(card.labels)}"
    yield f"state        {state}"
    yield f"size         {decimal(card.size)}"
    for file in card.files:
        yield f"  {file.name}: {file.size} bytes, SHA-256 {file.sha256}"
        for url in file.urls:
            yield f"    {url}"
    yield f"licence      {licence.name}, {licence.url}"
    yield f"  commercial use: {'yes' if licence.commercial else 'no'}"
    if licence.forbidden:
        yield f"  forbids: {licence.forbidden}"
    if licence.gated:
        yield f"  has to be accepted: {pull_command(name)} --accept-licence"
    yield "trained on"
    for data in card.data:
        yield f"  {data.name}: {data.licence}, {data.source}"
    if card.recipe:
        yield f"recipe       {card.recipe}"
    if card.figures:
        yield "measured"
    for key, figure in card.figures.items():
        yield f"  {key}: {figure}"
    for package, window in card.requires.items():
        version = engine_version(package) or "not installed"
        yield f"requires     {package}{window} (here: {version})"
    if card.citation:
        yield f"cite         {card.citation}"
