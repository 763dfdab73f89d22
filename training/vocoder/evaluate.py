"""Copy-synthesis of held-out sentences: analyse, make again, compare.

    python -m training.vocoder.evaluate --data DATA --run RUN

Writes `RUN/evaluation.json` and, for the first sentence of each set, `RUN/SET.png` and the two
waves. Griffin-Lim with 32 iterations is measured in the same run, to have a floor. PESQ is measured
if the package `pesq` is installed.
"""

import argparse
import json
import math
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import librosa
import numpy as np
import soundfile
import torch
from matplotlib.figure import Figure
from safetensors import safe_open
from torch import Tensor
from torch.nn import functional
from torchaudio.functional import resample

from audiopipe.nets.frames import LogMel, MelConfig
from audiopipe.nets.vocoder import Vocoder, VocoderConfig

from .data import Speech
from .losses import Spectra, distance
from .prepare import pitch

try:
    from pesq import PesqError, pesq
except ImportError:
    pesq = None

Figures = dict[str, float]
PITCH_RANGE = (65.0, 500.0)


def load_vocoder(path: Path) -> Vocoder:
    """Read weights written by `train.py`; the network's settings stand in their metadata."""
    with safe_open(path, framework="pt") as file:
        about = json.loads(file.metadata()["vocoder"])
        state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    settings = about["network"] | {"ahead": tuple(about["network"]["ahead"])}
    vocoder = Vocoder(VocoderConfig(**settings), MelConfig(**about["mel"]))
    vocoder.load_state_dict(state)
    return vocoder.eval()


def copied(wave: Tensor, vocoder: Vocoder, listen: LogMel) -> Tensor:
    """What the vocoder makes of the frames and the pitch of a wave [time], of its length."""
    whole = functional.pad(wave, (0, -len(wave) % vocoder.mel.hop))
    hz = pitch((whole * 32768).round().clamp(-32768, 32767).to(torch.int16), vocoder.mel.rate)
    return vocoder.speak(listen(wave[None])[0], hz)[: len(wave)]


def griffin_lim(mel: Tensor, listen: LogMel, rounds: int = 32) -> Tensor:
    """The classical way back: [bins, frames] -> [frames * hop]."""
    config = listen.config
    inverse = np.linalg.pinv(listen.filters.numpy())
    magnitude = np.maximum(inverse @ mel.exp().numpy(), 0.0)
    length = mel.shape[1] * config.hop
    audio = librosa.griffinlim(
        magnitude, n_iter=rounds, hop_length=config.hop, center=False, random_state=0,
        length=length + 2 * config.margin,
    )  # fmt: skip
    return torch.from_numpy(audio[config.margin : config.margin + length]).float()


def pitch_figures(made: Tensor, real: Tensor, rate: int) -> Figures:
    """Where both are voiced, the root mean square error in cents; how often voicing differs."""
    low, high = PITCH_RANGE
    (a, voiced_a, _), (b, voiced_b, _) = (
        librosa.pyin(wave.numpy(), fmin=low, fmax=high, sr=rate) for wave in (made, real)
    )
    both = voiced_a & voiced_b
    cents = 1200 * np.log2(a[both] / b[both])
    error = float(np.sqrt(np.mean(cents**2))) if both.any() else math.nan
    return {"pitch_cents": error, "voicing_errors": float(np.mean(voiced_a != voiced_b))}


class Judge:
    """Compares a wave with the recording."""

    def __init__(self, config: MelConfig) -> None:
        self.rate = config.rate
        self.listen, self.spectra = LogMel(config), Spectra()

    def __call__(self, made: Tensor, real: Tensor, *, pitch: bool) -> Figures:
        """Figures for two waves of shape [time], of one length."""
        difference = (self.listen(made[None]) - self.listen(real[None])).abs().mean()
        figures = {
            "mel_l1": difference.item(),
            "spectral": distance(*map(self.spectra, (made[None], real[None]))).item(),
        }
        if pesq is not None:
            a, b = (resample(wave, self.rate, 16_000).numpy() for wave in (made, real))
            try:
                figures["pesq"] = pesq(16_000, b, a, "wb")
            except PesqError:
                figures["pesq"] = math.nan
        if pitch:
            figures |= pitch_figures(made, real, self.rate)
        return figures


def picture(path: Path, waves: dict[str, Tensor], rate: int) -> None:
    """Spectrograms of all waves (shape [time]), one below the other."""
    figure = Figure(figsize=(14, 4 * len(waves)), layout="constrained")
    for axes, (name, wave) in zip(figure.subplots(len(waves)), waves.items(), strict=True):
        axes.specgram(
            wave[: 3 * rate].numpy() + 1e-7, NFFT=1024, noverlap=896, Fs=rate, vmin=-140, vmax=-30
        )
        axes.set(title=name, ylabel="Hz")
    figure.savefig(path, dpi=80)


def mean(rows: list[Figures]) -> Figures:
    """Mean of each figure, over the rows in which it could be measured."""
    found = defaultdict(list)
    for row in rows:
        for name, value in row.items():
            if math.isfinite(value):
                found[name].append(value)
    return {name: round(float(np.mean(values)), 4) for name, values in found.items()}


def timed(function: Callable[[], Tensor]) -> tuple[Tensor, float]:
    """Result and seconds."""
    begun = time.perf_counter()
    result = function()
    return result, time.perf_counter() - begun


def spread(speech: Speech, limit: int) -> dict[str, list[int]]:
    """At most `limit` utterances of each set, evenly spread over it."""
    sets = defaultdict(list)
    for index, name in enumerate(speech.names):
        sets[name.split("/")[0]].append(index)
    return {
        name: [indices[i * len(indices) // limit] for i in range(limit)]
        if len(indices) > limit
        else indices
        for name, indices in sets.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of `prepare`")
    parser.add_argument("--run", type=Path, required=True, help="folder of `train`")
    parser.add_argument("--limit", type=int, default=40, help="sentences of each set")
    parser.add_argument("--pitch", type=int, default=10, help="of these, with pitch (slow)")
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    vocoder = load_vocoder(arguments.run / "weights.safetensors")
    speech = Speech.load(arguments.data / "test.safetensors")
    judge, listen, rate = Judge(vocoder.mel), LogMel(vocoder.mel), speech.rate
    report: dict[str, dict] = {}
    spent = audible = 0.0
    for name, indices in spread(speech, arguments.limit).items():
        rows: dict[str, list[Figures]] = {"vocoder": [], "griffin_lim": []}
        for count, index in enumerate(indices):
            real = speech[index]
            mel, hz = listen(real[None])[0], speech.pitch(index)
            made, seconds = timed(lambda mel=mel, hz=hz: vocoder.speak(mel, hz))
            made, baseline = made[: len(real)], griffin_lim(mel, listen)[: len(real)]
            if count:  # the first one warms up
                spent, audible = spent + seconds, audible + len(real) / rate
            waves = {"recording": real, "vocoder": made, "griffin_lim": baseline}
            for who in rows:
                rows[who].append(judge(waves[who], real, pitch=count < arguments.pitch))
            if not count:
                picture(arguments.run / f"{name}.png", waves, rate)
                for who, wave in waves.items():
                    soundfile.write(arguments.run / f"{name}-{who}.flac", wave.numpy(), rate)
        report[name] = {"sentences": len(indices)} | {who: mean(row) for who, row in rows.items()}
        print(name, json.dumps(report[name], indent=2))
    report["real_time_factor"] = round(spent / audible, 4) if audible else math.nan
    print("real-time factor on one core:", report["real_time_factor"])
    (arguments.run / "evaluation.json").write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
