"""Pitch trackers, each called as its authors advise.

At its own rate and its own threshold, for pitches of 40 Hz to 2 kHz if it can be told. Each is
imported when it is made, as they live in other environments: of `audiopipe`, only `ours` needs it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import soxr

Array = np.ndarray[Any, np.dtype[Any]]

LOW, HIGH = 40.0, 2000.0
HOP = 0.01
"""In s, for all that can be told."""


class Found(NamedTuple):
    """A pitch track; `hz` is 0 where there is not even a guess."""

    seconds: Array
    hz: Array
    voiced: Array
    confidence: Array | None = None


Track = Callable[[Array, int], Found]
Live = Callable[[int], Callable[[Array], object]]


class Tracker(NamedTuple):
    """How to track a recording, and how to feed a stream if there are streams."""

    track: Track
    live: Live | None = None


def _at(sound: Array, rate: int, wanted: int) -> Array:
    made: Array = sound if rate == wanted else soxr.resample(sound, rate, wanted, "HQ")
    return made


def swift_f0(low: float, high: float) -> Tracker:
    """Voiced from a confidence of 0.5. Recordings below -35 dBFS are scaled up, as it wants."""
    import swift_f0 as it

    detector, live = it.SwiftF0(threads=1), it.SwiftF0(threads=1, spin=False)

    def track(sound: Array, rate: int) -> Found:
        peak = np.abs(sound).max(initial=1e-9)
        if peak < 10 ** (-35 / 20):
            sound = sound / peak * 0.5
        made = detector.detect(_at(sound, rate, 16000), 16000, fmin=low, fmax=high)
        return Found(made.timestamps, made.pitch_hz, made.confidence >= 0.5, made.confidence)

    def feed(rate: int) -> Callable[[Array], object]:
        stream = live.stream(fmin=low, fmax=high)
        return lambda block: stream.push(block, rate)

    return Tracker(track, feed)


def pesto(low: float, high: float) -> Tracker:
    """The newer of its two models, any rate; it has no range to set.

    Its confidence grows with the level, and its authors name no threshold: with the peak brought
    to full scale, this one is the best on other recordings (see the README).
    """
    import torch
    from pesto import load_model

    voiced_from = 0.15

    model = load_model("mir-1k_g7", step_size=1000 * HOP)

    def track(sound: Array, rate: int) -> Found:
        loud = sound / np.abs(sound).max(initial=1e-9)
        with torch.inference_mode():
            hz, confidence, *_ = model(
                torch.from_numpy(loud), sr=rate, convert_to_freq=True, return_activations=False
            )
        # Its own times are off where 10 ms are no whole number of samples.
        seconds = np.arange(len(hz)) * int(HOP * rate + 0.5) / rate
        sure = confidence.numpy()
        return Found(seconds, hz.numpy(), sure >= voiced_from, sure)

    return Tracker(track)


def fcpe(low: float, high: float) -> Tracker:
    """16 kHz, `local_argmax` and 0.006 as advised; guesses are what it says at threshold 0."""
    import torch
    import torchfcpe

    model = torchfcpe.spawn_bundled_infer_model(device="cpu")

    def track(sound: Array, rate: int) -> Found:
        wave = torch.from_numpy(_at(sound, rate, 16000))[None, :, None]
        rows = [
            model.infer(wave, sr=16000, decoder_mode="local_argmax", threshold=t)[0, :, 0].numpy()
            for t in (0.006, *([0.0] if GUESSES else []))
        ]
        return Found(np.arange(len(rows[0])) * 0.01, rows[-1], rows[0] > 0)

    return Tracker(track)


GUESSES = True
"""Whether to ask for guesses where that costs a second run; not where time is measured."""


def crepe(model: str, early: float) -> Callable[[float, float], Tracker]:
    """torchcrepe: the original CREPE's decoding, a median of three and 0.21, as in its manual.

    Its Viterbi decoder, the default, stays at the upper end of a range as wide as this one. Its
    frames are of sound that is `early` seconds later than they say.
    """

    def made(low: float, high: float) -> Tracker:
        import torch
        import torchcrepe

        decoder = torchcrepe.decode.weighted_argmax

        def track(sound: Array, rate: int) -> Found:
            wave = torch.from_numpy(_at(sound, rate, 16000))[None]
            hz, sure = torchcrepe.predict(
                wave, 16000, 160, low, high, model, decoder, batch_size=512, return_periodicity=True
            )
            sure, hz = torchcrepe.filter.median(sure, 3)[0].numpy(), hz[0].numpy()
            return Found(np.arange(len(hz)) * 0.01 + early, hz, sure >= 0.21, sure)

        return Tracker(track)

    return made


def praat(method: str) -> Callable[[float, float], Tracker]:
    """Autocorrelation, with Praat's standards but for the range.

    Its manual advises the filtered kind for intonation, which is newer than the Praat that is
    inside parselmouth: it is autocorrelation with other standards, of the sound behind the
    Gaussian filter that the manual describes. (Cross-correlation is for voice analysis.)
    """

    def made(low: float, high: float) -> Tracker:
        import parselmouth

        def track(sound: Array, rate: int) -> Found:
            sound = sound.astype(np.float64)
            if method == "filtered":
                spectrum = np.fft.rfft(np.pad(sound, (0, rate)))
                hertz = np.fft.rfftfreq(len(sound) + rate, 1 / rate)
                filtered = np.fft.irfft(spectrum * 0.03 ** ((hertz / high) ** 2), len(sound) + rate)
                it = parselmouth.Sound(filtered[: len(sound)], rate)
                pitch = it.to_pitch_ac(
                    HOP, low, 15, False, 0.09, 0.50, 0.055, 0.35, 0.14, pitch_ceiling=high
                )
            else:
                it = parselmouth.Sound(sound, rate)
                pitch = it.to_pitch_ac(HOP, low, pitch_ceiling=high)
            hz = pitch.selected_array["frequency"]
            return Found(pitch.xs(), hz, hz > 0)

        return Tracker(track)

    return made


def harvest(low: float, high: float) -> Tracker:
    """WORLD's newer tracker."""
    import pyworld

    def track(sound: Array, rate: int) -> Found:
        hz, seconds = pyworld.harvest(
            sound.astype(np.float64), rate, f0_floor=low, f0_ceil=high, frame_period=1000 * HOP
        )
        return Found(seconds, hz, hz > 0)

    return Tracker(track)


def librosa_yin(low: float, high: float) -> Tracker:
    """At librosa's usual rate. It takes every frame for voiced."""
    import librosa

    def track(sound: Array, rate: int) -> Found:
        wave = _at(sound, rate, 22050)
        hz = librosa.yin(wave, fmin=low, fmax=high, sr=22050, frame_length=2048, hop_length=220)
        return Found(np.arange(len(hz)) * 220 / 22050, hz, np.ones(len(hz), bool))

    return Tracker(track)


def librosa_pyin(low: float, high: float) -> Tracker:
    """At librosa's usual rate."""
    import librosa

    def track(sound: Array, rate: int) -> Found:
        wave = _at(sound, rate, 22050)
        hz, voiced, sure = librosa.pyin(
            wave, fmin=low, fmax=high, sr=22050, frame_length=2048, hop_length=220, fill_na=None
        )
        return Found(np.arange(len(hz)) * 220 / 22050, hz, voiced, sure)

    return Tracker(track)


def ours(config: dict[str, Any]) -> Tracker:
    """The stage `pitch` through the engine: in the blocks of `audiopipe run`, or live ones."""
    import torch

    from audiopipe.engine import Engine
    from audiopipe.pipeline import BLOCK
    from audiopipe.plan import INPUT, Graph, Node, plan
    from audiopipe.registry import find_stage
    from audiopipe.signals import Audio, PitchTrack

    stage = find_stage("pitch").model_validate(config)
    graph = Graph((Node("pitch", stage, (INPUT,)),))
    engines: dict[int, Engine] = {}

    def engine(rate: int) -> Engine:
        if rate not in engines:
            engines[rate] = Engine(plan(graph, Audio.empty(rate, 1), device="cpu"))
        return engines[rate]

    def track(sound: Array, rate: int) -> Found:
        audio = Audio(torch.from_numpy(sound), rate)
        with torch.inference_mode():
            stream, given = engine(rate).stream(), []
            for at in range(0, len(sound), BLOCK):
                given += stream.push(audio.cut(at, min(at + BLOCK, len(sound)))).values()
            given += [block for rest in stream.finish() for block in rest.values()]
        made = PitchTrack.join(given)
        rows = made.hz.numpy(), made.voiced.numpy(), made.confidence.numpy()
        return Found(made.seconds, *rows)

    def feed(rate: int) -> Callable[[Array], object]:
        stream, at = engine(rate).stream(), 0

        def push(block: Array) -> object:
            nonlocal at
            audio = Audio(torch.from_numpy(block), rate, at)
            at += len(block)
            with torch.inference_mode():
                return stream.push(audio)

        return push

    return Tracker(track, feed)


PEERS: dict[str, Callable[[float, float], Tracker]] = {
    "swift-f0": swift_f0,
    "pesto": pesto,
    "fcpe": fcpe,
    "crepe-tiny": crepe("tiny", 0.0026),
    "crepe-full": crepe("full", 0.0004),
    "praat-ac": praat("ac"),
    "praat-filtered": praat("filtered"),
    "harvest": harvest,
    "librosa-yin": librosa_yin,
    "librosa-pyin": librosa_pyin,
}


def tracker(name: str) -> Tracker:
    """A peer, `NAME` or `NAME@LOW-HIGH` with another range in Hz; or `ours:OPTION=VALUE,...`.

    Values are JSON, or else text: `ours:method=yin,range=[65,1000]`.
    """
    low, high = LOW, HIGH
    if name.startswith("ours"):
        config: dict[str, Any] = {"range": [low, high]}
        for part in re.findall(r"(\w+)=(\[[^]]*\]|[^,]*)", name.partition(":")[2]):
            try:
                config[part[0]] = json.loads(part[1])
            except json.JSONDecodeError:
                config[part[0]] = part[1]
        return ours(config)
    name, _, told = name.partition("@")
    if told:
        low, high = (float(end) for end in told.split("-"))
    return PEERS[name](low, high)
