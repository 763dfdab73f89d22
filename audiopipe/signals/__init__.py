"""What flows between stages.

A signal is a frozen dataclass. It is at once a whole recording, a block of a stream and,
with no elements, a *format*: what a stage promises before any audio is there.

Time is an integer count. Element `k` of a signal belongs to sample `k * hop` of a clock
that ticks `rate` times a second; `start` says which element comes first.
"""

from audiopipe.signals.audio import Audio, Stems
from audiopipe.signals.base import Sampled, Signal
from audiopipe.signals.events import About, Detection, Detections, Note, Notes, Segment, Text
from audiopipe.signals.frames import Frames, Levels, Overlay, PitchTrack, Scores, Spectrogram

__all__ = [
    "About",
    "Audio",
    "Detection",
    "Detections",
    "Frames",
    "Levels",
    "Note",
    "Notes",
    "Overlay",
    "PitchTrack",
    "Sampled",
    "Scores",
    "Segment",
    "Signal",
    "Spectrogram",
    "Stems",
    "Text",
]
