"""A script of 40 pages: what it costs, whether all of it is said, and that it goes on when killed.

    python benchmarks/long_script.py [--pages 40] [--folder FOLDER]

Two speakers talk in sentences of which no two are the same, with numbers, dates and money in them.
`audiopipe speak` says one page, and all; printed are the peak resident set of each, and seconds of
the CPU, which a busy machine does not make more. Then a tenth is killed with -9 when half of it is
said, and said again. It fails where a letter is missing in the subtitles, memory grows by more than
the limit, or the resumed recording is not the uninterrupted one.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAGE, CHAPTER = 300, 1500
"""Words."""
LIMIT = 250.0
"""MiB by which 40 pages may need more than one: the text is in memory, and up to 1,024 kernels that
torch keeps for sentences of different lengths; their sound is not."""
HEAD = """---
title: Forty pages
voices:
  HOST: {voice: kathleen, pan: -0.2}
  GUEST: {voice: kathleen, pitch: -3, rate: 0.95, pan: 0.2}
---
"""
WHO = "the old captain|my neighbour|Dr. Lee|nobody|a young painter|Mrs. Grant|the whole village"
DID = "remembered|painted|sold|forgot|wrote about|paid for|measured|talked about|counted|dreamt of"
WHAT = "the river|a wooden house|three letters|the 2nd bridge|some apples|the clock tower|a storm"
HOW = "slowly|in the rain|for $5.20|on Nov. 3rd|at 10:30 a.m.|with great care|without a word"
THEN = "and it was late|but it didn't last|because the wind turned|while 12% of them slept"


@dataclass(frozen=True)
class Said:
    """A run of `audiopipe speak`: what it reported, its peak in MiB and its seconds of the CPU."""

    told: dict[str, Any]
    peak: float
    cpu: float


def sentences(words: int) -> Iterator[str]:
    """Sentences with so many words together, or a few more; each has a number of its own."""
    drawn = random.Random(0)
    number = count = 0
    while count < words:
        number += 1
        parts = [drawn.choice(each.split("|")) for each in (WHO, DID, WHAT, HOW, THEN)]
        text = f"In {1500 + number}, " + "{} {} {} {}, {}.".format(*parts)
        yield text
        count += len(text.split())


def script(words: int) -> tuple[str, int]:
    """A script with turns of two to five sentences, and how many sentences it has."""
    drawn = random.Random(1)
    lines, spoken, chapter, wanted = [HEAD], 0, 0, 0
    all_of_them = list(sentences(words))
    for sentence in all_of_them:
        if spoken >= chapter * CHAPTER:
            chapter += 1
            lines.append(f"\n# Chapter {chapter}\n")
            wanted = 0
        if not wanted:
            lines.append(f"\n{drawn.choice(('HOST', 'GUEST'))}:")
            wanted = drawn.randint(2, 5)
        lines.append(" " + sentence)
        wanted -= 1
        spoken += len(sentence.split())
    return "".join(lines) + "\n", len(all_of_them)


def command(text: Path, output: Path) -> list[str]:
    """How it is said."""
    options = ["--subtitles", "srt", "--json"]
    return [sys.executable, "-m", "audiopipe", "speak", str(text), "-o", str(output), *options]


def speak(text: Path, output: Path) -> Said:
    """Say a script in a process of its own."""
    with subprocess.Popen(command(text, output), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        told = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"speak ended with {process.returncode}")
    return Said(json.loads(told), usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime)


def kill_in_the_middle(text: Path, output: Path, half: int) -> None:
    """Begin to say a script, and kill the run when so many sentences are kept."""
    index = output.parent / ".audiopipe" / f"{output.name}.speech" / "index"
    with subprocess.Popen(command(text, output), stdout=subprocess.DEVNULL) as process:
        while not (index.exists() and index.read_bytes().count(b"\n") >= half):
            if process.poll() is not None:
                raise SystemExit("it ended before it could be killed")
            time.sleep(0.1)
        process.send_signal(signal.SIGKILL)


def missing(text: Path, subtitles: Path) -> int:
    """How many letters and digits that are to be said have no place in the subtitles."""
    lines = text.read_text().removeprefix(HEAD).splitlines()
    cues = subtitles.read_text().split("\n\n")
    said = [line for line in lines if not line.startswith("#")]
    shown = [line for cue in cues for line in cue.splitlines()[2:]]
    wanted, found = (
        "".join(
            filter(str.isalnum, "".join(re.sub(r"^(?:HOST|GUEST):", "", line) for line in part))
        )
        for part in (said, shown)
    )
    return 0 if wanted == found else max(1, abs(len(wanted) - len(found)))


def main() -> int:
    """Say it; 1 where something does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=40)
    parser.add_argument("--folder", type=Path, help="where it is written; else a temporary one")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        right = [whole(Path(name), arguments.pages), resumed(Path(name), arguments.pages)]
    return int(not all(right))


def whole(folder: Path, pages: int) -> bool:
    """Say one page, and all; whether nothing is missing, and memory is bounded."""
    right, peaks = True, []
    print("| pages | sentences | speech (s) | CPU (s) | x real time | peak RSS (MiB) | missing |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for count in (1, pages):
        text, output = folder / f"{count}.md", folder / f"{count}.mp3"
        written, wanted = script(count * PAGE)
        text.write_text(written)
        said = speak(text, output)
        lost = missing(text, output.with_suffix(".srt"))
        seconds, number = said.told["seconds"], said.told["sentences"]
        row = f"{seconds:.0f} | {said.cpu:.0f} | {seconds / said.cpu:.1f} | {said.peak:.0f}"
        print(f"| {count} | {number} of {wanted} | {row} | {lost} |", flush=True)
        right = right and not lost and number == wanted
        peaks.append(said.peak)
    print(f"\n{peaks[1] - peaks[0]:+.0f} MiB apart (limit {LIMIT:.0f})", flush=True)
    return right and peaks[1] - peaks[0] < LIMIT


def resumed(folder: Path, pages: int) -> bool:
    """Kill the run of a tenth, and run it again; whether the result is that without the kill."""
    text, once, twice = (folder / name for name in ("tenth.md", "once.mp3", "twice.mp3"))
    written, wanted = script(pages * PAGE // 10)
    text.write_text(written)
    speak(text, once)
    kill_in_the_middle(text, twice, wanted // 2)
    told = speak(text, twice).told
    same = once.read_bytes() == twice.read_bytes()
    kept = f"{told['remembered']} of {told['sentences']} sentences were there already"
    print(f"killed with -9 in the middle, and run again: {kept}; the file is the same: {same}")
    return same and told["remembered"] >= wanted // 2


if __name__ == "__main__":
    sys.exit(main())
