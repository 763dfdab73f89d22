"""When is each sound said: hidden Markov models of sounds, and the best path through a sentence.

Three states a sound, mixtures of Gaussians on cepstra, trained from a flat start by Viterbi: each
round aligns all recordings with the models and makes the models anew. Between two words, and at a
pause of the text, the path may take silence or leave it out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from audiopipe.mel import mel_bank, mel_points
from audiopipe.voices.tokens import JOINT, MARKS, PAUSE

STATES = 3
HOP, WINDOW = 128, 512
"""Samples at 24 kHz: 5.3 and 21.3 ms."""
BANDS, CEPSTRA = 40, 13
ROUNDS = (1, 1, 1, 1, 1, 2, 2, 4, 4, 8, 8)
"""Gaussians a state in each round."""
BATCH = 64
FLOOR = 0.05
"""Of the variance of all frames: no state's is smaller."""
HEARD = 25.0
"""What a joint's silence costs: log-likelihood that it has to bring."""


def cepstra(audio: Tensor, rate: int = 24_000) -> Tensor:
    """Mel cepstra with first and second differences: [time] -> [frames, 3 * CEPSTRA].

    Frame `k` is centred on the samples `[k * HOP, (k + 1) * HOP)`.
    """
    margin = (WINDOW - HOP) // 2
    padded = functional.pad(audio, (margin, margin + -len(audio) % HOP))
    window = torch.hann_window(WINDOW)
    power = torch.stft(padded, WINDOW, HOP, window=window, center=False, return_complex=True)
    bank = mel_bank(mel_points(BANDS, (50.0, 11_000.0), "htk"), rate, WINDOW, "htk")
    bands = torch.log(bank.T @ power.abs().square() + 1e-6)
    order = torch.arange(CEPSTRA, dtype=torch.float64)[:, None]
    cosines = torch.cos(math.pi / BANDS * order * (torch.arange(BANDS) + 0.5)).float()
    still = cosines @ bands / BANDS
    first = difference(still)
    return torch.cat([still, first, difference(first)]).T.contiguous()


def difference(rows: Tensor, reach: int = 4) -> Tensor:
    """Slope over `reach` frames on either side: [rows, frames] to the same."""
    around = functional.pad(rows[None], (reach, reach), mode="replicate")[0]
    steps = torch.arange(1, reach + 1)
    count = rows.shape[1]
    total = sum(
        k * (around[:, reach + k :][:, :count] - around[:, reach - k :][:, :count])
        for k in steps.tolist()
    )
    return total / (2 * (steps**2).sum())


class Aligner:
    """Models of all sounds, and what they say about a recording.

    Args:
        names: labels of the tokens; a vowel has one model, whatever its stress.
    """

    def __init__(self, names: Sequence[str]) -> None:
        plain = ["" if name in MARKS else name.lstrip("ˈˌ") for name in names]
        sounds = sorted(set(plain))
        self.model = torch.tensor([sounds.index(name) for name in plain])
        self.count = len(sounds) * STATES
        self.optional = torch.tensor([name in (JOINT, PAUSE) for name in names])
        self.cost = torch.tensor([HEARD if name == JOINT else 0.0 for name in names])
        self.means = self.variances = self.weights = torch.empty(0)

    def states(self, ids: Tensor) -> Tensor:
        """The states that a sentence goes through, [STATES * n]."""
        return (self.model[ids][:, None] * STATES + torch.arange(STATES)).flatten()

    def fit(self, frames: Tensor, states: Tensor, mixtures: int) -> None:
        """Make the models from frames [time, features] and the state of each [time]."""
        features = frames.shape[1]
        floor = FLOOR * frames.var(0)
        means = torch.zeros(self.count, mixtures, features)
        variances = torch.ones(self.count, mixtures, features)
        weights = torch.full((self.count, mixtures), -1e4)
        order = states.argsort()
        sizes = torch.bincount(states, minlength=self.count).tolist()
        for state, rows in enumerate(frames[order].split(sizes)):
            if len(rows) < 2:
                continue
            k = max(1, min(mixtures, len(rows) // 40))
            means[state, :k], variances[state, :k], weights[state, :k] = mixture(rows, k, floor)
        self.means, self.variances, self.weights = means, variances, weights

    def likelihood(self, frames: Tensor) -> Tensor:
        """Logarithm of how well each state explains each frame, [time, states]."""
        means, precision = self.means.flatten(0, 1), 1 / self.variances.flatten(0, 1)
        constant = (means.square() * precision - precision.log()).sum(1)
        constant = constant + frames.shape[1] * math.log(2 * math.pi)
        distance = frames.square() @ precision.T - 2 * frames @ (means * precision).T + constant
        logs = (-0.5 * distance).view(len(frames), *self.weights.shape) + self.weights
        return logs.logsumexp(2)

    def align(self, frames: Sequence[Tensor], ids: Sequence[Tensor]) -> list[Tensor]:
        """The first frame of each token and the end of the last, [n + 1] of each recording."""
        found: list[Tensor] = [torch.empty(0)] * len(ids)
        for group in groups([len(row) for row in frames], BATCH):
            paths = self.paths([frames[k] for k in group], [ids[k] for k in group])
            for k, path in zip(group, paths, strict=True):
                tokens = torch.arange(len(ids[k]) + 1)
                found[k] = torch.searchsorted(path // STATES, tokens)
        return found

    def paths(self, frames: Sequence[Tensor], ids: Sequence[Tensor]) -> list[Tensor]:
        """The best path through each sentence: which of its states each frame is in."""
        rows = [self.states(row) for row in ids]
        batch, length, width = len(rows), max(map(len, frames)), max(map(len, rows))
        scores = torch.zeros(batch, length, width)
        leap = torch.full((batch, width), -math.inf)
        for k, (heard, row, own) in enumerate(zip(frames, rows, ids, strict=True)):
            scores[k, : len(heard), : len(row)] = self.likelihood(heard)[:, row]
            scores[k, : len(heard), len(row) :] = -math.inf
            # The first state of a token may follow the last one of the token before the last.
            after = torch.arange(2, len(own))[self.optional[own[1:-1]]]
            leap[k, after * STATES] = 0.0
        enter = torch.zeros(batch, width)
        for k, own in enumerate(ids):
            enter[k, torch.arange(len(own)) * STATES] = -self.cost[own]
        best = torch.full((batch, width), -math.inf)
        best[:, 0] = scores[:, 0, 0]
        back = torch.zeros(length, batch, width, dtype=torch.uint8)
        far = STATES + 1
        for t in range(1, length):
            step = functional.pad(best[:, :-1], (1, 0), value=-math.inf) + enter
            jump = functional.pad(best[:, :-far], (far, 0), value=-math.inf) + leap
            came = torch.stack([best, step, jump]).max(0)
            best = came.values + scores[:, t]
            back[t] = came.indices
            over = torch.tensor([t >= len(row) for row in frames])
            if over.any():
                back[t, over] = 0
                best[over] = 0.0
        moves = torch.tensor([0, 1, far])
        at = torch.tensor([len(row) - 1 for row in rows])
        path = torch.zeros(length, batch, dtype=torch.long)
        for t in range(length - 1, -1, -1):
            path[t] = at
            at = at - moves[back[t].gather(1, at[:, None])[:, 0].long()]
        return [path[: len(row), k] for k, row in enumerate(frames)]

    def train(self, frames: Sequence[Tensor], ids: Sequence[Tensor]) -> Iterator[float]:
        """Learn from recordings; gives the mean log-likelihood of a frame after each round."""
        together = torch.cat(list(frames))
        paths = [
            flat(row, (~self.optional[own]).nonzero()[:, 0])
            for row, own in zip(frames, ids, strict=True)
        ]
        for mixtures in ROUNDS:
            rows = [self.states(own)[path] for own, path in zip(ids, paths, strict=True)]
            self.fit(together, torch.cat(rows), mixtures)
            total = 0.0
            for group in groups([len(row) for row in frames], BATCH):
                made = self.paths([frames[k] for k in group], [ids[k] for k in group])
                for k, path in zip(group, made, strict=True):
                    paths[k] = path
                    chosen = self.states(ids[k])[path]
                    heard = self.likelihood(frames[k])
                    total += heard.gather(1, chosen[:, None]).sum().item()
            yield total / len(together)


def flat(frames: Tensor, spoken: Tensor) -> Tensor:
    """A first guess at a path: the quiet at both ends, and between it all sounds equally long.

    `spoken` has the places of the tokens that are surely there, the first and the last included.
    """
    level = frames[:, 0]
    quiet = level.quantile(0.1)
    loud = (level > quiet + 0.4 * (level.quantile(0.95) - quiet)).nonzero()[:, 0]
    first, last = int(loud[0]), int(loud[-1]) + 1
    parts = []
    for frames_of, tokens in (
        (first, spoken[:1]),
        (last - first, spoken[1:-1]),
        (len(frames) - last, spoken[-1:]),
    ):
        states = (tokens[:, None] * STATES + torch.arange(STATES)).flatten()
        parts.append(states[torch.arange(frames_of) * len(states) // max(frames_of, 1)])
    return torch.cat(parts)


def mixture(rows: Tensor, count: int, floor: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Means, variances [count, features] and logarithms of weights of Gaussians for frames
    [time, features]: one is split in two, again and again, with three rounds of EM each."""
    mean, variance = rows.mean(0)[None], rows.var(0).maximum(floor)[None]
    weight = torch.zeros(1)
    while len(mean) < count:
        aside = 0.2 * variance.sqrt()
        mean = torch.cat([mean - aside, mean + aside])[:count]
        variance = variance.repeat(2, 1)[:count]
        weight = torch.full((len(mean),), -math.log(len(mean)))
        for _ in range(3):
            logs = -0.5 * (((rows[:, None] - mean) ** 2 / variance).sum(2) + variance.log().sum(1))
            share = (logs + weight).softmax(1)
            size = share.sum(0).clamp(min=1e-3)
            mean = share.T @ rows / size[:, None]
            variance = share.T @ rows.square() / size[:, None] - mean.square()
            variance = variance.maximum(floor)
            weight = (size / size.sum()).log()
    return mean, variance, weight


def groups(lengths: Sequence[int], size: int) -> list[list[int]]:
    """Indices in groups of at most `size`, of similar lengths."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    return [order[k : k + size] for k in range(0, len(order), size)]
