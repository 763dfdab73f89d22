"""The documentation is true: its code runs, its commands are there, its made parts are fresh.

What a block is, its first line says: ```` ```yaml song.yaml ```` is also written as that file, and
later blocks of the page can use it. `console` blocks are run, and what stands below a command must
be what it prints (`...` stands for any lines). `sh` blocks are not run, only parsed.
"""

import importlib
import importlib.util
import re
import shlex
import sys
import tomllib
from dataclasses import dataclass
from glob import glob
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import audiopipe
from audiopipe import registry
from audiopipe.cli import app
from audiopipe.document import parse_document
from audiopipe.errors import AudiopipeError, DefinitionError

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ALL_MARKDOWN = [*PAGES, ROOT / "CHANGELOG.md", ROOT / "samples" / "README.md"]


@dataclass(frozen=True)
class Block:
    language: str
    name: str
    text: str
    line: int


def blocks(page):
    text = page.read_text(encoding="utf-8")
    for found in re.finditer(r"^```(\w+)[ ]*(\S*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        line = text.count("\n", 0, found.start()) + 1
        yield Block(found[1], found[2], found[3], line)


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """An empty folder with our samples, from which modules and plug-ins are found."""
    for name in ("samples", "pipelines"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
    _forget_stages()


def _forget_stages():
    registry.stage_names.cache_clear()
    registry.find_stage.cache_clear()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_code_of_a_page_runs(page, desk, capsys):
    names = {"__name__": page.stem}
    for block in blocks(page):
        if block.name:
            (desk / block.name).write_text(block.text, encoding="utf-8")
        where = f"{page.name}:{block.line}"
        if block.language == "python":
            _python(block, names, where, capsys)
        elif block.language == "yaml":
            _yaml(block)
        elif block.language == "toml" and block.name == "pyproject.toml":
            _install(block, desk)
        elif block.language == "console":
            _console(block, where)
        elif block.language == "sh":
            _parse_only(block, where)
        else:
            assert block.language in ("text", "mermaid", "toml", "json", "csv"), where


def _python(block, names, where, capsys):
    capsys.readouterr()
    if block.name:
        importlib.invalidate_caches()
        module = importlib.import_module(Path(block.name).stem)
        for name, value in vars(module).items():
            if name.startswith("test_"):
                _run_test(value)
    else:
        exec(compile(block.text, where, "exec", dont_inherit=True), names)
    printed = capsys.readouterr().out
    for shown in re.findall(r"^ *print\(.*\)  # (.+)$", block.text, re.MULTILINE):
        wanted = ".*".join(map(re.escape, shown.split("…")))
        assert re.search(wanted, printed), f"{where}: {printed}"


def _run_test(test):
    """Run a test of the page; one case of each check is enough here."""
    (mark,) = test.pytestmark
    for check, case in {str(check): (check, case) for check, case in mark.args[1]}.values():
        test(check, case)


def _yaml(block):
    data = parse_document(block.text).data
    if isinstance(data, list):  # stages by themselves
        for stage in data:
            use = stage.pop("use")
            registry.find_stage(use).model_validate(stage)
    elif block.name.startswith("wrong"):
        with pytest.raises(DefinitionError):
            audiopipe.parse(block.text)
    else:
        audiopipe.parse(block.text)


def _install(block, desk):
    """What pip would leave behind: the entry points."""
    project = tomllib.loads(block.text)["project"]
    info = desk / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    told = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(told)
    groups = project["entry-points"]
    lines = [f"[{g}]\n" + "".join(f"{k} = {v}\n" for k, v in groups[g].items()) for g in groups]
    (info / "entry_points.txt").write_text("\n".join(lines))
    importlib.invalidate_caches()
    _forget_stages()


def _console(block, where):
    commands = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block.text, re.MULTILINE)
    assert commands, where
    for command, shown in commands:
        program, *words = shlex.split(command)
        assert program == "audiopipe", where
        arguments = [each for word in words for each in sorted(glob(word)) or [word]]  # noqa: PTH207
        output = _invoke(arguments, where)
        lines = ["(?:.*\n)*?" if line == "..." else re.escape(line) + "\n" for line in _tidy(shown)]
        wanted = "".join(lines)
        assert not shown or re.fullmatch(wanted, "".join(f"{x}\n" for x in _tidy(output))), (
            f"{where}: $ {command}\n{output}"
        )


def _invoke(arguments, where):
    result = CliRunner().invoke(app, arguments)
    if isinstance(result.exception, AudiopipeError):
        return f"error: {result.exception}"
    assert result.exception is None or isinstance(result.exception, SystemExit), where
    return result.output


def _tidy(text):
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def _parse_only(block, where):
    for command in re.split(r"[|\n]", block.text):
        words = shlex.split(command, comments=True)
        if words[:1] == ["make"]:
            targets = re.findall(r"^([\w.-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
            assert set(words[1:]) <= set(targets), where
        if words[:1] == ["audiopipe"]:
            command, arguments = typer.main.get_command(app), words[1:]
            while hasattr(command, "commands") and arguments:
                command, arguments = command.commands[arguments[0]], arguments[1:]
            if "--help" not in arguments and ">" not in arguments:
                command.make_context("audiopipe", arguments)  # raises where an option is not there


def test_made_parts_are_fresh():
    path = ROOT / "docs" / "generate.py"
    spec = importlib.util.spec_from_file_location("generate", path)
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    for page, text in generate.generated().items():
        assert page.read_text(encoding="utf-8") == text, (
            f"{page.name} is stale; run: python docs/generate.py"
        )


@pytest.mark.parametrize("page", ALL_MARKDOWN, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        linked = page.parent / path if path else page
        assert linked.exists(), target
        if anchor:
            assert anchor in _anchors(linked), target


def _anchors(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_samples_are_what_their_script_makes(tmp_path):
    spec = importlib.util.spec_from_file_location("make", ROOT / "samples" / "make.py")
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    make.main(tmp_path)
    made = sorted(path.name for path in tmp_path.iterdir())
    listed = (ROOT / "samples" / "README.md").read_text(encoding="utf-8")
    for name in made:
        assert f"`{name}`" in listed
        assert (ROOT / "samples" / name).stat().st_size < 320_000
        if name.endswith(".flac"):
            ours, fresh = (audiopipe_read(folder / name) for folder in (ROOT / "samples", tmp_path))
            assert ours.signature == fresh.signature
            # Another libm may round the last bit otherwise.
            assert float((ours.samples - fresh.samples).abs().max()) <= 2**-10
    there = {path.name for path in (ROOT / "samples").iterdir() if path.suffix in (".flac", ".csv")}
    assert there == {*made, "words.flac"}  # which a synthesiser said


def test_the_words_of_the_sample_are_heard():
    words = audiopipe.load("keywords").run(ROOT / "samples" / "words.flac")["words"]
    said = ["yes", "no", "stop", "go", "seven", "left", "three", "down"]
    assert [event.label for event in words] == said
    assert all(0.2 < (event.stop - event.start) / words.rate < 0.7 for event in words)


def audiopipe_read(path):
    from audiopipe.io.read import open_audio
    from audiopipe.signals import Audio

    with open_audio(path) as reader:
        return Audio.join(list(reader.blocks(1 << 16)))


def test_pitch_of_the_samples_is_the_true_one():
    import csv

    import numpy as np

    for name in ("melody", "vowels"):
        with (ROOT / "samples" / f"{name}.f0.csv").open() as file:
            truth = [float(row["hz"] or "nan") for row in csv.DictReader(file)]
        track = audiopipe.chain("pitch").run(ROOT / "samples" / f"{name}.flac")["pitch"]
        assert len(track) == len(truth)
        cents = 1200 * np.log2(track.hz.numpy() / np.array(truth))
        both = track.voiced.numpy() & np.isfinite(truth)
        assert both.sum() >= 0.98 * np.isfinite(truth).sum()
        assert np.median(np.abs(cents[both])) < 2
        assert np.mean(np.abs(cents[both]) > 50) < 0.01
