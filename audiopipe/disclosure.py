"""What files say of sound that is not a recording: one line, in the comment of the file.

It names the IPTC's digital source type, as XMP and C2PA do, so that programs know it too. Tags are
a courtesy: whoever wants to removes them. For what stays, there is the watermark.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import soundfile

SOURCE_TYPE = "trainedAlgorithmicMedia"
"""What a trained model has made, in the IPTC's vocabulary of digital source types."""


def disclosure(voice: str, consent: str = "") -> str:
    """The comment of a file of synthetic speech; with a `consent` the voice is a cloned one.

    `consent` is its summary, as `Consent.summary` gives it.

    >>> disclosure("kathleen")
    'Synthetic speech: audiopipe, voice kathleen. Digital source type: trainedAlgorithmicMedia.'
    """
    cloned = " in a cloned voice" if consent else ""
    more = f" {consent}." if consent else ""
    made = f"audiopipe, voice {voice}"
    return f"Synthetic speech{cloned}: {made}.{more} Digital source type: {SOURCE_TYPE}."


def read_disclosure(path: str | Path) -> str:
    """What a file says of being synthetic; nothing where it does not, or cannot be read.

    libsndfile reads comments of WAV, FLAC, Ogg and MP3; ffprobe, where it is installed, those of
    other files and what other programs have made of them.
    """
    for comment in (_comment(path), *_tags(path)):
        if SOURCE_TYPE in comment:
            return comment
    return ""


def _comment(path: str | Path) -> str:
    try:
        with soundfile.SoundFile(path) as file:
            return str(file.comment)
    except (soundfile.LibsndfileError, OSError):
        return ""


def _tags(path: str | Path) -> Iterator[str]:
    """All texts that ffprobe finds in a file; it is asked when the first is wanted."""
    program = shutil.which("ffprobe")
    if program is None:
        return
    wanted = ["-v", "error", "-show_entries", "format_tags:stream_tags", "-of", "json"]
    answer = subprocess.run(
        [program, *wanted, f"file:{path}"], capture_output=True, stdin=subprocess.DEVNULL
    )
    found = json.loads(answer.stdout or b"{}")
    for holder in (found.get("format", {}), *found.get("streams", ())):
        yield from holder.get("tags", {}).values()
