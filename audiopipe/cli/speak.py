"""`audiopipe speak`: a text as sound, in a file or at once."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.markup import escape

from audiopipe.cli.options import Device, Json, Settings, read_settings

if TYPE_CHECKING:
    from audiopipe.cli.speak_view import Sentences
    from audiopipe.pipeline import Pipeline
    from audiopipe.run.speech import SpeechReport
    from audiopipe.signals import Signal, Text

Subtitles = Literal["srt", "vtt"]
PREVIEW = 10.0
"""Seconds after which a preview begins no further sentence."""


def speak(
    text: Annotated[
        str | None,
        typer.Argument(help="A text, a file (.txt, .md, .ssml), or - for standard input."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="A file: .wav, .flac, .mp3, .ogg or .opus. Without one it is played.",
            metavar="FILE",
        ),
    ] = None,
    voice: Annotated[
        str | None, typer.Option(help="Who speaks: see --list-voices.", metavar="VOICE")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(min=0.25, max=4, help="Speed: 2 is twice as fast.")
    ] = None,
    pitch: Annotated[
        float | None, typer.Option(min=-12, max=12, help="Semitones above the voice's own pitch.")
    ] = None,
    energy: Annotated[
        float | None, typer.Option(min=-12, max=12, help="Effort in dB: how loud the voice speaks.")
    ] = None,
    pause: Annotated[
        float | None, typer.Option(min=0, max=5, help="How long pauses are, against the usual.")
    ] = None,
    language: Annotated[
        str | None, typer.Option(help="en or de; otherwise the voice's.", metavar="LANGUAGE")
    ] = None,
    lexicon: Annotated[
        Path | None,
        typer.Option(help="A YAML file of words and how they are said.", metavar="FILE"),
    ] = None,
    voices: Annotated[
        str | None,
        typer.Option(help="Who speaks for whom in a script.", metavar="NAME=VOICE,..."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="For voices that draw random numbers.")
    ] = None,
    subtitles: Annotated[
        Subtitles | None, typer.Option(help="Also write subtitles, beside the output.")
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Say the first sentences only, some 10 s.")
    ] = False,
    list_voices: Annotated[
        bool, typer.Option("--list-voices", help="List the voices, and say nothing.")
    ] = False,
    device: Device = "auto",
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Say a text: into a file, or out of the speakers as it is made.

    Numbers, dates, abbreviations and the like are read as people do; Markdown's headings pause,
    and SSML may say how each word is spoken. Files are brought to -16 LUFS, as podcasts are, and
    say that they are synthetic. A sentence that a voice leaves out is an error that names it. A
    run that was killed goes on where it was: finished sentences are not made again.

    A script, whose lines begin with the names of speakers, has a voice for each in its front
    matter or in `--voices`, and may have chapters, jingles and music.

    What runs is the ready pipeline `narrate`, or `podcast` for a script; `--set` changes their
    stages.

    **Examples**

    `audiopipe speak "Good morning."`

    `audiopipe speak chapter.md -o chapter.mp3 --subtitles srt --rate 1.1`

    `audiopipe speak episode.md -o episode.mp3 --voices "HOST=kathleen,GUEST=keith"`

    `echo "It is 10:30 a.m." | audiopipe speak - -o time.wav`
    """
    from audiopipe.io.texts import manuscript_of
    from audiopipe.signals import Text

    if list_voices:
        _list(as_json)
        return
    if text is None:
        raise typer.BadParameter("give a text, a file, or - for standard input")
    if subtitles is not None and output is None:
        raise typer.BadParameter("subtitles need a file: add -o", param_hint="--subtitles")
    source = Text((manuscript_of(text),))
    options = {
        "voice": voice,
        "rate": rate,
        "pitch": pitch,
        "energy": energy,
        "pause": pause,
        "language": language,
        "lexicon": None if lexicon is None else str(lexicon),
        "seed": seed,
        "voices": None if voices is None else _voices(voices),
    }
    chosen = {name: value for name, value in options.items() if value is not None}
    files = _files(output, subtitles, source)
    pipeline = _open(_ready(source, chosen), chosen, files, settings)
    _say(pipeline, source, files, device, PREVIEW if preview else None, as_json)


def _voices(text: str) -> dict[str, str]:
    """The voices of names; raises BadParameter for what is none."""
    found = {}
    for pair in filter(None, map(str.strip, text.split(","))):
        name, sign, voice = (part.strip() for part in pair.partition("="))
        if not (name and sign and voice):
            raise typer.BadParameter(f"{pair!r} is not NAME=VOICE", param_hint="--voices")
        found[name] = voice
    return found


def _ready(source: Text, options: Mapping[str, Any]) -> str:
    """The ready pipeline for a text: scripts have speakers and music."""
    from audiopipe.voices.manuscript import Manuscript, is_script

    (segment,) = source.segments
    assert isinstance(segment, Manuscript)
    return "podcast" if is_script(segment, options.get("voices", {})) else "narrate"


def _files(output: Path | None, subtitles: str | None, source: Text) -> dict[str, Path]:
    """Where what is written, by the name of the output; the sound comes first."""
    from audiopipe.errors import CollisionError
    from audiopipe.io.write import check_audio
    from audiopipe.signals import Audio
    from audiopipe.voices.base import RATE

    if output is None:
        return {}
    check_audio(output, Audio.empty(RATE, 1))
    files = {f"speech{output.suffix.lower()}": output}
    if subtitles is not None:
        files[f"subtitles.{subtitles}"] = output.with_suffix(f".{subtitles}")
    for segment in source.segments:
        if Path(getattr(segment, "file", "")).absolute() in [p.absolute() for p in files.values()]:
            raise CollisionError(output, "is the text itself; choose another name")
    return files


def _open(
    ready: str, options: Mapping[str, Any], files: Mapping[str, Path], settings: list[str] | None
) -> Pipeline:
    """A ready pipeline with the outputs that are wanted, and no stage beyond them."""
    from audiopipe.definition import override
    from audiopipe.document import Document, read_document
    from audiopipe.pipeline import check
    from audiopipe.ready import find_definition

    document = read_document(find_definition(ready))
    data = copy.deepcopy(document.data)
    stages = data["stages"]
    stages["speech"] |= options
    spoken = "loud"
    if not files:  # how loud it all is, is known at its end: too late for who listens
        spoken = stages["even"]["from"]
        del stages["even"], stages["loud"]
    if not any(name.startswith("subtitles") for name in files):
        del stages["subtitles"]
    del data["tests"]
    data["outputs"] = {
        name: "subtitles" if name.startswith("subtitles") else spoken
        for name in files or ["speech.wav"]
    }
    chosen = Document(data, document.places, document.file)
    return check(override(chosen, read_settings(settings)))


def _say(
    pipeline: Pipeline,
    source: Text,
    files: Mapping[str, Path],
    device: str,
    seconds: float | None,
    as_json: bool,
) -> None:
    from audiopipe.cli.speak_view import Sentences
    from audiopipe.run.speech import run_speech

    console = Console(stderr=True, highlight=False)
    with ExitStack() as stack:
        take = None if files else _speakers(pipeline, source, stack)
        view: Sentences = stack.enter_context(Sentences(console, source))
        report = run_speech(
            pipeline, source, files, device=device, take=take, audience=view, seconds=seconds
        )
    for warning in report.warnings:
        console.print(f"[yellow]warning[/yellow] {escape(warning)}", soft_wrap=True)
    if as_json:
        told = {"outputs": [str(path) for path in files.values()], **asdict(report)}
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        _tell(report, files)


def _tell(report: SpeechReport, files: Mapping[str, Path]) -> None:
    plural = "" if report.sentences == 1 else "s"
    told = f"{report.sentences} sentence{plural}, {report.seconds:.1f} s in {report.took:.1f} s"
    if report.remembered:
        told += f"; {report.remembered} of them were there already"
    typer.echo(f"{told}; first sound after {report.first:.2f} s")
    for path in files.values():
        typer.echo(f"  {path}")


def _speakers(
    pipeline: Pipeline, source: Text, stack: ExitStack
) -> Callable[[Mapping[str, Signal]], None]:
    """Speakers that play what comes, and fall silent where something fails."""
    from audiopipe.run.playback import Playback
    from audiopipe.signals import Audio

    (name,) = pipeline.plan(source).outputs
    form = pipeline.plan(source).output(name)
    assert isinstance(form, Audio)
    speakers = Playback(form)

    def leave(kind: object, *_: object) -> None:
        speakers.close() if kind is None else speakers.abort()

    stack.push(leave)

    def take(out: Mapping[str, Signal]) -> None:
        block = out.get(name)
        if isinstance(block, Audio) and len(block):
            speakers.write(block)

    return take


def _list(as_json: bool) -> None:
    from rich.filesize import decimal
    from rich.table import Table

    from audiopipe.models import Store
    from audiopipe.voices.base import voice_names

    store = Store()
    rows = [
        {
            "voice": name,
            "language": card.settings.get("language", ""),
            "about": card.about,
            "bytes": card.size,
            "licence": card.licence.name,
            "state": store.state(name),
        }
        for name in voice_names()
        for card in [store.card(name)]
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    table = Table("voice", "language", "about", "size", "licence", "state", box=None)
    for row in rows:
        cells = {**row, "bytes": decimal(int(str(row["bytes"])))}
        table.add_row(*map(str, cells.values()))
    Console(markup=False).print(table)
