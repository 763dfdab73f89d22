"""What all conversions to a person's voice have in common: the reference, and the consent."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from audiopipe.consent import Consent, read_consent
from audiopipe.disclosure import disclosure
from audiopipe.models import COQUI
from audiopipe.stage import GRID, Fidelity, Stateful


class Agreed(Stateful):
    """Gives a voice whose owner has consented to it.

    Its files say so, and the record stands beside them.
    """

    name = "convert"
    heavy = True

    model: str
    reference: str
    consent: str

    @property
    def fidelity(self) -> Fidelity:
        return GRID

    @property
    def models(self) -> Sequence[str]:
        return (self.model,)

    @cached_property
    def consents(self) -> Sequence[Consent]:
        return (read_consent(self.consent),)

    @property
    def comment(self) -> str:
        called = self.model if self.model.startswith(COQUI) else Path(self.model).name
        return disclosure(called, self.consents[0].summary)
