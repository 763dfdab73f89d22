"""A converter on people that no training has heard, beside a shift of pitch and formants.

    python -m training.clone.evaluate TARGETS --sources ../shared/speech/kathleen --run RUN \\
        --vocoder RUN_OF_THE_VOCODER

TARGETS has a folder of recordings for each person. The last `OTHERS` of each are compared with what
is converted, by Resemblyzer (its package is installed to measure, nothing else); the reference is
made of those before. Sources are held-out sentences, whose words pocketsphinx hears, and recordings
of the other people. Writes `RUN/evaluation.json`, and the sounds to `RUN/said/`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import types
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor
from torchaudio.functional import resample

from ..speak.corpus import Recording, Source, read_corpus
from ..speak.evaluate import chosen, errors, recogniser, words
from ..vocoder.evaluate import load_vocoder
from .peers import analysed, shifted
from .prepare import read
from .run import converted, likeness_of, load_converter

RATE = 24_000
OTHERS = 4
SECONDS = (5.0, 30.0, 120.0)
"""Of reference; where there is less, all that there is."""
JUDGED = 30.0
"""Seconds of reference, with which all is measured."""


def judge() -> Callable[[Tensor], np.ndarray]:
    """What tells people apart: samples [time] to a vector of length 1."""
    # Its trimming of silence needs a package that is old; it is not used here.
    sys.modules.setdefault("webrtcvad", types.ModuleType("webrtcvad"))
    from resemblyzer import VoiceEncoder, normalize_volume

    encoder = VoiceEncoder("cpu", verbose=False)

    def embed(audio: Tensor) -> np.ndarray:
        sound = resample(audio, RATE, 16_000).numpy()
        return encoder.embed_utterance(normalize_volume(sound, -30, increase_only=True))

    return embed


def reference(recordings: list[Tensor], seconds: float) -> Tensor:
    """The first `seconds` of recordings that follow each other."""
    return torch.cat(recordings)[: int(seconds * RATE)]


class Evaluation:
    """Counts of all conversions."""

    def __init__(self) -> None:
        self.likeness: dict[str, list[float]] = defaultdict(list)
        self.wrong: dict[str, int] = defaultdict(int)
        self.words = 0

    def like(self, who: str, one: np.ndarray, others: list[np.ndarray]) -> float:
        """Note the mean cosine of `one` with `others`."""
        value = float(np.mean([one @ other for other in others]))
        self.likeness[who].append(value)
        return value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("targets", type=Path, help="a folder of recordings for each person")
    parser.add_argument(
        "--sources", required=True, help="recordings, as `speak.prepare` takes them"
    )
    parser.add_argument("--run", type=Path, required=True, help="folder of `train`")
    parser.add_argument("--vocoder", type=Path, required=True, help="run folder of its training")
    parser.add_argument("--sentences", type=int, default=3, help="for each person")
    parser.add_argument("--quick", action="store_true", help="one reference, no words, no peers")
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    converter, about = load_converter(arguments.run / "weights.safetensors")
    vocoder = load_vocoder(arguments.vocoder / "weights.safetensors")
    embed = judge()
    hear = None if arguments.quick else recogniser("en")
    people = {
        folder.name: [
            read(path)[0] for path in sorted([*folder.glob("*.flac"), *folder.glob("*.wav")])
        ]
        for folder in sorted(arguments.targets.iterdir())
        if folder.is_dir()
    }
    names = list(people)
    corpus = read_corpus(Source.of(arguments.sources), held_out=True)
    told = chosen(corpus, arguments.sentences * len(names))
    said: dict[str, list[tuple[Recording | None, Tensor]]] = {}
    for k, name in enumerate(names):
        mine = told[k :: len(names)]
        neighbours = [names[(k + step) % len(names)] for step in (1, 3)]
        said[name] = [(one, one.samples()) for one in mine]
        said[name] += [(None, people[other][-1]) for other in neighbours]

    found, spent, audible = Evaluation(), 0.0, 0.0
    for name, recordings in people.items():
        others = [embed(audio) for audio in recordings[-OTHERS:]]
        for k, own in enumerate(others):
            found.like("the person", own, others[:k] + others[k + 1 :])
        for seconds in (JUDGED,) if arguments.quick else SECONDS:
            heard = reference(recordings[:-OTHERS], seconds)
            likeness = likeness_of(converter, heard)
            world = None if arguments.quick or seconds != JUDGED else analysed(heard)
            for number, (text, audio) in enumerate(said[name]):
                begun = time.process_time()
                mel, hz = converted(converter, audio, likeness)
                spent += time.process_time() - begun
                audible += len(audio) / RATE
                made = vocoder.speak(mel, hz)
                voice = embed(made)
                found.like(f"converted, up to {seconds:.0f} s of reference", voice, others)
                if seconds != JUDGED:
                    continue
                kind = "people" if text is None else "kathleen"
                found.like(f"converted from {kind}", voice, others)
                found.like(f"converted to {name}", voice, others)
                found.like("source", embed(audio), others)
                place = arguments.run / "said" / f"{name}-{number}.wav"
                place.parent.mkdir(exist_ok=True)
                soundfile.write(place, made.numpy(), RATE)
                sounds = {"source": audio, "converted": made}
                if world is not None:
                    sounds["shifted"] = shifted(analysed(audio), world)
                    found.like("shifted", embed(sounds["shifted"]), others)
                if text is not None and hear is not None:
                    true = words(text.text)
                    found.words += len(true)
                    for who, sound in sounds.items():
                        found.wrong[who] += errors(true, hear(sound))
        print(name, round(float(np.mean(found.likeness[f"converted to {name}"])), 3), flush=True)
    report = {
        "steps": about["steps"],
        "people": len(people),
        "likeness": {who: round(float(np.mean(all_)), 4) for who, all_ in found.likeness.items()},
        "words": found.words,
        "word_error_rate": {who: round(n / found.words, 4) for who, n in found.wrong.items()},
        "real_time_factor": round(spent / audible, 4),
    }
    print(json.dumps(report, indent=2))
    if not arguments.quick:
        (arguments.run / "evaluation.json").write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
