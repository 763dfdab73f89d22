"""Separate a mix into stems."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from audiopipe.errors import ModelError
from audiopipe.separators.balance import Balance
from audiopipe.separators.base import Choice, Remainder, Share, family, separation_card
from audiopipe.separators.wiener import Gather, Wiener
from audiopipe.stage import Chain, Stage

MODEL = "stems"
MOST = 10
"""Iterations of the Wiener filter; more change nothing that could be heard."""


class Separate(Chain):
    """Separate a mix into stems: the voice, the drums, the bass, what else there is.

    Audio [channels, time] becomes a port a stem, each as long as the source to the sample, at its
    rate. Networks hear stereo at their own rate (44.1 kHz, nearly always): other rates are brought
    there and back, mono goes in as two equal channels and comes back as one, and 5.1 is mixed down
    to stereo (ITU-R BS.775, see `mix`) and stays so.

    Which stems there are, says the model's card. `stems: [vocals]` gives `vocals` and
    `accompaniment`, the sum of all others; otherwise the sum of those that were not asked for is
    called `rest`, or by its own name where it is one stem.

    Streams and whole recordings are cut into the same windows. If a stem equals the mix although
    there is sound, that is reported: a model that failed looks like it.
    """

    name = "separate"

    model: str = MODEL
    """The network: the name of a model, or the folder of one; see `audiopipe models list`."""
    stems: tuple[str, ...] = ()
    """The stems to keep, in this order; the rest is summed. None means all of the model's."""
    overlap: Share | None = None
    """The share of its windows that a network computes twice, cross-fading from one to the next;
    none means the model's own."""
    batch: Annotated[int, Field(ge=1)] | None = None
    """How many windows are computed at once; none means as many as the device likes."""
    remainder: Remainder | None = None
    """What becomes of the difference between the mix and the sum of its stems: `distribute` gives
    each stem its share, so that they add up to the mix; `keep` makes it a stem `remainder`;
    `none` leaves it out. None means `distribute`, but `none` for Spleeter, where it would be half
    of all above 11 kHz in each stem."""
    high_band: Literal["zeros", "average"] | None = None
    """What Spleeter does above its masks' highest bin (11 kHz, or 16): nothing passes, or the mean
    of the mask; none means as the model's card says."""
    wiener: Annotated[int, Field(ge=0, le=MOST)] = 0
    """Iterations of a multichannel Wiener filter, which takes the stems out of the mix by where
    they are between left and right, over 7 s at a time; 0 is no filter."""

    @property
    def models(self) -> Sequence[str]:
        return (self.model,)

    def parts(self) -> Sequence[Stage]:
        card = separation_card(self.model)
        if self.high_band is not None and card.network != "spleeter":
            raise ModelError(f"model {self.model!r} has no high band to set; leave it out")
        made = family(card)
        kept: dict[str, Any] = {"model": self.model, "keep": self.stems}
        balance = Balance(**kept, remainder=self.remainder or made.REMAINDER)
        if self.wiener:
            # It wants all stems of the model, and sums those that are not kept itself.
            choice = Choice(self.model, (), self.overlap, self.batch, self.high_band)
            wiener = Wiener(**kept, iterations=self.wiener)
            return (*made.parts(choice), Gather(), wiener, balance)
        choice = Choice(self.model, self.stems, self.overlap, self.batch, self.high_band)
        return (*made.parts(choice), balance)

    @classmethod
    def examples(cls) -> Sequence[Stage]:
        return (cls(), cls(stems=("vocals",), remainder="keep"))
