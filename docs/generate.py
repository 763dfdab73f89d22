"""Write the parts of the documentation that are made from the code: `python docs/generate.py`.

- `docs/cli.md`: the command line, from the commands themselves.
- `docs/yaml.md`, `README.md`: the stages, between the lines `<!-- generated: … -->`.
- with `--pictures`, `docs/images`: what the tool draws of `samples`.
- with `--check`, nothing is written, and the exit code is 1 if something is stale.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from typer.models import ArgumentInfo

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"

WIDTH = 1000
"""Pixels of a picture in the documentation."""

CLI_HEAD = """\
# The command line

<!-- Made by docs/generate.py from the commands themselves. -->

`audiopipe VERB --help` shows the same. `audiopipe --install-completion` completes verbs and
options in the shell.

Results go to stdout, all else (progress, warnings, errors) to stderr. An error is one message
without a traceback: what was wrong, where, and what to do.
"""
CODES_HEAD = """\
## Exit codes

| code | meaning |
| --- | --- |
"""


def generated() -> dict[Path, str]:
    """Every file that is made, or has made parts, with what should be in it."""
    yaml, readme = DOCS / "yaml.md", ROOT / "README.md"
    return {
        DOCS / "cli.md": cli(),
        yaml: filled(yaml.read_text(encoding="utf-8"), "stages", stages()),
        readme: filled(readme.read_text(encoding="utf-8"), "stage table", stage_table()),
    }


def filled(text: str, name: str, content: str) -> str:
    """The text with `content` between the two lines that mark its place."""
    first, last = f"<!-- generated: {name} -->", f"<!-- end: {name} -->"
    if text.count(first) != 1 or text.count(last) != 1:
        raise SystemExit(f"the lines {first!r} and {last!r} must stand once each")
    before, _, rest = text.partition(first)
    after = rest.partition(last)[2]
    return f"{before}{first}\n\n{content}\n\n{last}{after}"


def stages() -> str:
    """The manuals of all stages."""
    from audiopipe.manual import stage_manual
    from audiopipe.registry import find_stage

    manuals = (stage_manual(find_stage(name)) for name in ours())
    return "\n\n".join(re.sub("^##", "###", manual) for manual in manuals)


def stage_table() -> str:
    """A row for each stage."""
    from audiopipe.manual import stage_row
    from audiopipe.registry import find_stage

    rows = ["| stage | takes | fidelity | what it does |", "| --- | --- | --- | --- |"]
    for name in ours():
        stage, takes, fidelity, about = stage_row(find_stage(name))
        link = f"[`{stage}`](docs/yaml.md#{stage})"
        rows.append(f"| {link} | {takes} | {fidelity} | {about} |")
    return "\n".join(rows)


def ours() -> list[str]:
    """The stages that come with audiopipe, leaving out plug-ins that happen to be installed."""
    folder = ROOT / "audiopipe" / "stages"
    return sorted(file.stem for file in folder.glob("*.py") if not file.stem.startswith("_"))


def cli() -> str:
    """The reference of the command line."""
    from audiopipe.cli import EXIT_CODES, app

    parts = [CLI_HEAD, "Options of all verbs, before the verb:", _table(app.registered_callback)]
    for command in app.registered_commands:
        parts.append(_verb("audiopipe", command))
    for group in app.registered_groups:
        below = group.typer_instance
        path = f"audiopipe {group.name}"
        parts += [f"## {path}", str(below.info.help), _code(str(below.info.epilog))]
        parts += ["#" + _verb(path, command) for command in below.registered_commands]
    codes = re.findall(r"(\d+) ([^·]+?)\s*(?:·|\.$)", " ".join(EXIT_CODES.split()))
    parts.append(CODES_HEAD + "\n".join(f"| {code} | {meaning} |" for code, meaning in codes))
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def _verb(path: str, command: Any) -> str:
    function = command.callback
    path = f"{path} {command.name or function.__name__}"
    help = (" ".join(part.split()) for part in inspect.getdoc(function).split("\n\n"))
    parts = [f"## {path}", *help, _usage(path, function), _table(command)]
    if isinstance(command.epilog, str):
        parts.append(_code(command.epilog))
    return "\n\n".join(part for part in parts if part)


def _usage(path: str, function: Any) -> str:
    words = [path]
    for name, info, kind, required, _ in _parameters(function):
        if isinstance(info, ArgumentInfo):
            word = _metavar(name, info, kind)
            words.append(word if required else f"[{word}]")
        elif "[OPTIONS]" not in words:
            words.append("[OPTIONS]")
    words.sort(key=lambda word: (word != path, word != "[OPTIONS]"))
    return f"```text\n{' '.join(words)}\n```"


def _table(command: Any) -> str:
    """Arguments and options, a row each."""
    rows = []
    for name, info, kind, required, default in _parameters(command.callback):
        if isinstance(info, ArgumentInfo):
            shown = f"`{_metavar(name, info, kind)}`"
        else:
            long = f"--{name.replace('_', '-')}"
            both = f"{long}, --no{long[1:]}" if kind is bool and default is True else long
            declared = (info.default, *(info.param_decls or ()))
            options = [each for each in declared if isinstance(each, str) and each[:1] == "-"]
            options = options or both.split(", ")
            default = options[0] if default is True else default
            shown = ", ".join(f"`{option}`" for option in options)
            shown += "" if kind is bool else f" {_value(info, kind)}"
        told = "required" if required else f"`{default}`" if default not in (None, False) else ""
        rows.append(f"| {shown} | {' '.join(info.help.split())} | {told} |")
    return "\n".join(["| | | default |", "| --- | --- | --- |", *rows]) if rows else ""


def _parameters(function: Any) -> Iterator[tuple[str, Any, Any, bool, Any]]:
    """Name, what Typer is told, type, whether it is required, and the default."""
    hints = get_type_hints(function, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        kind, info = get_args(hints[name])[:2]
        required = parameter.default is inspect.Parameter.empty
        several = [a for a in get_args(kind) if a is not type(None)]
        if type(None) in get_args(kind):
            kind = several[0]
        yield name, info, kind, required, None if required else parameter.default


def _metavar(name: str, info: Any, kind: Any) -> str:
    word = info.metavar or name.upper()
    return f"{word}..." if get_origin(kind) is list and not word.endswith("...") else word


def _value(info: Any, kind: Any) -> str:
    """What an option takes."""
    if info.metavar:
        return str(info.metavar)
    if get_origin(kind) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(kind))
    return {int: "N", float: "X"}.get(kind, "TEXT")


def _code(text: str) -> str:
    """`Examples: audiopipe …, audiopipe …` with the commands as code."""
    return re.sub(r"audiopipe [^,]+", lambda match: f"`{match[0].strip()}`", " ".join(text.split()))


def pictures() -> None:
    """Draw the pictures of the documentation with the tool itself."""
    from PIL import Image

    import audiopipe
    from audiopipe import diagram

    images = DOCS / "images"
    images.mkdir(exist_ok=True)
    melody = ROOT / "samples" / "melody.flac"
    for name in ("spectrogram", "pitch"):
        result = audiopipe.load(ROOT / "pipelines" / f"{name}.yaml").run(melody, device="cpu")
        path = images / f"{name}.png"
        list(result.values())[-1].plot(path)
        picture = Image.open(path).convert("RGB")
        smaller = picture.resize((WIDTH, picture.height * WIDTH // picture.width))
        smaller.quantize(128).save(path, optimize=True)
    demo = audiopipe.load(ROOT / "pipelines" / "demo.yaml")
    audio = audiopipe.Audio.empty(44100, 1)
    (images / "demo.svg").write_text(diagram.svg(demo.plan(audio)), encoding="utf-8")


def main(arguments: list[str]) -> int:
    stale = [path for path, text in generated().items() if _old(path) != text]
    for path in stale:
        done = "stale" if "--check" in arguments else "written"
        print(f"{done}: {path.relative_to(ROOT)}")  # noqa: T201
        if "--check" not in arguments:
            path.write_text(generated()[path], encoding="utf-8")
    if "--pictures" in arguments:
        pictures()
    return 1 if stale and "--check" in arguments else 0


def _old(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
