"""`audiopipe plan`: what will run, before anything does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from audiopipe.cli.options import Definition, Device, Dtype, Settings, open_pipeline

if TYPE_CHECKING:
    from audiopipe.plan import Plan


def plan(
    definition: Definition,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(help="Inputs, to plan for their format and find collisions."),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where `run` would write.", metavar="DIR")
    ] = Path("out"),
    device: Device = "auto",
    dtype: Dtype = "float32",
    settings: Settings = None,
    svg: Annotated[
        Path | None, typer.Option(help="Draw the graph into a file.", metavar="FILE")
    ] = None,
    mermaid: Annotated[
        bool, typer.Option("--mermaid", help="Print the graph for Mermaid.")
    ] = False,
) -> None:
    """Show what a pipeline will do: stages, what is inserted, latency, memory, devices, models.

    Nothing is loaded and nothing is computed. Without inputs, 48 kHz stereo is planned for.

    **Examples**

    `audiopipe plan pitch`

    `audiopipe plan my.yaml song.mp3 --svg my.svg`
    """
    from audiopipe import diagram
    from audiopipe.io.atomic import Replacement, output_error
    from audiopipe.io.texts import open_input
    from audiopipe.pipeline import nominal
    from audiopipe.run.batch import plan_jobs

    pipeline = open_pipeline(definition, settings)
    source = None
    jobs = plan_jobs(pipeline, inputs, output, device=device, dtype=dtype) if inputs else []
    if jobs:
        with open_input(jobs[0].input, nominal(pipeline.definition.graph)) as reader:
            source = reader.format
    made = pipeline.plan(source, device=device, dtype=dtype)
    if mermaid:
        typer.echo(diagram.mermaid(made))
        return
    if svg is not None:
        drawn = Replacement(svg)
        try:
            drawn.file.write(diagram.svg(made).encode())
            drawn.commit()
        except OSError as error:
            raise output_error(svg, error) from None
        finally:
            drawn.abort()
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 160  # a file has no edge
    if pipeline.about:
        console.print(escape(pipeline.about))
    _show(console, made)
    if jobs:
        count = sum(len(job.outputs) for job in jobs)
        plural = "" if len(jobs) == 1 else "s"
        told = f"{len(jobs)} input{plural}, {count} outputs into {output}, no collisions"
        console.print(escape(told))


def _show(console: Console, made: Plan) -> None:
    from rich.filesize import decimal

    from audiopipe.diagram import format_words, lateness, step_words
    from audiopipe.estimate import estimate

    table = Table("step", "stage", "from", "gives", "latency", "stream", box=None)
    table.add_row("input", "", "", format_words(made.source))
    for step in made.steps:
        name = f"+ {step.name}" if step.why else step.name
        offline = step.stage.fidelity.kind == "offline"
        latency = "–" if offline else f"{1000 * float(step.latency):.1f} ms"
        fidelity = step.stage.fidelity.kind
        sources = ", ".join(map(str, step.sources))
        row = (name, step.stage.name, sources, step_words(step), latency, fidelity)
        table.add_row(*map(escape, row))
    console.print(table)
    for step in made.steps:
        if step.why:
            console.print(f"inserted {escape(step.name)}: {escape(step.why)}")
        if step.stage.fidelity.kind == "offline":
            console.print(escape(f"{step.name} cannot stream: {step.stage.fidelity.why}"))
    for choice in dict.fromkeys(step.choice for step in made.steps):
        there = ", ".join(step.name for step in made.steps if step.choice == choice)
        console.print(escape(f"device {choice}: {there}"))
    for name in made.outputs:
        references = ", ".join(map(str, made.outputs[name]))
        console.print(escape(f"output {name}: {references}, {lateness(made, name)}"))
    needed = estimate(made)
    disk = f", and {decimal(needed.spool)} of disk for each hour" if needed.spool else ""
    console.print(f"memory about {decimal(needed.memory)} for sound of any length{disk}")
    _show_models(console, made)


def _show_models(console: Console, made: Plan) -> None:
    from rich.filesize import decimal

    from audiopipe.models import Store

    store = Store()
    names = dict.fromkeys(name for step in made.steps for name in step.stage.models)
    for name in names:
        card = store.card(name)
        commercial = "" if card.licence.commercial else ", not for commercial use"
        told = f"{decimal(card.size)}, {card.licence.name}{commercial}, {store.state(name)}"
        console.print(f"model {escape(name)}: {escape(told)}")
    if not names:
        console.print("models none")
