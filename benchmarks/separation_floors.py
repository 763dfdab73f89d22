"""What separation is measured against: doing nothing, an old method, and ideal masks."""

from __future__ import annotations

import librosa
import numpy as np

from .separation_songs import Song, Sound, Stems

WINDOW, HOP = 4096, 1024
"""Samples, of the short-time Fourier transform behind the masks."""
TINY = 1e-12


def mixture(song: Song) -> Stems:
    """The mix for every stem."""
    return dict.fromkeys(song.stems, song.mixture)


def harmonic_percussive(song: Song) -> Stems:
    """Median filters over time and frequency (Fitzgerald 2010): drums, and the rest for all others.

    One mask for all channels, of their mean power.
    """
    mix = _spectrum(song.mixture)
    magnitude = np.sqrt((np.abs(mix) ** 2).mean(0))
    harmonic, _ = librosa.decompose.hpss(magnitude, mask=True)
    rest = _sound(mix * harmonic, song.mixture.shape[-1])
    return {name: song.mixture - rest if name == "drums" else rest for name in song.stems}


def ideal_ratio_masks(song: Song) -> Stems:
    """The share that each stem's true magnitude has of the sum of all, times the mix's spectrum."""
    length = song.mixture.shape[-1]
    mix = _spectrum(song.mixture)
    total = np.full(mix.shape, TINY, np.float32)
    for sound in song.stems.values():
        total += np.abs(_spectrum(sound))
    return {
        name: _sound(mix * (np.abs(_spectrum(sound)) / total), length)
        for name, sound in song.stems.items()
    }


def _spectrum(sound: Sound) -> np.ndarray:
    return librosa.stft(sound, n_fft=WINDOW, hop_length=HOP)


def _sound(spectrum: np.ndarray, length: int) -> Sound:
    return librosa.istft(spectrum, n_fft=WINDOW, hop_length=HOP, length=length)
