"""Scores of made-up songs: grooves, bass lines, chords, arpeggios and leads in many keys and tempi.

Every song has its own chords, its own patterns and sections in which instruments come and go.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Note = tuple[float, float, int, int]
"""Beginning and end in seconds, MIDI key, velocity."""

MODES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
}
PROGRESSIONS = (
    (0, 4, 5, 3),
    (5, 3, 0, 4),
    (0, 5, 3, 4),
    (0, 3, 4, 4),
    (0, 6, 5, 6),
    (0, 3, 0, 4),
    (1, 4, 0, 5),
    (0, 0, 3, 3),
    (0, 2, 3, 4),
    (5, 4, 3, 4),
)
KICK, SNARE, STICK, CLAP, CLOSED, PEDAL, OPEN = 36, 38, 37, 39, 42, 44, 46
CRASH, RIDE, LOW_TOM, MIDDLE_TOM, HIGH_TOM = 49, 51, 43, 47, 50
TAMBOURINE, COWBELL, SHAKER, CONGA = 54, 56, 70, 63
GROOVES = (
    # sixteenths of a bar for kick, snare and hats
    ((0, 8), (4, 12), range(0, 16, 2)),
    ((0, 4, 8, 12), (4, 12), range(2, 16, 4)),
    ((0, 6, 10), (4, 12), range(0, 16, 2)),
    ((0, 7, 10), (4, 12), range(16)),
    ((0, 3, 8, 11), (4, 12), range(0, 16, 2)),
    ((0, 10), (8,), range(0, 16, 2)),
    ((0, 6), (8,), (0, 2, 4, 6, 8, 10, 11, 12, 14, 15)),
    ((0, 10), (4, 7, 9, 12, 15), range(0, 16, 2)),
    ((0, 4, 8, 12), (4, 12), range(16)),
    ((0, 2, 8, 10), (4, 12), range(0, 16, 4)),
    ((0, 8, 14), (4, 12), (0, 3, 4, 6, 8, 11, 12, 14)),
)


@dataclass(frozen=True)
class Score:
    """What is played, by role: drums, bass, chords, arpeggio, pad, lead."""

    seconds: float
    roles: dict[str, list[Note]]


def compose(rng: np.random.Generator, seconds: float) -> Score:
    """A song of about so many seconds."""
    tempo = float(np.exp(rng.uniform(np.log(70), np.log(175))))
    tonic = int(rng.integers(12))
    scale = MODES[str(rng.choice(list(MODES), p=[0.35, 0.4, 0.15, 0.1]))]
    chords = PROGRESSIONS[rng.integers(len(PROGRESSIONS))]
    sixteenth = 15 / tempo
    swing = float(rng.choice([0, 0, 0, 0.1, 0.2, 0.3])) * sixteenth
    bars = max(4, int(seconds / (16 * sixteenth)))
    makers = {
        "drums": drums,
        "bass": bass,
        "chords": chords_of,
        "arpeggio": arpeggio,
        "pad": pad,
        "lead": lead,
    }
    roles = {}
    for role, maker in makers.items():
        patterns = [int(seed) for seed in rng.integers(1 << 30, size=2)]
        playing = sections(rng, bars, 0.8 if role in ("drums", "bass") else 0.55)
        notes: list[Note] = []
        for bar in range(bars):
            if not playing[bar]:
                continue
            # The same seed gives the same bar: songs repeat themselves.
            again = np.random.default_rng(patterns[(bar // 4) % 2])
            root = chords[bar % len(chords)]
            for at, lasts, key, velocity in maker(again, scale, root, bar):
                begin = (16 * bar + at) * sixteenth + (swing if int(at) % 2 else 0.0)
                begin += max(-begin, rng.normal(0, 0.004))
                # Basses go down to the tonic, where the others go up to it.
                key += {"drums": 0, "bass": tonic - 12 * (tonic > 4)}.get(role, tonic)
                loud = int(np.clip(velocity + rng.normal(0, 6), 20, 127))
                notes.append((begin, begin + lasts * sixteenth, key, loud))
        roles[role] = notes
    return Score(16 * bars * sixteenth, roles)


def sections(rng: np.random.Generator, bars: int, share: float) -> list[bool]:
    """In which bars a role plays, by sections of four."""
    found: list[bool] = []
    while len(found) < bars:
        found += [bool(rng.random() < share)] * 4
    return found


Played = list[tuple[float, float, int, int]]
"""Sixteenth at which a note begins, sixteenths that it lasts, key above the tonic, velocity."""


def degree(scale: tuple[int, ...], step: int) -> int:
    """Half tones of a step of the scale, which may go beyond the octave."""
    return 12 * (step // 7) + scale[step % 7]


def drums(rng: np.random.Generator, scale: tuple[int, ...], root: int, bar: int) -> Played:
    """A groove with ghosts, percussion, fills and crashes."""
    kicks, snares, hats = GROOVES[rng.integers(len(GROOVES))]
    back = int(rng.choice([SNARE, SNARE, SNARE, 40, CLAP, STICK]))
    cymbal = int(rng.choice([CLOSED, CLOSED, CLOSED, PEDAL, RIDE, SHAKER]))
    notes = [(float(at), 1.0, KICK if rng.random() < 0.8 else 35, 110) for at in kicks]
    notes += [(float(at), 1.0, back, 105) for at in snares]
    notes += [(float(at), 0.5, cymbal, 60 + 25 * (at % 4 == 0)) for at in hats]
    if rng.random() < 0.3:
        notes += [(float(at), 1.0, SNARE, 40) for at in rng.choice(16, 3, replace=False)]
    if rng.random() < 0.4:
        notes += [
            (float(at), 2.0, OPEN, 75) for at in ((2, 6, 10, 14) if rng.random() < 0.5 else (14,))
        ]
    if rng.random() < 0.3:
        extra = int(rng.choice([TAMBOURINE, COWBELL, SHAKER, CONGA, 64, 75]))
        notes += [
            (float(at), 1.0, extra, 65)
            for at in range(int(rng.integers(3)), 16, int(rng.integers(2, 5)))
        ]
    if bar % 4 == 3 and rng.random() < 0.6:
        notes = [note for note in notes if note[0] < 12]
        toms = [HIGH_TOM, MIDDLE_TOM, MIDDLE_TOM, LOW_TOM] if rng.random() < 0.6 else [SNARE] * 4
        notes += [(12.0 + index, 1.0, key, 95) for index, key in enumerate(toms)]
    if bar % 8 == 0 and rng.random() < 0.7:
        notes.append((0.0, 8.0, CRASH, 100))
    return notes


def bass(rng: np.random.Generator, scale: tuple[int, ...], root: int, bar: int) -> Played:
    """Roots, fifths, octaves and steps between, long or short."""
    low = 24 + 12 * int(rng.random() < 0.75)
    kind = rng.random()
    if kind < 0.2:
        return [(0.0, 15.0, low + degree(scale, root), 100)]
    if kind < 0.4:
        step = int(rng.choice([1, 2, 2, 4]))
        short = rng.uniform(0.5, 1.0) * step
        return [(float(at), short, low + degree(scale, root), 95) for at in range(0, 16, step)]
    notes, at = [], 0.0
    while at < 16:
        lasts = float(rng.choice([1, 2, 2, 3, 4, 6]))
        away = int(rng.choice([0, 0, 0, 7, 4, 2, -3, 1]))
        if rng.random() < 0.85:
            key = low + degree(scale, root + away)
            notes.append((at, min(lasts, 16 - at) * rng.uniform(0.5, 1.0), key, 95))
        at += lasts
    return notes


def voicing(rng: np.random.Generator, scale: tuple[int, ...], root: int) -> list[int]:
    """The keys of a chord: three to five notes around the middle of the keyboard."""
    steps = [root, root + 2, root + 4]
    if rng.random() < 0.4:
        steps.append(root + 6)
    if rng.random() < 0.2:
        steps.append(root + 8)
    base = int(rng.choice([48, 48, 60]))
    keys = [base + degree(scale, step) for step in steps]
    return [key - 12 if rng.random() < 0.3 else key for key in keys]


def chords_of(rng: np.random.Generator, scale: tuple[int, ...], root: int, bar: int) -> Played:
    """Chords, held or in a rhythm."""
    rhythm = [
        [(0, 14)],
        [(0, 7), (8, 7)],
        [(0, 3), (4, 3), (8, 3), (12, 3)],
        [(2, 1), (6, 1), (10, 1), (14, 1)],
        [(0, 3), (3, 3), (6, 2), (8, 3), (11, 3), (14, 2)],
        [(0, 2), (6, 2), (12, 2)],
    ][rng.integers(6)]
    keys = voicing(rng, scale, root)
    strum = rng.uniform(0, 0.25)
    return [
        (at + strum * index, float(lasts), key, 80)
        for at, lasts in rhythm
        for index, key in enumerate(keys)
    ]


def arpeggio(rng: np.random.Generator, scale: tuple[int, ...], root: int, bar: int) -> Played:
    """The notes of a chord one after the other, over two octaves."""
    step = int(rng.choice([1, 2, 2]))
    keys = sorted(voicing(rng, scale, root))
    keys += [key + 12 for key in keys]
    order = list(rng.permutation(len(keys))) if rng.random() < 0.4 else list(range(len(keys)))
    held = rng.uniform(0.4, 2.0) * step
    return [
        (float(at), held, keys[order[(at // step) % len(order)]] + 12, 78)
        for at in range(0, 16, step)
    ]


def pad(rng: np.random.Generator, scale: tuple[int, ...], root: int, bar: int) -> Played:
    """A chord for the whole bar."""
    return [(0.0, 16.0, key, 70) for key in voicing(rng, scale, root)]


def lead(rng: np.random.Generator, scale: tuple[int, ...], root: int, bar: int) -> Played:
    """A melody that moves by steps and some leaps, with rests."""
    notes: Played = []
    at, step = 0.0, root + int(rng.integers(0, 5))
    high = int(rng.choice([60, 60, 72]))
    while at < 16:
        lasts = float(rng.choice([1, 2, 2, 3, 4, 4, 6, 8]))
        if rng.random() < 0.8:
            held = min(lasts, 16 - at) * rng.uniform(0.6, 1.05)
            notes.append((at, held, high + degree(scale, step), 88))
        step = int(np.clip(step + rng.choice([-4, -2, -1, -1, 0, 1, 1, 2, 3]), root - 4, root + 9))
        at += lasts
    return notes
