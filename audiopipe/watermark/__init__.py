"""An inaudible mark in generated speech, and how it is found again.

What it can prove, and what not, is in `docs/trust.md`. The stage `watermark` lays it on;
`pattern` is what both sides know, `marking` the maths of the stage, `detection` the search.
"""

from audiopipe.watermark.detection import FALSE_ALARMS, Detection, Detector, detect
from audiopipe.watermark.pattern import KINDS, Kind

__all__ = ["FALSE_ALARMS", "KINDS", "Detection", "Detector", "Kind", "detect"]
