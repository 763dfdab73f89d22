"""A network that speaks: sounds to prosody, and sounds with prosody to log-mel frames.

After FastSpeech 2 (Y. Ren et al., 2021, arXiv:2006.04558), with ConvNeXt blocks. Every sound has a
length, so that no word can be skipped or said twice, and it is known when each is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

STRESS = ("ˈ", "ˌ")
SEMITONES, DECIBELS = 3.0, 6.0
"""What f0 and energy are divided by before the network sees them."""


@dataclass(frozen=True)
class Prosody:
    """How the tokens of a sentence are said, float32 [n] each.

    `frames` is how many frames long (not whole, 0 for a joint that is not heard), `f0` semitones
    above the voice's own mean, `energy` decibels above its mean.
    """

    frames: Tensor
    f0: Tensor
    energy: Tensor


class Block(nn.Module):
    """ConvNeXt: a depthwise convolution in time, then two dense layers, added to the input.

    Input [batch, time, width] and a mask [batch, time, 1], which is 0 behind the end.
    """

    def __init__(self, width: int, expansion: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.widen = nn.Linear(width, expansion * width)
        self.narrow = nn.Linear(expansion * width, width)
        self.scale = nn.Parameter(torch.full((width,), 0.3))
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        local = self.depthwise((hidden * mask).transpose(1, 2)).transpose(1, 2)
        inner = functional.gelu(self.widen(self.norm(local)))
        out: Tensor = hidden + self.dropout(self.scale * self.narrow(inner))
        return out


class Encoder(nn.Module):
    """Tokens in their context: ids [batch, n] and mask [batch, n, 1] to [batch, n, width].

    A vowel's stress is a vector of its own, added to the vowel's. Each token is told where in the
    sentence it stands.
    """

    base: Tensor
    stress: Tensor

    def __init__(
        self, labels: Sequence[str], width: int, expansion: int, kernel: int, blocks: int,
        dropout: float,
    ) -> None:  # fmt: skip
        super().__init__()
        plain = [label.lstrip("".join(STRESS)) for label in labels]
        kinds = list(dict.fromkeys(plain))
        base = torch.tensor([kinds.index(label) for label in plain])
        stress = torch.tensor([("", *STRESS).index(a[: len(a) - len(b)])
                               for a, b in zip(labels, plain, strict=True)])  # fmt: skip
        self.register_buffer("base", base, persistent=False)
        self.register_buffer("stress", stress, persistent=False)
        self.sounds = nn.Embedding(len(kinds), width)
        self.stresses = nn.Embedding(1 + len(STRESS), width)
        self.place = nn.Linear(4, width)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(Block(width, expansion, kernel, dropout) for _ in range(blocks))
        self.norm = nn.LayerNorm(width, eps=1e-6)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        count = mask.sum(1, keepdim=True)
        behind = torch.arange(ids.shape[1], device=ids.device)[None, :, None] * mask
        ahead = (count - 1 - behind).clamp(min=0)
        place = torch.cat(
            [behind / count, torch.exp(-behind / 5), torch.exp(-ahead / 5),
             (count / 50).expand_as(behind)], dim=2
        )  # fmt: skip
        hidden = self.sounds(self.base[ids]) + self.stresses(self.stress[ids]) + self.place(place)
        hidden = self.dropout(hidden)
        for block in self.blocks:
            hidden = block(hidden, mask)
        out: Tensor = self.norm(hidden)
        return out


class SpeechNet(nn.Module):
    """Tokens to prosody (`plan`), and tokens with prosody to log-mel frames (`render`).

    Two networks that share nothing: one that reads the sentence and says how long, how high and how
    loud each token is; and one that gives it sound. Between them a person may change what they
    like. `labels` are the tokens, stress before its vowel.

    >>> net = SpeechNet(["^", ".", "n", "oʊ", "ˈoʊ"], width=8, encoder=1, decoder=1).eval()
    >>> ids = torch.tensor([0, 2, 4, 1])
    >>> said = net.plan(ids)
    >>> said.frames.shape
    torch.Size([4])
    >>> mel, hz = net.render(ids, torch.tensor([3, 8, 20, 9]), said.f0, said.energy)
    >>> mel.shape, hz.shape
    (torch.Size([100, 40]), torch.Size([40]))
    """

    mean: Tensor
    deviation: Tensor
    height: Tensor

    def __init__(
        self, labels: Sequence[str], *, bands: int = 100, width: int = 192, expansion: int = 3,
        kernel: int = 7, encoder: int = 4, decoder: int = 5, dropout: float = 0.1,
    ) -> None:  # fmt: skip
        super().__init__()
        sizes = {"width": width, "expansion": expansion, "kernel": kernel}
        self.reader = Encoder(labels, blocks=encoder, dropout=min(0.9, 2 * dropout), **sizes)
        self.manner = nn.Linear(width, 3)
        self.encoder = Encoder(labels, blocks=encoder, dropout=dropout, **sizes)
        self.embed = nn.Linear(6, width)
        self.decoder = nn.ModuleList(
            Block(width, expansion, kernel, dropout) for _ in range(decoder)
        )
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, bands)
        self.melody = nn.Linear(width, 1)
        self.register_buffer("mean", torch.zeros(bands))
        self.register_buffer("deviation", torch.ones(bands))
        # The voice's mean f0, in semitones above 1 Hz.
        self.register_buffer("height", torch.tensor(90.0))

    @torch.inference_mode()
    def plan(self, ids: Tensor) -> Prosody:
        """How the network would say the tokens `ids` int64 [n]."""
        lengths, f0, energy = self.read(ids[None], torch.ones(1, len(ids), 1))[0].T
        return Prosody(lengths.exp().sub(1).clamp(min=0), f0 * SEMITONES, energy * DECIBELS)

    @torch.inference_mode()
    def render(
        self, ids: Tensor, frames: Tensor, f0: Tensor, energy: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The frames [bands, sum(frames)] of tokens `ids` int64 [n], `frames` int64 [n] long each,
        with `f0` in semitones and `energy` in decibels [n], as in `Prosody`; and the pitch of each
        frame in Hz, also where there is none to be heard."""
        mask, total = torch.ones(1, len(ids), 1), int(frames.sum())
        mels, tune = self.sound(ids[None], frames[None], f0[None], energy[None], mask, total)
        return mels[0].T, 2 ** ((self.height + tune[0]) / 12)

    def read(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Batch of `plan`, [batch, n, 3]: log(1 + frames), f0 and energy, scaled."""
        out: Tensor = self.manner(self.reader(ids, mask))
        return out

    def sound(
        self, ids: Tensor, frames: Tensor, f0: Tensor, energy: Tensor, mask: Tensor, total: int
    ) -> tuple[Tensor, Tensor]:
        """Batch of `render`, [batch, total, bands] and the pitch in semitones above the mean,
        [batch, total]; tokens behind the end have no frames."""
        hidden = self.encoder(ids, mask)
        token, shape, inside = spread(frames, f0 / SEMITONES, energy / DECIBELS, total)
        rows = token[..., None].expand(-1, -1, hidden.shape[2])
        out = hidden.gather(1, rows) + self.embed(shape)
        for block in self.decoder:
            out = block(out, inside)
        out = self.norm(out)
        tune = SEMITONES * (shape[..., 0] + self.melody(out)[..., 0])
        return self.head(out) * self.deviation + self.mean, tune


def spread(frames: Tensor, f0: Tensor, energy: Tensor, total: int) -> tuple[Tensor, Tensor, Tensor]:
    """From tokens [batch, n] to frames: which token each belongs to [batch, total], what is told of
    it [batch, total, 6], and whether there is one at all, 1 or 0 [batch, total, 1].

    Told is f0 and energy, in straight lines from the middle of a token to that of the next, and
    where within its token the frame lies: its part of it, its distance from both ends, the length.

    >>> token, _, inside = spread(torch.tensor([[2, 0, 1]]), torch.rand(1, 3), torch.rand(1, 3), 4)
    >>> token.tolist(), inside[0, :, 0].tolist()
    ([[0, 0, 2, 2]], [1.0, 1.0, 1.0, 0.0])
    """
    stops = frames.cumsum(1)
    time = torch.arange(total, device=frames.device)[None].expand(len(frames), -1).contiguous()
    inside = (time < stops[:, -1:]).float()
    token = torch.searchsorted(stops, time, right=True).clamp(max=frames.shape[1] - 1)
    length = frames.gather(1, token).clamp(min=1)
    within = (time - (stops.gather(1, token) - length)).clamp(min=0) + 0.5
    part = (within / length).clamp(max=1.0)
    # The line goes on to the next token that lasts, or comes from the one before.
    later = torch.searchsorted(stops, stops.gather(1, token), right=True)
    start = stops.gather(1, token) - length
    earlier = torch.where(start > 0, torch.searchsorted(stops, start), token)
    other = torch.where(part > 0.5, later, earlier)
    other = torch.where(other < frames.shape[1], other, token)
    reach = (part - 0.5).abs() * length
    share = reach / (0.5 * (length + frames.gather(1, other))).clamp(min=1)
    share = share.clamp(max=1.0) * inside
    lines = [torch.lerp(row.gather(1, token), row.gather(1, other), share) for row in (f0, energy)]
    ends = [torch.exp(-within / 4), torch.exp(-(length - within).clamp(min=0) / 4)]
    told = torch.stack([*lines, part - 0.5, *ends, length.log() - 2], dim=2)
    return token, told * inside[..., None], inside[..., None]
