"""A microphone without hardware: a private PulseAudio with a null sink.

What is played into the sink comes out of its monitor, which is the default microphone of
every process that runs in `environment`. PortAudio reaches PulseAudio through ALSA's pulse
plugin. PortAudio looks for devices once, when sounddevice is imported: use the environment
for a new process.

Debian: pulseaudio pulseaudio-utils libasound2-plugins libasound2-data libportaudio2
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_ALSA = Path("/usr/share/alsa/alsa.conf")
_DEFAULT = "pcm.!default { type pulse }\nctl.!default { type pulse }\n"


@dataclass
class NullSink:
    """The environment in which the sink is speaker and microphone, and its rate in Hz."""

    environment: dict[str, str]
    rate: int

    def play(self, path: Path) -> subprocess.Popen[bytes]:
        """Play a WAV file into the sink; returns at once."""
        return subprocess.Popen(["paplay", str(path)], env=self.environment)

    def hear(self, path: Path, live: list[str], folder: Path) -> list[Any]:
        """Play a WAV file while `audiopipe live` listens: what it tells, a line each.

        `live` are its arguments, `folder` is where it runs. A second passes before it is stopped.
        """
        told = folder / "told"
        with told.open("wb") as file:
            listener = subprocess.Popen(
                [sys.executable, "-m", "audiopipe", "live", *live, "--json"],
                cwd=folder, env=self.environment, stdout=file,
            )  # fmt: skip
        try:
            until = time.monotonic() + 120
            while not told.read_text():
                assert listener.poll() is None, "it ended before it heard anything"
                assert time.monotonic() < until, "nothing is heard"
                time.sleep(0.1)
            assert self.play(path).wait(60) == 0
            time.sleep(1.0)
            listener.send_signal(signal.SIGINT)
            assert listener.wait(60) == 0
        finally:
            listener.kill()
        return [json.loads(line) for line in told.read_text().splitlines()]


@contextmanager
def null_sink(rate: int = 44100) -> Iterator[NullSink]:
    """Run a PulseAudio server; skips the test where the programs are not installed."""
    missing = [p for p in ("pulseaudio", "pactl", "paplay") if not shutil.which(p)]
    if missing or not _ALSA.exists():
        pytest.skip(f"needs {', '.join(missing) or _ALSA} (see tests/shared/pulse.py)")
    # Not pytest's folder: the path of a socket may have 107 characters at most.
    folder = Path(tempfile.mkdtemp(prefix="pulse-", dir="/tmp"))
    (folder / "asound.conf").write_text(_DEFAULT)
    environment = os.environ | {
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(folder),
        "PULSE_RUNTIME_PATH": str(folder / "run"),
        "PULSE_SOURCE": "pipe.monitor",
        "PULSE_SINK": "pipe",
        "ALSA_CONFIG_PATH": f"{_ALSA}:{folder / 'asound.conf'}",
    }
    for inherited in ("PULSE_SERVER", "DISPLAY", "WAYLAND_DISPLAY"):
        environment.pop(inherited, None)
    modules = ["module-native-protocol-unix", f"module-null-sink sink_name=pipe rate={rate}"]
    load = [word for module in modules for word in ("-L", module)]
    options = ["-n", "--daemonize=no", "--exit-idle-time=-1", "--disable-shm=yes"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            ["pulseaudio", *options, *load], env=environment, stdout=log, stderr=log
        )
    try:
        _wait_for(server, environment, folder / "log")
        yield NullSink(environment, rate)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(server: subprocess.Popen[bytes], environment: dict[str, str], log: Path) -> None:
    until = time.monotonic() + 10
    command = ["pactl", "list", "short", "sources"]
    while time.monotonic() < until:
        answer = subprocess.run(command, env=environment, capture_output=True)
        if b"pipe.monitor" in answer.stdout:
            return
        if server.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError(f"PulseAudio did not start:\n{log.read_text()}")
