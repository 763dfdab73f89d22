"""libsndfile, read and written straight on."""

from __future__ import annotations

import soundfile


class SteadyFile(soundfile.SoundFile):  # type: ignore[misc]
    """A SoundFile that never seeks by itself.

    soundfile seeks after every block to where it already is. In an MP3 that loses the bits
    that a frame borrows from those before: the sound is wrong after every block. In a FLAC
    that states no length it fails.
    """

    def seekable(self) -> bool:
        return False
