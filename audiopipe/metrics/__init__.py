"""How good a result is: sounds told apart, words found in a stream, a pitch tracked, stems.

>>> from audiopipe.metrics import Confusion
>>> str(Confusion.of(["yes"] * 9 + ["no"], ["yes"] * 10, ["yes", "no"]))
'90.0 % (59.6 to 98.2) of 10'
"""

from audiopipe.metrics.bsseval import BssEval, bss_eval
from audiopipe.metrics.classification import Confusion, Taken
from audiopipe.metrics.curve import Curve, Point, above, sweep
from audiopipe.metrics.intervals import Interval, garwood, wilson
from audiopipe.metrics.pitch import TOLERANCE_CENTS, Contour, PitchAccuracy
from audiopipe.metrics.separation import framewise_sdr, sdr, si_sdr
from audiopipe.metrics.spotting import TOLERANCE, Hit, Spotting, spot
from audiopipe.metrics.timing import Quantiles, Timing, timing

__all__ = [
    "TOLERANCE",
    "TOLERANCE_CENTS",
    "BssEval",
    "Confusion",
    "Contour",
    "Curve",
    "Hit",
    "Interval",
    "PitchAccuracy",
    "Point",
    "Quantiles",
    "Spotting",
    "Taken",
    "Timing",
    "above",
    "bss_eval",
    "framewise_sdr",
    "garwood",
    "sdr",
    "si_sdr",
    "spot",
    "sweep",
    "timing",
    "wilson",
]
