"""A pitch tracker as a process: it answers requests, one JSON object a line.

    PYTHON benchmarks/pitch_serve.py NAME        (see `tracker` in pitch_peers.py)

It runs in whatever environment the tracker lives in. `{"path": WAV, "out": NPZ}` tracks a file
into `seconds`, `hz` (a guess also where unvoiced, if there is one; else 0), `voiced`, and
`confidence` if there is one. `{"path": WAV}` tracks it and keeps nothing; with `"live": true` it
goes through a stream in blocks of 10 ms, at the pace of a sound card. The answer has the seconds
of the clock and of the processor, without reading and writing.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from typing import Any

import numpy as np
import pitch_peers
import soundfile

BLOCK = 0.01
"""In s, of live sound."""
WARM = 1.0
"""Seconds of live sound before the time is taken."""


def main() -> None:
    # What trackers print must not come between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warnings.filterwarnings("ignore")
    try:
        it = pitch_peers.tracker(sys.argv[1])
        ready: dict[str, Any] = {"ready": True}
    except Exception as error:
        ready = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(ready), file=answers, flush=True)
    if "error" in ready:
        return
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer: dict[str, Any] = (live if request.get("live") else track)(it, request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


def track(it: pitch_peers.Tracker, request: dict[str, Any]) -> dict[str, float]:
    """Track a whole file."""
    sound, rate = soundfile.read(request["path"], dtype="float32")
    pitch_peers.GUESSES = "out" in request
    wall, cpu = time.perf_counter(), time.process_time()
    found = it.track(sound, rate)
    spent = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    if "out" in request:
        rows = {name: row for name, row in found._asdict().items() if row is not None}
        np.savez(request["out"], **rows)
    return spent


def live(it: pitch_peers.Tracker, request: dict[str, Any]) -> dict[str, float]:
    """Feed a stream at the pace of the sound; the processor's time is that after a while."""
    if it.live is None:
        raise NotImplementedError("there are no streams")
    sound, rate = soundfile.read(request["path"], dtype="float32")
    push, step = it.live(rate), round(BLOCK * rate)
    began, cpu, warm = time.perf_counter(), time.process_time(), 0
    for at in range(0, len(sound), step):
        time.sleep(max(0.0, began + at / rate - time.perf_counter()))
        if not warm and at >= WARM * rate:
            cpu, warm = time.process_time(), at
        push(sound[at : at + step])
    return {"seconds": (len(sound) - warm) / rate, "cpu": time.process_time() - cpu}


if __name__ == "__main__":
    main()
