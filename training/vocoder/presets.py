"""The sizes that have a name."""

from dataclasses import dataclass

from audiopipe.nets.vocoder import VocoderConfig

from .discriminators import CriticConfig


@dataclass(frozen=True)
class Preset:
    """One size of vocoder and how it is trained.

    Attributes:
        network: the vocoder.
        critics: its opponents.
        batch: crops a step.
        frames: mel frames a crop, without context.
        rate: highest learning rate of the vocoder and of the critics.
    """

    network: VocoderConfig
    critics: CriticConfig
    batch: int
    frames: int
    rate: float


PRESETS = {
    # About 6.6 M parameters; meant for some twenty minutes of a large GPU.
    "full": Preset(
        network=VocoderConfig(width=352, ahead=(3, 2, 2, 1, 1, 0, 0, 0, 0)),
        critics=CriticConfig(),
        batch=64,
        frames=64,
        rate=5e-4,
    ),
    # About 1.7 M parameters and small critics; meant for hours of one CPU core.
    "small": Preset(
        network=VocoderConfig(width=192, ahead=(3, 2, 2, 1, 0, 0, 0)),
        critics=CriticConfig(
            periods=(2, 3, 5),
            period_width=8,
            transforms=(1024, 512),
            band_width=8,
            band_strides=(4, 2, 2),
        ),
        batch=6,
        frames=64,
        rate=1e-3,
    ),
}
