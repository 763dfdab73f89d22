"""`audiopipe check`: is a definition right, and do its own tests pass?"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from audiopipe.cli.options import Device, Settings, open_pipeline

TEST_FAILED = 10


def check(
    definitions: Annotated[
        list[str], typer.Argument(help="YAML files, or names of ready pipelines.")
    ],
    device: Device = "auto",
    settings: Settings = None,
) -> None:
    """Check definitions, and run the tests that they carry.

    All that is wrong is told at once, each with file, line, column and cure.

    **Example**

    `audiopipe check pipelines/*.yaml`
    """
    from audiopipe.errors import DefinitionError
    from audiopipe.run.check import run_tests

    console = Console(highlight=False)
    code = 0
    for definition in definitions:
        try:
            pipeline = open_pipeline(definition, settings)
        except DefinitionError as error:
            console.print(escape(str(error)), style="red", soft_wrap=True)
            code = error.exit_code
            continue
        outcomes = run_tests(pipeline, device)
        for outcome in outcomes:
            mark = "[green]passed[/green]" if outcome.passed else "[red]FAILED[/red]"
            text = f"{outcome.place}: {outcome.reference} {outcome.expected}: {outcome.found}"
            console.print(f"{mark} {escape(text)}", soft_wrap=True)
        failed = sum(not outcome.passed for outcome in outcomes)
        code = code or (TEST_FAILED if failed else 0)
        passed = f"{len(outcomes) - failed} of {len(outcomes)} tests passed"
        verdict = f"right, {passed if outcomes else 'no tests'}" if not failed else passed
        console.print(f"{escape(definition)}: {verdict}", soft_wrap=True)
    if code:
        raise typer.Exit(code)
