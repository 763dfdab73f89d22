"""Give speech the voice of somebody who has consented."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, model_validator

from audiopipe.cloning.contour import Contour, Follow
from audiopipe.cloning.convert import Convert
from audiopipe.cloning.frames import Analyse
from audiopipe.cloning.synthesize import Synthesize
from audiopipe.cloning.tracking import TRACKER
from audiopipe.cloning.whole import ConvertWhole
from audiopipe.consent import no_consent
from audiopipe.models import COQUI
from audiopipe.stage import Chain, Fidelity, Stage
from audiopipe.stages.watermark import Watermark
from audiopipe.units import Hertz

MODEL = "clone"
"""The converter that comes with audiopipe."""


TOLERANCE = 1e-3
"""How far a stream and the whole may be apart after an hour; after a minute it is 1e-4."""


class Clone(Chain):
    """Give speech another voice, that of a person who has consented: the words and the melody stay.

    Audio [channels, time] becomes Audio [1, time] at 24 kHz, as long as the source. What is taken
    of the `reference`, a recording of the wanted voice, is its timbre and the range of its pitch:
    5 s of clear speech will do, 30 s are better, more than 5 minutes are not used. It should hold
    one person, and no music. Several channels are mixed to one.

    Nothing is made without `consent`: a record of what the person agreed to, which belongs to that
    recording (see `audiopipe consent new`). It is written beside files of the output, its summary
    is in their tags, and the sound has the inaudible mark of cloned speech (see `watermark`).

    Converters of coqui-tts, as `coqui/voice_conversion_models/multilingual/vctk/freevc24`, take
    its place when they are named and were pulled. They hear 20 to 30 s at a time.

    Streams and whole recordings are converted alike, 0.7 s later. Where the source's own voice lies
    is learned as it speaks, unless `source_pitch` says it. One voice at a time is converted: of
    two that speak at once, or of music, comes something in between.
    """

    name = "clone"

    reference: str
    """The recording of the wanted voice, in any form that is read, at any rate."""
    consent: str | None = None
    """The record of consent, made by `audiopipe consent new`. It has to be there."""
    model: str = MODEL
    """The network: the name of a model, or the folder of one."""
    pitch: Annotated[float, Field(ge=-12, le=12)] = 0.0
    """Semitones above the wanted voice's own pitch."""
    source_pitch: Annotated[Hertz, Field(ge=40, le=1000)] | None = None
    """The median pitch of the voice that is converted; none means that it is learned."""

    @model_validator(mode="after")
    def _agreed(self) -> Clone:
        if not self.consent:
            raise ValueError(no_consent(self.reference))
        if self.model.startswith(COQUI) and (self.pitch or self.source_pitch):
            raise ValueError("pitch is for the converter of our own; leave it out")
        return self

    @property
    def fidelity(self) -> Fidelity:
        # The pulses of its voice go on for ever, and with them the pitch's errors of rounding.
        return Fidelity("grid", TOLERANCE)

    @property
    def models(self) -> Sequence[str]:
        return (self.model,)

    @property
    def files(self) -> Sequence[str]:
        return tuple(filter(None, (self.reference, self.consent)))

    def parts(self) -> Sequence[Stage]:
        assert self.consent is not None
        wanted = {"model": self.model, "reference": self.reference, "consent": self.consent}
        marked = Watermark(kind="cloned")
        if self.model.startswith(COQUI):
            return (ConvertWhole.model_validate(wanted), marked)
        return (
            *TRACKER.parts(),
            Contour(stated=self.source_pitch),
            Follow(),
            Analyse(),
            Convert.model_validate({**wanted, "pitch": self.pitch}),
            Synthesize(model=self.model),
            marked,
        )

    @classmethod
    def examples(cls) -> Sequence[Stage]:
        told = {"reference": "ada.wav", "consent": "ada.consent.json"}
        return (cls(**told), cls(**told, pitch=2.0, source_pitch=120.0))
