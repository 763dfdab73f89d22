"""How late words are told from the microphone, and what `audiopipe listen` costs meanwhile.

    python benchmarks/keyword_live.py ../shared/audio/keywords

Clips `WORD-N.wav` are played into a microphone without hardware (see `tests/shared/pulse.py`), with
pauses between them. Latency counts from when the last of a word's sound reached the microphone,
as is found by correlation, to when its event was out. The share of a core is that of the whole
process, which draws its view in a terminal of 80 x 24.
"""

from __future__ import annotations

import importlib.util
import json
import multiprocessing
import os
import pty
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import soundfile

ROOT = Path(__file__).parents[1]
RATE = 16000
PAUSE = 0.7
"""Seconds of silence after a clip."""
DEPTH = 30.0
"""Decibels below a word's loudest 10 ms at which it has ended."""


def main() -> None:
    folder, *models = sys.argv[1:]
    clips = sorted(Path(folder).glob("*.wav"))
    spec = importlib.util.spec_from_file_location("pulse", ROOT / "tests/shared/pulse.py")
    assert spec is not None
    assert spec.loader is not None
    pulse = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pulse)
    with pulse.null_sink() as sink, tempfile.TemporaryDirectory() as place:
        os.environ.update(sink.environment)
        played, said = _placed(clips)
        path = Path(place) / "said.wav"
        soundfile.write(path, played, RATE)
        for model in models or ["keywords-18"]:
            _latency(model, sink, path, played, said)
            print(f"{model}: {_share(model, sink, path):.1%} of a core")


def _placed(clips: list[Path]) -> tuple[Any, list[tuple[str, float]]]:
    """All clips in a row, and the end of each word in s."""
    parts, said, position = [np.zeros(RATE)], [], RATE
    for clip in clips:
        samples, rate = soundfile.read(clip)
        assert rate == RATE
        frames = samples[: len(samples) // 160 * 160].reshape(-1, 160)
        level = 10 * np.log10(np.square(frames).mean(1) + 1e-12)
        end = int(np.flatnonzero(level > level.max() - DEPTH)[-1] + 1) * 160
        said.append((clip.stem.partition("-")[0], (position + end) / RATE))
        parts += [samples, np.zeros(round(PAUSE * RATE))]
        position += len(samples) + round(PAUSE * RATE)
    return np.concatenate(parts).astype(np.float32), said


def _latency(model: str, sink: Any, path: Path, played: Any, said: list[tuple[str, float]]) -> None:
    """Play all words, and print how late they are told."""
    # PortAudio looks for devices when it is imported: in a process with the sink's environment.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    listener = context.Process(target=_listen, args=(model, len(played) / RATE + 3, theirs))
    listener.start()
    theirs.close()  # so that a listener that breaks is not waited for
    ours.recv()
    sink.play(path).wait()
    events, heard, rate, drops, latency = ours.recv()
    listener.join()
    begin = _delay(heard, rate, played)
    late, right = [], 0
    for word, end in said:
        near = [(at, label) for at, stop, label in events if abs(stop - begin - end) < 0.5]
        if any(label == word for _, label in near):
            right += 1
            late.append(next(at for at, label in near if label == word) - begin - end)
    p50, p95, p99 = np.percentile(late, [50, 95, 99]) * 1000
    print(
        f"{model}: {right} of {len(said)} words, {len(events)} events; from a word's end to its "
        f"event p50 / p95 / p99 {p50:.0f} / {p95:.0f} / {p99:.0f} ms (the report says {latency}); "
        f"{drops} drops"
    )


def _listen(model: str, seconds: float, answer: Any) -> None:
    """What `listen` runs, for so long; events are told by when they were out."""
    import torch

    from audiopipe.cli.listen import BLOCK, STAGE
    from audiopipe.io.devices import Microphone
    from audiopipe.pipeline import load
    from audiopipe.run.live import run_live

    torch.set_num_threads(1)
    blocks: list[Any] = []
    events: list[tuple[float, float, str]] = []

    class Listener:
        def begin(self, plan: Any) -> None:
            answer.send("listening")

        def hear(self, heard: Any, out: Any, waiting: float) -> None:
            now = time.monotonic()
            blocks.append(heard.block.numpy()[0])
            for found in out.get("{name}.words.csv") or ():
                at = now - heard.sounded(0.0)
                events.append((at, found.stop / RATE, found.label))

    source = Microphone(block=BLOCK)
    pipeline = load("keywords", {f"{STAGE}.model": json.dumps(model)})
    report = run_live(pipeline, source, listener=Listener(), seconds=seconds)
    latency = str(report.latency.get(STAGE))
    answer.send((events, np.concatenate(blocks), source.format.rate, report.queue.drops, latency))


def _delay(heard: Any, rate: int, played: Any) -> float:
    """When what was played begins in what was heard, in s."""
    count = int(len(heard) / rate * RATE)
    ours = np.interp(np.arange(count) / RATE, np.arange(len(heard)) / rate, heard)
    size = 1 << (count + len(played)).bit_length()
    spectrum = np.fft.rfft(ours, size) * np.conj(np.fft.rfft(played, size))
    return float(np.fft.irfft(spectrum)[:count].argmax() / RATE)


def _share(model: str, sink: Any, path: Path, seconds: float = 20) -> float:
    """The share of a core of the command while it draws and words are said."""
    command = [sys.executable, "-m", "audiopipe", "listen", "--model", model]
    terminal, other = pty.openpty()
    os.environ.update({"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"})
    listener = subprocess.Popen(command, stdin=other, stdout=other, stderr=other)
    os.close(other)
    drawn = threading.Event()
    threading.Thread(target=_drain, args=(terminal, drawn), daemon=True).start()
    drawn.wait(120)
    player = sink.play(path)
    time.sleep(3)
    process = psutil.Process(listener.pid)
    first, began = sum(process.cpu_times()[:2]), time.monotonic()
    time.sleep(seconds)
    share = (sum(process.cpu_times()[:2]) - first) / (time.monotonic() - began)
    player.kill()
    listener.send_signal(signal.SIGINT)
    listener.wait(30)
    return float(share)


def _drain(terminal: int, drawn: threading.Event) -> None:
    try:
        while data := os.read(terminal, 1 << 16):
            if b"\x1b[?1049h" in data:
                drawn.set()
    except OSError:  # the other side is gone
        return


if __name__ == "__main__":
    main()
