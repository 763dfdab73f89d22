"""`audiopipe clone`: a recording or a text in the voice of a person who has consented."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from audiopipe.cli.options import Device, Json, Settings, read_settings
from audiopipe.errors import visible

if TYPE_CHECKING:
    from audiopipe.pipeline import Pipeline
    from audiopipe.run.single import SingleReport
    from audiopipe.run.speech import SpeechReport
    from audiopipe.signals import Text

SPEECH, VOICE = "speech", "voice"
"""The stages that `--set` may change, beside `level`, `even` and `loud`."""


def clone(
    source: Annotated[
        str | None,
        typer.Argument(
            help="A recording, or a text: a file (.txt, .md, .ssml) or - for standard input."
        ),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option("--reference", "-r", help="A recording of the wanted voice.", metavar="FILE"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="A file: .wav, .flac, .mp3, .ogg or .opus.", metavar="FILE"
        ),
    ] = None,
    consent: Annotated[
        Path | None,
        typer.Option(help="The record of consent; without one it is asked for.", metavar="FILE"),
    ] = None,
    text: Annotated[str | None, typer.Option(help="What is to be said, as it stands here.")] = None,
    model: Annotated[
        str, typer.Option(help="What converts: see `audiopipe models list`.", metavar="MODEL")
    ] = "clone",
    voice: Annotated[
        str | None,
        typer.Option(
            help="Who says a text first; a voice of coqui-tts that clones says it at once.",
            metavar="VOICE",
        ),
    ] = None,
    pitch: Annotated[
        float, typer.Option(min=-12, max=12, help="Semitones above the wanted voice's own pitch.")
    ] = 0.0,
    rate: Annotated[
        float | None, typer.Option(min=0.25, max=4, help="Speed of a text: 2 is twice as fast.")
    ] = None,
    language: Annotated[
        str | None, typer.Option(help="Of a text: en or de.", metavar="LANGUAGE")
    ] = None,
    device: Device = "auto",
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Say it in the voice of somebody who has consented: a recording, or a text.

    Of a recording the words and the melody stay, and its length to the sample. A text is said by a
    voice of ours, and that is converted. What is taken of the reference is its timbre and the range
    of its pitch: 5 s of clear speech of one person will do, 30 s are better.

    Nothing is made without consent. `--consent` names the record of it, which `audiopipe consent
    new` makes; without it the person is asked in the terminal. The record is written beside the
    output, its summary is in the tags, and the sound has the inaudible mark of cloned speech.

    What runs are the stages `voice`, `even` and `loud`, ahead of them `level` for a recording and
    `speech` for a text, and all is brought to -16 LUFS, as podcasts are; `--set` changes
    them.

    **Examples**

    `audiopipe clone talk.wav -r ada.wav --consent ada.consent.json -o talk-as-ada.wav`

    `audiopipe clone --text "Good morning." -r ada.wav --consent ada.consent.json -o morning.mp3`

    `audiopipe clone chapter.md -r ada.wav -o chapter.mp3`
    """
    from audiopipe.io.texts import SUFFIXES

    if (source is None) == (text is None):
        raise typer.BadParameter("give a recording or a text, and one of them")
    if reference is None:
        raise typer.BadParameter(
            "name a recording of the wanted voice: --reference FILE", param_hint="--reference"
        )
    if output is None:
        raise typer.BadParameter("name the file to be written: -o FILE", param_hint="--output")
    asked = {"voice": voice, "rate": rate, "language": language}
    said = {name: value for name, value in asked.items() if value is not None}
    is_text = source in (None, "-") or Path(str(source)).suffix.lower() in SUFFIXES
    if said and not is_text:
        told = "is for a text, and this is a recording; leave it out"
        raise typer.BadParameter(told, param_hint=f"--{next(iter(said))}")
    _check(source, reference, output)
    record = _agreed(consent, reference, output)
    wanted = {"reference": str(reference), "consent": str(record)}
    files = {output.name: output}
    report: SingleReport | SpeechReport
    stages = _stages(wanted, said, model, pitch, is_text=is_text)
    if is_text:
        spoken = _text(source, text)
        pipeline = _pipeline(stages, spoken, output, settings, device)
        report = _say(pipeline, spoken, files, device)
    else:
        heard = Path(str(source))
        pipeline = _pipeline(stages, heard, output, settings, device)
        report = _convert(pipeline, heard, files, device)
    _tell(report, output, as_json)


def _check(source: str | None, reference: Path, output: Path) -> None:
    """Make sure that the output can be written, and overwrites nothing that is read."""
    from audiopipe.errors import CollisionError
    from audiopipe.io.atomic import check_place
    from audiopipe.io.write import check_audio
    from audiopipe.signals import Audio
    from audiopipe.voices.base import RATE

    check_audio(output, Audio.empty(RATE, 1))
    check_place(output)
    for path in (reference, *([Path(source)] if source not in (None, "-") else [])):
        if path.resolve() == output.resolve():
            raise CollisionError(output, "is what is read; choose another name")


def _agreed(consent: Path | None, reference: Path, output: Path) -> Path:
    """The record of consent: the one that is named, or what is answered in the terminal.

    Raises BadParameter where there is nobody to answer, and ConsentError.
    """
    from audiopipe.cli.consent import asked
    from audiopipe.consent import read_consent

    if consent is not None:
        read_consent(consent).check(reference)
        return consent
    if not sys.stdin.isatty():
        raise typer.BadParameter(
            "no voice is cloned without consent: add --consent FILE; `audiopipe consent new "
            f"{reference}` asks for one, and writes it",
            param_hint="--consent",
        )
    return asked(reference).save_beside(output)


def _text(source: str | None, text: str | None) -> Text:
    """What is to be said."""
    from audiopipe.io.texts import read_manuscript, standard_input
    from audiopipe.signals import Text
    from audiopipe.voices.manuscript import Manuscript

    if text is not None:
        return Text((Manuscript(text),))
    if source == "-":
        return Text((standard_input(),))
    return Text((read_manuscript(Path(str(source))),))


def _stages(
    wanted: Mapping[str, str], said: Mapping[str, Any], model: str, pitch: float, *, is_text: bool
) -> dict[str, Any]:
    """What runs, as a definition has it."""
    voice = {"use": "clone", "model": model, "pitch": pitch, **wanted}
    loud = {"use": "limit", "ceiling": "-1 dB"}
    even = {"use": "normalize", "loudness": "-16 LUFS", "over": "leave"}
    if not is_text:
        # The converter has learned from speech of one level.
        level = even | {"loudness": "-23 LUFS"}
        return {"level": level, VOICE: voice, "even": even, "loud": loud}
    speech = {"use": "speak", **said}
    if str(said.get("voice", "")).startswith("coqui/"):
        speech |= {"pitch": pitch, **wanted}
        marked = {"use": "watermark", "kind": "cloned"}
        return {SPEECH: speech, "marked": marked, "even": even, "loud": loud}
    return {SPEECH: speech, VOICE: voice, "even": even, "loud": loud}


def _pipeline(
    stages: dict[str, Any],
    source: Path | Text,
    output: Path,
    settings: list[str] | None,
    device: str,
) -> Pipeline:
    """The pipeline; where the voice that is converted lies, is found first, unless it is said."""
    from audiopipe.run.cloning import pitch_of_recording, pitch_of_text
    from audiopipe.stages.speak import Speak

    made = _open(stages, output, settings)
    if VOICE not in stages or f"{VOICE}.source_pitch" in read_settings(settings):
        return made
    if isinstance(source, Path):
        hz = pitch_of_recording(source, device)
    else:
        speak = made.definition.graph.nodes[0].stage
        assert isinstance(speak, Speak)
        hz = pitch_of_text(source, speak, device)
    return _open(stages | {VOICE: stages[VOICE] | {"source_pitch": hz}}, output, settings)


def _open(stages: dict[str, Any], output: Path, settings: list[str] | None) -> Pipeline:
    from audiopipe.definition import override
    from audiopipe.document import Document
    from audiopipe.errors import Place
    from audiopipe.pipeline import check

    data = {"audiopipe": 1, "stages": stages, "outputs": {output.name: "loud"}}
    document = Document(data, {(): Place("clone", 1, 1)}, "clone")
    return check(override(document, read_settings(settings)))


def _convert(
    pipeline: Pipeline, source: Path, files: Mapping[str, Path], device: str
) -> SingleReport:
    from audiopipe.io.read import open_audio
    from audiopipe.run.single import run_single

    console = Console(stderr=True)
    with open_audio(source) as reader:
        total = reader.duration
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(escape(source.name), total=total)

        def advance(seconds: float) -> None:
            progress.update(task, completed=seconds)

        return run_single(pipeline, source, files, device=device, progress=advance)


def _say(pipeline: Pipeline, text: Text, files: Mapping[str, Path], device: str) -> SpeechReport:
    from audiopipe.cli.speak_view import Sentences
    from audiopipe.run.speech import run_speech

    with ExitStack() as stack:
        view = stack.enter_context(Sentences(Console(stderr=True, highlight=False), text))
        return run_speech(pipeline, text, files, device=device, audience=view)


def _tell(report: SingleReport | SpeechReport, output: Path, as_json: bool) -> None:
    from audiopipe.consent import SUFFIX

    beside = output.with_suffix(SUFFIX)
    console = Console(stderr=True, highlight=False)
    for warning in report.warnings:
        console.print(f"[yellow]warning[/yellow] {escape(visible(warning))}", soft_wrap=True)
    if as_json:
        told = {"outputs": [str(output)], "consent": str(beside), **asdict(report)}
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    typer.echo(f"{report.seconds:.1f} s in {report.took:.1f} s")
    typer.echo(f"  {visible(str(output))}")
    typer.echo(f"  {visible(str(beside))}")
