"""Sound out of the speakers, whatever rate they run at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from audiopipe.io.devices import Speakers, output_rate
from audiopipe.pipeline import chain
from audiopipe.signals import Audio, Signal
from audiopipe.stages.resample import Resample

PLAYED = "resample"


class Playback:
    """Plays blocks of one format, resampled where the device cannot do their rate.

    Raises SoundDeviceError.
    """

    def __init__(self, format: Audio, device: int | str | None = None) -> None:
        rate = output_rate(format.rate, format.channels, device)
        self._stream = None
        if rate != format.rate:
            self._stream = chain(Resample(rate=rate)).engine(format).stream()
        self._speakers = Speakers(rate, format.channels, device)

    def write(self, block: Audio) -> None:
        """Play a block after those before; waits while enough sound waits."""
        if self._stream is None:
            self._speakers.write(block)
        else:
            self._play(self._stream.feed(block))

    def close(self) -> None:
        """Play what waits, then let go of the device."""
        if self._stream is not None:
            self._play(self._stream.finish())
        self._speakers.close()

    def abort(self) -> None:
        """Fall silent at once."""
        self._speakers.abort()

    def _play(self, rounds: Iterable[Mapping[str, Signal]]) -> None:
        for out in rounds:
            block = out.get(PLAYED)
            if isinstance(block, Audio) and len(block):
                self._speakers.write(block)
