"""`audiopipe doctor`: is everything there, and what to install if not?"""

from __future__ import annotations

import typer
from rich.console import Console
from rich.markup import escape

from audiopipe.errors import MissingDependencyError


def doctor() -> None:
    """Look at this machine: packages, ffmpeg, sound devices, GPU, model folder, stages.

    The exit code is 0 if all that is needed is there; what is optional is only told.
    """
    from audiopipe.doctor import examine

    console = Console(highlight=False)
    findings = examine()
    colours = {"ok": "green", "optional": "yellow", "missing": "red"}
    for finding in findings:
        colour = colours[finding.state]
        mark = f"[{colour}]{finding.state:<9}[/{colour}]"
        console.print(f"{mark}{escape(finding.what)}: {escape(finding.told)}", soft_wrap=True)
    if any(finding.state == "missing" for finding in findings):
        raise typer.Exit(MissingDependencyError.exit_code)
