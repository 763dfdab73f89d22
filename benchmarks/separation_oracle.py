"""Native Spleeter against Deezer's own, with the same random weights: how far apart stems are.

    audiopipe engines install spleeter
    python -m benchmarks.separation_oracle [--models 2stems 4stems 5stems] [--seconds 3 12 60]
        [--exact] [--work FOLDER]

Prints a row for each model and sound: the largest difference of a sample of any stem, and the peak
of the stems. With `--exact`, ours is computed in double precision as well, and it is told how far
each is from that.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from audiopipe import Audio, Pipeline
from audiopipe.engines.environments import Environments
from audiopipe.models import Store, embedded
from audiopipe.nets.spleeter import FRAMES
from audiopipe.separators.base import Choice
from audiopipe.separators.segments import WINDOW, Segments
from audiopipe.separators.spleeter import DATA, INDEX, Masking, parts, spleeter_net, stretches

DEEZER = Path(__file__).with_name("deezer.py")
BOUND = 1e-4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--models", nargs="+", default=["2stems", "4stems", "5stems"])
    parser.add_argument("--seconds", nargs="+", type=float, default=[3, 12, 60])
    parser.add_argument("--exact", action="store_true")
    parser.add_argument("--work", type=Path)
    arguments = parser.parse_args()
    with TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        print("| model | sound | largest difference | peak of the stems |")
        print("| --- | --- | --- | --- |")
        worst = 0.0
        for name in arguments.models:
            folder = model(name, work / name)
            kinds = [(seconds, channels) for seconds in arguments.seconds for channels in (1, 2)]
            sounds = [made_sound(*kind) for kind in kinds]
            for kind, sound, theirs in zip(
                kinds, sounds, deezers(folder, sounds, work), strict=True
            ):
                ours = stems(str(folder), sound)
                apart = float(np.abs(ours - theirs).max())
                said = f"{kind[0]:g} s {'stereo' if kind[1] == 2 else 'mono'}"
                print(f"| {name} | {said} | {apart:.1e} | {np.abs(theirs).max():.2f} |", flush=True)
                if arguments.exact:
                    true = exact(str(folder), sound)
                    far = [float(np.abs(found - true).max()) for found in (ours, theirs)]
                    print(f"| | from the exact stems | ours {far[0]:.1e} | theirs {far[1]:.1e} |")
                worst = max(worst, apart)
        print(f"\nlargest difference of all: {worst:.1e}, bound: {BOUND:g}")
        raise SystemExit(worst > BOUND)


def run(*arguments: object) -> dict[str, Any]:
    """Run Deezer's program in its environment; raises CalledProcessError."""
    python = Environments().python("spleeter")
    command = [str(python), str(DEEZER), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr[-4000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def model(name: str, folder: Path, filters: Sequence[int] = ()) -> Path:
    """A model of random weights that both can use: its configuration and checkpoint, and the card
    of ours that goes with them."""
    if not (folder / INDEX).exists():
        run("model", name, folder, ",".join(map(str, filters)))
    card = (embedded() / f"spleeter-{name}" / "card.toml").read_text()
    before, after = card.split("[[archives]]")[0], card.split("[licence]")[1]
    text = "\n".join(line for line in before.splitlines() if not line.startswith("shares"))
    text += f"\nfilters = {list(filters)}\n" if filters else "\n"
    for file in (INDEX, DATA):
        content = (folder / file).read_bytes()
        text += f'[[files]]\nname = "{file}"\nconvert = true\nsize = {len(content)}\n'
        text += f'sha256 = "{sha256(content).hexdigest()}"\n'
    (folder / "card.toml").write_text(f"{text}[licence]{after}")
    return folder


def deezers(folder: Path, sounds: Sequence[np.ndarray], work: Path) -> list[np.ndarray]:
    """Stems [stems, samples, 2] of sounds [samples, channels] by Deezer's program."""
    pairs = [(work / f"in{k}.npy", work / f"out{k}.npy") for k in range(len(sounds))]
    for (source, _), sound in zip(pairs, sounds, strict=True):
        np.save(source, sound)
    run("separate", folder, *(path for pair in pairs for path in pair))
    return [np.load(target) for _, target in pairs]


def stems(folder: str, sound: np.ndarray, overlap: float = 0.0) -> np.ndarray:
    """The same by ours."""
    pipeline = Pipeline([*parts(Choice(folder, overlap=overlap))])
    found = pipeline.run(Audio(torch.from_numpy(sound.T.copy()), 44100))["spleeter"]
    return np.stack([stem.samples.numpy().T for stem in found.parts.values()])


def exact(folder: str, sound: np.ndarray) -> np.ndarray:
    """The same in double precision, of a sound of one segment."""
    samples = torch.from_numpy(sound.T.copy()).double().expand(2, -1)
    behind = Segments(FRAMES, 0).samples - WINDOW - len(sound)
    window = functional.pad(samples, (WINDOW, behind))
    hann = torch.hann_window(WINDOW, dtype=torch.float64)
    net, open_ = spleeter_net(folder).double(), torch.ones(FRAMES, dtype=torch.float64)
    settings = Store().card(folder).settings
    model = Masking(net, settings["bins"], settings["high_band"], hann, open_)
    found = stretches(model, window[None])[0, ..., WINDOW : WINDOW + len(sound)] / 1.5
    return found.mT.numpy()


def made_sound(seconds: float, channels: int, seed: int = 0) -> np.ndarray:
    """Gliding partials over noise that comes and goes: [samples, channels]."""
    rng = np.random.default_rng(seed)
    count = round(seconds * 44100)
    time = np.arange(count) / 44100
    found = 0.1 * rng.standard_normal((count, channels))
    found *= (0.5 + 0.5 * np.sin(2 * np.pi * 0.7 * time))[:, None]
    for hertz in (110, 220.5, 440, 1234, 5000):
        partial = np.sin(2 * np.pi * hertz * time * (1 + 0.01 * np.sin(time)))
        found += 0.1 * partial[:, None] * rng.uniform(0.3, 1, channels)
    return found.astype(np.float32)


if __name__ == "__main__":
    main()
