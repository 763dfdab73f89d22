"""`audiopipe models`: which models there are, and getting them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from audiopipe.errors import EngineError, ModelError, ModelVerificationError, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress, TaskID

    from audiopipe.cards import Card
    from audiopipe.models import Store

COQUI = "coqui/"
"""What names of models of coqui-tts begin with."""

app = typer.Typer(
    no_args_is_help=True,
    help="Show, download and verify models.",
    epilog="Environment: AUDIOPIPE_MODELS (folder for downloads), AUDIOPIPE_OFFLINE=1 (never "
    "download), AUDIOPIPE_MIRROR (address where MIRROR/NAME/FILE is tried first).",
)

Name = Annotated[str, typer.Argument(help="A model's name, or a folder with a card.toml.")]
Names = Annotated[list[str], typer.Argument(help="Names of models, or folders with a card.toml.")]


@app.command(
    "list", epilog="Examples: audiopipe models list --json, audiopipe models list --engine coqui"
)
def list_models(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    engine: Annotated[
        str | None, typer.Option(help="An engine whose own list is shown: coqui.")
    ] = None,
) -> None:
    """List all models: task, size, licence, and whether they are here."""
    from rich.console import Console
    from rich.filesize import decimal
    from rich.table import Table

    from audiopipe.models import Store

    store = Store()
    if engine is not None:
        _list_of_engine(engine, store, as_json)
        return
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
    try:
        facts = _describe(name, store.card(name), store.state(name))
    except ModelError:
        if not name.startswith(COQUI):
            raise
        facts = _describe_listed(name)
    for fact in facts:
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
    ours = [name for name in names if not name.startswith(COQUI)]
    for name in ours:
        store.card(name)  # so that a wrong name is found before the first download
    for name in set(names).difference(ours):
        _pull_coqui(name, store, accept_licence)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, TransferSpeedColumn(), console=Console(stderr=True)) as bars:
        for name in ours:
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


def _list_of_engine(engine: str, store: Store, as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    from audiopipe.engines.coqui_models import listed
    from audiopipe.engines.environments import COQUI as ENGINE
    from audiopipe.engines.environments import Environments

    Environments().engine(engine)
    if engine != ENGINE.name:
        raise EngineError(f"engine {engine!r} has no list of models")
    rows = [
        {
            "name": model.name,
            "task": model.task,
            "licence": model.licence.name,
            "commercial": model.licence.commercial,
            "state": _state(store, model.name),
        }
        for model in listed().values()
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table("model", "task", "licence", "commercial use", "state", box=None)
    for row in rows:
        commercial = "yes" if row["commercial"] else "no"
        table.add_row(
            str(row["name"]), str(row["task"]), str(row["licence"]), commercial, str(row["state"])
        )
    Console(markup=False).print(table)


def _state(store: Store, name: str) -> str:
    try:
        return store.state(name)
    except ModelError:
        return "not downloaded"


def _pull_coqui(name: str, store: Store, accept_licence: bool) -> None:
    from rich.console import Console

    from audiopipe.engines.coqui_models import pull

    with Console(stderr=True).status(f"downloading {visible(name)}, and trying it"):
        pull(name, store, accept_licence)


def _describe_listed(name: str) -> Iterator[str]:
    """What the list of coqui-tts says of a model that is not here."""
    from audiopipe.engines.coqui_models import find
    from audiopipe.ledger import pull_command

    model = find(name)
    yield f"{model.name}: {model.about}"
    yield f"task         {model.task}"
    yield f"state        not downloaded; run: {pull_command(model.name)}"
    yield f"licence      {model.licence.name}, {model.licence.url}"
    yield f"  commercial use: {'yes' if model.licence.commercial else 'no'}"
    if model.licence.gated:
        yield f"  has to be accepted: {pull_command(model.name)} --accept-licence"
    if model.vocoder:
        yield f"with it      {model.vocoder}"


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
