"""`audiopipe teach`: one's own words and sounds, from recordings."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from audiopipe.errors import visible

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from audiopipe.teaching.teach import Taught

RECORDINGS = "-recordings"


def teach(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Recordings, a folder for each label; with --record, the model to make.",
            metavar="FOLDER",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="The model to make (default: FOLDER-model).", metavar="DIR"
        ),
    ] = None,
    record: Annotated[
        bool, typer.Option("--record", help="Record the examples first, to FOLDER-recordings.")
    ] = False,
    labels: Annotated[
        str | None,
        typer.Option(help="With --record: what to record.", metavar="LABEL,LABEL"),
    ] = None,
    clips: Annotated[
        int, typer.Option(min=5, help="With --record: recordings of each label.")
    ] = 10,
    microphone: Annotated[
        str | None, typer.Option(help="Number or name of the microphone.", metavar="DEVICE")
    ] = None,
    base: Annotated[
        str, typer.Option(help="The model that hears.", metavar="MODEL")
    ] = "keywords-18",
    licence: Annotated[
        str, typer.Option(help="Licence of the recordings, told in the card.", metavar="SPDX")
    ] = "LicenseRef-own-recordings",
    force: Annotated[bool, typer.Option("--force", help="Replace a model that is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Teach your own words or sounds: five recordings of each will do, ten to twenty are better.

    FOLDER holds a folder for each label, with recordings in any format, and if possible
    `_background_` with the noise of the room. The figures at the end are honest: every
    recording is judged by a model that was not taught with it.

    With `--record` the recordings are made first, guided: the room, then each label. It can be
    left with q at any time, and goes on where it was left.

    **Examples**

    `audiopipe teach clips/ -o my-words`

    `audiopipe teach --record my-words --labels lights,music --clips 10`
    """
    from audiopipe.teaching.package import check_output
    from audiopipe.teaching.teach import teach as learn

    if labels is not None and not record:
        raise typer.BadParameter(
            "needs --record; labels are the folders' names", param_hint="--labels"
        )
    if not licence.strip():
        raise typer.BadParameter("needs a name, as in CC0-1.0", param_hint="--licence")
    console = Console(stderr=True, highlight=False, markup=False)
    if record:
        from audiopipe.cli.record import record_examples

        model = output or folder
        check_output(model, force)
        if folder.name in ("", ".."):
            raise typer.BadParameter("name a folder for the model", param_hint="FOLDER")
        folder = folder.with_name(folder.name + RECORDINGS)
        wanted = [label.strip() for label in (labels or "").split(",") if label.strip()]
        if not record_examples(console, folder, wanted, clips, microphone):
            console.print(f"left; go on with the same command (recordings: {folder})")
            raise typer.Exit
    else:
        name = folder.absolute().name
        plain = name.removesuffix(RECORDINGS)
        model = output or Path(plain if plain != name else f"{name}-model")
    with _bars(console) as bars:
        taught = learn(
            folder,
            model,
            base=base,
            licence=licence,
            overwrite=force,
            progress=_advance(bars),
        )
    for warning in taught.warnings:
        console.print(f"warning: {visible(warning)}", style="yellow", soft_wrap=True)
    if as_json:
        typer.echo(json.dumps(_as_data(taught), indent=2))
    else:
        _tell(Console(highlight=False, markup=False), taught)


def _bars(console: Console) -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=console)


def _advance(bars: Progress) -> Callable[[str, int, int], None]:
    tasks: dict[str, TaskID] = {}

    def advance(step: str, done: int, total: int) -> None:
        if step not in tasks:
            tasks[step] = bars.add_task(step, total=total)
        bars.update(tasks[step], completed=done, total=total)

    return advance


def _tell(console: Console, taught: Taught) -> None:
    """Print how good it is, and how to use it."""
    from rich.table import Table

    table = Table("label", "recordings", "recall", "precision", "taken for", box=None)
    for label, share in taught.recall.items():
        table.add_row(
            label,
            str(taught.clips[label]),
            _percent(share),
            _percent(taught.precision[label]),
            ", ".join(f"{name} {times}×" for name, times in _mistakes(taught, label)),
        )
    console.print(table)
    low, high = taught.interval
    whom = "speakers" if taught.by_speaker else "recordings"
    console.print(
        f"accuracy {_percent(taught.accuracy)} ({_percent(low)} to {_percent(high)}), each judged "
        f"by a head that was not taught with these {whom}"
    )
    false = ", ".join(f"{_percent(share, 1)} of {name}" for name, share in taught.false.items())
    console.print(
        f"threshold {taught.threshold:g}: {_percent(taught.missed)} of the labels are missed; "
        f"taken for one: {false}"
    )
    path = taught.folder if taught.folder.is_absolute() else f"./{taught.folder}"
    made = f"made {taught.folder} in {taught.seconds:.0f} s; use it as `model: {path}`"
    console.print(visible(made), soft_wrap=True)


def _mistakes(taught: Taught, label: str) -> list[tuple[str, int]]:
    found = [taken for taken in taught.confusion.mistakes if taken.truth == label]
    return [(taken.guess, taken.times) for taken in found]


def _percent(share: float, digits: int = 0) -> str:
    return "–" if share != share else f"{100 * share:.{digits}f} %"


def _as_data(taught: Taught) -> dict[str, Any]:
    return {
        "folder": str(taught.folder),
        "labels": taught.labels,
        "clips": dict(taught.clips),
        "accuracy": taught.accuracy,
        "interval": list(taught.interval),
        "recall": dict(taught.recall),
        "precision": {k: None if v != v else v for k, v in taught.precision.items()},
        "confusion": taught.confusion.counts.tolist(),
        "threshold": taught.threshold,
        "missed": taught.missed,
        "false": dict(taught.false),
        "by_speaker": taught.by_speaker,
        "warnings": taught.warnings,
        "seconds": round(taught.seconds, 1),
    }
