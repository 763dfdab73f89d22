"""Find words, or other sounds that a network was taught."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor
from torch.nn import functional

from audiopipe import recognizers, signals
from audiopipe.errors import did_you_mean
from audiopipe.framing import Framing
from audiopipe.nets.keywords import KeywordNet, folded
from audiopipe.recognizers import is_word, keyword_card, keyword_net, keyword_threshold
from audiopipe.signals import Audio, Detection, Detections, Sampled, Scores
from audiopipe.spotting import LAG, Rules, Spotting, alone, latest_sound, spot
from audiopipe.stage import GRID, Chain, Fidelity, Reach, Stage, Stateful, Windowed
from audiopipe.stages.spectrogram import Spectrogram, _Tables
from audiopipe.units import Span

RATE, BANDS = recognizers.RATE, recognizers.BANDS
WINDOW, HOP = 400, 160
"""Of a spectrum, in samples: 25 ms and 10 ms."""
FRAMES = 100
"""Spectra that the network looks at together: a second."""
FLOOR = -100.0
"""The least level in dB; levels count from here, so that what lies outside the sound is silent."""

MODEL = "keywords-18"
LONGEST_HOP = 20
"""Spectra from one score to the next, at most: words end between scores that are further apart."""

AT_ONCE = 32
"""Windows that go through the network together: what lies between its layers stays in the cache."""

Share = Annotated[float, Field(ge=0, le=1)]


class LogMel(Spectrogram):
    """Log-mel spectra in dB above the floor: Audio [1, time] to Spectrogram [1, bands, frames]."""

    name = "log-mel"

    @classmethod
    def usual(cls) -> LogMel:
        window, hop = Span.parse(WINDOW), Span.parse(HOP)
        return cls(window=window, hop=hop, frames="causal", bands=BANDS, range=(60.0, 7600.0))

    def accepts(self, source: Audio) -> Sequence[Audio]:
        return [Audio.empty(RATE, channels=1)]

    def compute(self, model: _Tables, windows: Tensor) -> Tensor:
        return super().compute(model, windows) - FLOOR

    @classmethod
    def examples(cls) -> Sequence[Stage]:
        return (cls.usual(),)


def log_mel(clips: Tensor) -> Tensor:
    """What the network is fed for clips [batch, samples] at 16 kHz: [batch, bands, frames]."""
    stage = LogMel.usual()
    tables = stage.load(Audio.empty(RATE, 1), clips.device, torch.float32)
    padded = functional.pad(clips, (WINDOW - HOP, 0))
    windows = padded.unfold(-1, WINDOW, HOP)
    return stage.compute(tables, windows)[..., 0].mT


class _Network(Windowed):
    """What both kinds of outputs of the network share."""

    takes = signals.Spectrogram
    heavy = True
    half = True

    model: str
    hop: Span

    @property
    def fidelity(self) -> Fidelity:
        return GRID

    @property
    def models(self) -> Sequence[str]:
        return (self.model,)

    def framing(self, source: signals.Spectrogram) -> Framing:
        hop = self._hop(source)
        return Framing(FRAMES, hop, before=FRAMES - hop, after=hop - 1)

    def load(self, source: Any, device: torch.device, dtype: torch.dtype) -> KeywordNet:
        net = folded(keyword_net(self.model)).to(device, dtype)
        # Warmed up here: the silence of a live run does not reach it.
        net(torch.zeros(1, BANDS, FRAMES, device=device, dtype=dtype))
        return net

    def scores(self, net: KeywordNet, windows: Tensor, start: Tensor) -> Tensor:
        """Windows [n, bands, frames], whose last sound begins at `start`: [n, labels, 1]."""
        heard = alone(windows, start)
        size = AT_ONCE if windows.device.type == "cpu" else len(windows)
        logits = torch.cat([net(part) for part in torch.split(heard, size)])
        return logits.float().softmax(-1)[..., None]

    def _hop(self, source: signals.Spectrogram) -> int:
        return self.hop.samples(source.rate) // source.hop


class Score(_Network):
    """Scores of the second that ends with each hop: Spectrogram [1, bands, frames] to Scores."""

    name = "scores"

    def output(self, source: signals.Spectrogram) -> Scores:
        labels = keyword_card(self.model).labels
        return Scores.empty(labels, source.rate, self._hop(source) * source.hop)

    def compute(self, model: KeywordNet, windows: Tensor) -> Tensor:
        start, _ = latest_sound(windows[:, 0].float())
        return self.scores(model, windows[:, 0], start)


@dataclass(frozen=True, eq=False)
class Evidence(Sampled):
    """What events are made of: `scores` [labels, n], 0 while nothing can be decided, and the last
    stretch of sound in each second, from `since` to `until` [n], in spectra before its end."""

    scores: Tensor
    since: Tensor
    until: Tensor
    labels: tuple[str, ...]
    rate: int
    hop: int
    start: int = 0

    series: ClassVar = ("scores", "since", "until")


class Listen(_Network):
    """Scores, and where there is sound: Spectrogram [1, bands, frames] to Evidence.

    It runs on for a while after the end, so that a word which ends there is decided as well.
    """

    name = "listen"

    def output(self, source: signals.Spectrogram) -> Evidence:
        labels, none = keyword_card(self.model).labels, torch.zeros(0, dtype=torch.int64)
        scores = torch.zeros(len(labels), 0)
        return Evidence(scores, none, none, labels, source.rate, self._hop(source) * source.hop)

    def framing(self, source: signals.Spectrogram) -> Framing:
        framing, hop = super().framing(source), self._hop(source)
        return Framing(FRAMES, hop, framing.before, after=framing.after + LAG // hop * hop)

    def compute(self, model: KeywordNet, windows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        start, stop = latest_sound(windows[:, 0].float())
        # No event can come of other windows: in a quiet room the network rests.
        due = (start < stop) & (FRAMES - stop <= LAG)
        scores = torch.zeros(len(windows), model.head.out_features, 1, device=windows.device)
        if due.any():
            scores[due] = self.scores(model, windows[due, 0], start[due])
        since, until = (FRAMES - at[:, None] for at in (start, stop))
        return scores, since, until


class Decide(Stateful):
    """One event for each word: Evidence to Detections."""

    name = "decide"
    takes = Evidence

    model: str
    threshold: Share | Mapping[str, Share] | None
    smoothing: Span
    refractory: Span

    @property
    def fidelity(self) -> Fidelity:
        return GRID

    def accepts(self, source: Evidence) -> Sequence[Evidence]:
        words = [label for label in source.labels if is_word(label)]
        for label in self.threshold if isinstance(self.threshold, Mapping) else ():
            if label not in words:
                hint = did_you_mean(label, words)
                told = f"threshold of {label!r}, which is no word of {self.model}; {hint}"
                raise ValueError(told)
        return [source]

    def output(self, source: Evidence) -> Detections:
        return Detections((), source.rate)

    def reach(self, source: Evidence) -> Reach:
        lag = ceil(LAG / (source.hop // HOP)) - 1
        return Reach(behind=None, ahead=lag, latency=lag)

    def load(self, source: Evidence, device: torch.device, dtype: torch.dtype) -> Rules:
        own = self.threshold if isinstance(self.threshold, Mapping) else {}
        usual = keyword_threshold(self.model) if self.threshold in (None, own) else self.threshold
        thresholds = [own.get(x, usual) if is_word(x) else np.inf for x in source.labels]
        return Rules(
            np.array(thresholds),
            hop=source.hop // HOP,
            smoothing=max(1, round(self.smoothing.samples(source.rate) / source.hop)),
            refractory=self.refractory.samples(source.rate) // HOP,
            window=FRAMES,
        )

    def start(self, model: Rules, sources: Sequence[Evidence]) -> Spotting:
        return Spotting.fresh(model)

    def step(
        self, model: Rules, state: Spotting, blocks: Sequence[Evidence], last: bool
    ) -> Detections:
        (block,) = blocks
        scores, since, until = (tensor.cpu().numpy() for tensor in block.tensors)
        ends = model.hop * (state.heard + 1 + np.arange(len(block)))
        known = np.nan_to_num(scores.T.astype(np.float64))  # what is no number is no word
        events = spot(state, model, known, ends - since, ends - until)
        found = (
            Detection(e.start * HOP, e.stop * HOP, block.labels[e.label], e.score) for e in events
        )
        return Detections(tuple(found), block.rate)


class Keywords(Chain):
    """Find words, or other sounds that a network was taught.

    Audio [channels, time] becomes `Detections`, one event for each word that is spoken; it
    begins and ends with the word's sound, and its score is the highest that the word had. With
    `keep: scores` it becomes `Scores` [labels, n]: how sure the network is of each label, for
    the second that ends with each hop. Several channels are mixed to one, and the sound is
    brought to 16 kHz, at which the times of events count.

    Log-mel spectra are computed once for a stream; the network looks at the last second of them
    at every hop (see `audiopipe.nets.keywords`). How scores become events is told in
    `audiopipe.spotting`. A word is decided as soon as it has ended, and at most 300 ms later.
    Labels of a model that begin with `_` are of what is not a word, and give no events.

    Words are found as commands are spoken, with short pauses between them. In a stretch of more
    than 800 ms without a pause none is looked for: that is talk, in which too much sounds alike.
    """

    name = "keywords"

    model: str = MODEL
    """The network: the name of a model, or the folder of one that was made by `teach`."""
    hop: Span = Field(default=Span.parse("50 ms"))
    """How often the network looks: a multiple of 10 ms, at most 200 ms."""
    threshold: Share | Mapping[str, Share] | None = None
    """How sure the network must be, of all words or of each by name; for words that are not
    named, and if nothing is said, the model's own."""
    smoothing: Span = Field(default=Span.parse("200 ms"))
    """Over how long scores are averaged."""
    refractory: Span = Field(default=Span.parse("250 ms"))
    """How long after a word the same word is taken for its echo."""
    keep: Literal["events", "scores"] = "events"
    """What comes out: the events, or the scores that they are made of."""

    @model_validator(mode="after")
    def _check(self) -> Keywords:
        hop = self.hop.samples(RATE)
        if hop % HOP or not HOP <= hop <= LONGEST_HOP * HOP:
            raise ValueError(
                f"a hop of {self.hop} is no multiple of 10 ms from 10 ms to {10 * LONGEST_HOP} ms; "
                "write 'hop: 50 ms'"
            )
        return self

    @property
    def models(self) -> Sequence[str]:
        return (self.model,)

    def parts(self) -> Sequence[Stage]:
        network: dict[str, Any] = {"model": self.model, "hop": self.hop}
        if self.keep == "scores":
            return (LogMel.usual(), Score(**network))
        decide = Decide(
            model=self.model,
            threshold=self.threshold,
            smoothing=self.smoothing,
            refractory=self.refractory,
        )
        return (LogMel.usual(), Listen(**network), decide)

    @classmethod
    def examples(cls) -> Sequence[Stage]:
        return (
            cls(),
            cls(threshold={"go": 0.9}, hop=Span.parse("100 ms")),
            cls(threshold=0.8, smoothing=Span.parse("100 ms")),
            cls(keep="scores"),
        )
