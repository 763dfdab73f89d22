"""Demucs through audiopipe against torchaudio's own loop and the package demucs: time and memory.

    python -m benchmarks.separation_demucs [--seconds 30] [--rounds 3] [--small]

Networks of full size with seeded random weights (the trained ones are not needed for this), the
same windows and overlap, the same song, on two threads. Each run is a process of its own, in turn;
times are those of the processor, without loading. `--small` takes networks of a few channels, for
long songs: what grows with the song is then what is held of it. Fails where the results differ.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/shared"))

from separators import music, random_weights, write_card

from .pitch_tables import table

LABELS = ("drums", "bass", "other", "vocals")
THREADS = 2
EQUAL = 1e-3
"""Of the largest sample: what is added to a level before dividing by it is not the same."""


def network(kind: str, small: bool) -> tuple[Any, dict[str, Any]]:
    """A network, and what its card says."""
    torch.manual_seed(0)
    if kind == "hdemucs":
        from torchaudio.models import HDemucs

        settings = {"nfft": 4096, "depth": 6} | ({"channels": 4} if small else {})
        return HDemucs(sources=list(LABELS), **settings).eval(), settings | {"segment": 10}
    from demucs.htdemucs import HTDemucs

    built = {"channels": 8, "t_layers": 1, "t_heads": 2} if small else {"bottom_channels": 512}
    net = HTDemucs(sources=list(LABELS), segment=Fraction(39, 5), **built).eval()
    return net, built


def write_model(kind: str, small: bool, folder: Path) -> str:
    """Write a network as a model of ours."""
    net, settings = network(kind, small)
    if kind == "hdemucs":
        random_weights(net, folder)
        return write_card(folder, kind, LABELS, settings)
    from safetensors.torch import save_file

    folder.mkdir(parents=True)
    told = {"klass": "demucs.htdemucs.HTDemucs", "args": "[]"}
    told["kwargs"] = json.dumps(settings | {"sources": list(LABELS)})
    state = {name: weight.contiguous() for name, weight in net.state_dict().items()}
    save_file(state, folder / "weights.safetensors", metadata=told)
    return write_card(folder, kind, LABELS, {"segment": "39/5"})


def tutorial(net: Any, mix: Tensor, segment: float, overlap: float) -> Tensor:
    """torchaudio's tutorial: segments that are faded linearly; here all are equally long."""
    size = int(segment * 44100)
    hop = int((1 - overlap) * size)
    out = torch.zeros(len(LABELS), *mix.shape)
    level = mix.mean(0).std()
    for at in range(0, mix.shape[-1], hop):
        part = torch.nn.functional.pad(
            mix[:, at : at + size], (0, max(0, at + size - mix.shape[1]))
        )
        made = net(part[None] / level)[0] * level
        ramp = torch.ones(size)
        if at and size > hop:
            ramp[: size - hop] = torch.linspace(0, 1, size - hop)
        if at + hop < mix.shape[-1] and size > hop:
            ramp[hop:] = torch.linspace(1, 0, size - hop)
        there = out[..., at : at + size]
        there += (made * ramp)[..., : there.shape[-1]]
    return out


def theirs(kind: str, song: Path, small: bool, overlap: float) -> Callable[[], Tensor]:
    """Their way: the whole song in memory."""
    import soundfile

    mix = torch.from_numpy(soundfile.read(song, dtype="float32")[0].T.copy())
    net, _ = network(kind, small)
    net.requires_grad_(False)
    if kind == "hdemucs":
        return lambda: tutorial(net, mix, 10.0, overlap)
    from demucs.apply import apply_model

    return lambda: apply_model(net, mix[None], shifts=0, split=True, overlap=overlap)[0]


def run(who: str, kind: str, song: Path, model: str, small: bool, overlap: float) -> None:
    """One run; prints its time, its peak memory and where its result lies."""
    import resource

    import soundfile

    torch.set_num_threads(THREADS)
    out = song.with_name(f"{who}-{kind}")
    out.mkdir(exist_ok=True)
    if who == "audiopipe":
        from audiopipe import Pipeline
        from audiopipe.io.read import open_audio
        from audiopipe.io.save import open_sink
        from audiopipe.pipeline import BLOCK
        from audiopipe.stages.separate import Separate

        pipeline = Pipeline([Separate(model=model, overlap=overlap, remainder="none")])
        with open_audio(song) as reader:
            engine = pipeline.engine(reader.format, device="cpu")
            began = time.process_time()
            stream = engine.stream()
            with open_sink(out, engine.plan.output("separate")) as sink:
                for block in reader.blocks(BLOCK):
                    if found := stream.push(block):
                        sink.write(found["separate"])
                for rounds in stream.finish():
                    if rounds:
                        sink.write(rounds["separate"])
        took = time.process_time() - began
    else:
        work = theirs(kind, song, small, overlap)
        began = time.process_time()
        with torch.inference_mode():
            stems = work()
        for name, stem in zip(LABELS, stems, strict=True):
            soundfile.write(out / f"{name}.wav", stem.T.numpy(), 44100, "PCM_24")
        took = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"took": took, "peak": peak}))


def difference(folder: Path, kind: str, overlap: float) -> float:
    """The largest difference of the results, of the largest sample, without the last window, which
    demucs moves back (and, where windows overlap, torchaudio's fade, which is another)."""
    import soundfile

    largest = 0.0
    for name in LABELS:
        ours, _ = soundfile.read(folder / f"audiopipe-{kind}" / f"{name}.wav")
        other, _ = soundfile.read(folder / f"peer-{kind}" / f"{name}.wav")
        stop = len(ours) - 10 * 44100
        apart = abs(ours[:stop] - other[:stop]).max() / abs(other).max()
        largest = max(largest, apart)
    return largest


def child(*arguments: str) -> dict[str, float]:
    """A run in a process of its own."""
    read, write = os.pipe()
    command = [sys.executable, "-m", "benchmarks.separation_demucs", "--run", *arguments]
    actions = [(os.POSIX_SPAWN_DUP2, write, 1), (os.POSIX_SPAWN_CLOSE, read)]
    pid = os.posix_spawn(sys.executable, command, os.environ, file_actions=actions)
    os.close(write)
    with os.fdopen(read) as pipe:
        told = pipe.read()
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
        raise SystemExit("a run failed")
    found: dict[str, float] = json.loads(told.splitlines()[-1])
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--run", nargs=6, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        who, kind, song, model, small, overlap = given.run
        run(who, kind, Path(song), model, small == "True", float(overlap))
        return 0
    rows, failed = [], False
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        song = music(given.seconds).save(folder / "song.wav")
        for kind, overlap in (("hdemucs", 0.0), ("htdemucs", 0.25)):
            model = write_model(kind, given.small, folder / kind)
            found: dict[str, list[dict[str, float]]] = {"audiopipe": [], "peer": []}
            for turn in range(given.rounds):
                for who in sorted(found, reverse=bool(turn % 2)):
                    arguments = (who, kind, str(song), model, str(given.small), str(overlap))
                    found[who].append(child(*arguments))
            apart = difference(folder, kind, overlap)
            failed |= apart > EQUAL
            ratios = [
                p["took"] / o["took"]
                for o, p in zip(found["audiopipe"], found["peer"], strict=True)
            ]
            ours, peer = (
                {key: median(r[key] for r in found[who]) for key in ("took", "peak")}
                for who in ("audiopipe", "peer")
            )
            name = "torchaudio's loop" if kind == "hdemucs" else "demucs"
            rows.append(
                [kind, f"{overlap:g}", name, f"{ours['took']:.1f}", f"{peer['took']:.1f}",
                 f"{median(ratios):.2f} ×", f"{ours['peak']:.0f}", f"{peer['peak']:.0f}",
                 f"{apart:.0e}"]
            )  # fmt: skip
    size = "small" if given.small else "full"
    title = (
        f"{given.seconds:g} s of sound, networks of {size} size, {THREADS} threads, processor time"
    )
    heads = ["model", "overlap", "peer", "ours (s)", "theirs (s)", "theirs / ours"]
    table(title, [*heads, "ours (MiB)", "theirs (MiB)", "difference"], rows)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
