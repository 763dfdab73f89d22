"""Which General MIDI programs play one clear pitch, and from which key to which."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Program:
    """A program by its number from 0, with the lowest and the highest MIDI key of its instrument.

    What `rings` is often left to; what is `fixed` cannot bend its notes. `shift` is by how many
    half tones its notes sound higher than they are written: two organs have a stop of 16 feet.
    Ranges end where FluidR3's samples are stretched too far to be in tune.
    """

    number: int
    name: str
    low: int
    high: int
    rings: bool = False
    fixed: bool = False
    shift: int = 0


KEYS = [
    Program(0, "grand piano", 23, 108, True, True),
    Program(1, "bright piano", 23, 108, True, True),
    Program(2, "electric grand", 23, 108, True, True),
    Program(5, "FM piano", 28, 103, True),
    Program(6, "harpsichord", 29, 89, True, True),
    Program(7, "clavinet", 29, 88, True),
    Program(8, "celesta", 60, 108, True, True),
    Program(9, "glockenspiel", 88, 108, True, True),
    Program(10, "music box", 60, 103, True, True),
    Program(11, "vibraphone", 53, 89, True, True),
    Program(12, "marimba", 45, 96, True, True),
    Program(13, "xylophone", 65, 105, True, True),
    Program(17, "percussive organ", 43, 96, shift=-12),
    Program(18, "rock organ", 43, 96, shift=-12),
    Program(19, "church organ", 36, 68, False, True),
    Program(20, "reed organ", 36, 96, False, True),
    Program(21, "accordion", 53, 93),
    Program(22, "harmonica", 60, 96),
    Program(23, "bandoneon", 48, 90),
]
STRINGS = [
    Program(25, "steel guitar", 40, 84, True),
    Program(26, "jazz guitar", 40, 86, True),
    Program(27, "clean guitar", 40, 86, True),
    Program(28, "muted guitar", 40, 72),
    Program(29, "overdriven guitar", 40, 86),
    Program(30, "distorted guitar", 40, 86),
    Program(31, "guitar harmonics", 40, 83, True, shift=24),
    Program(32, "acoustic bass", 28, 67, True),
    Program(33, "fingered bass", 23, 67, True),
    Program(34, "picked bass", 23, 67, True),
    Program(35, "fretless bass", 23, 67, True),
    Program(36, "slap bass 1", 23, 67, True),
    Program(37, "slap bass 2", 23, 67, True),
    Program(38, "synth bass 1", 23, 72),
    Program(39, "synth bass 2", 23, 72),
    Program(40, "violin", 55, 92),
    Program(41, "viola", 48, 91),
    Program(45, "pizzicato", 28, 96, True),
    Program(46, "harp", 24, 103, True, True),
    Program(48, "string section", 31, 91),
    Program(104, "sitar", 48, 77, True),
    Program(105, "banjo", 48, 84, True),
    Program(106, "shamisen", 45, 81, True),
    Program(107, "koto", 43, 88, True),
    Program(108, "kalimba", 48, 84, True, True),
    Program(110, "fiddle", 55, 96),
]
WINDS = [
    Program(52, "choir aahs", 43, 79),
    Program(53, "voice oohs", 43, 79),
    Program(57, "trombone", 34, 74),
    Program(58, "tuba", 26, 65),
    Program(59, "muted trumpet", 54, 84),
    Program(60, "horn", 34, 77),
    Program(64, "soprano saxophone", 56, 88),
    Program(65, "alto saxophone", 49, 81),
    Program(66, "tenor saxophone", 44, 76),
    Program(67, "baritone saxophone", 36, 69),
    Program(69, "English horn", 52, 81),
    Program(70, "bassoon", 34, 75),
    Program(71, "clarinet", 50, 94),
    Program(74, "recorder", 60, 96),
    Program(75, "pan flute", 55, 96),
    Program(76, "bottle", 55, 96),
    Program(77, "shakuhachi", 55, 93),
    Program(78, "whistle", 67, 105),
    Program(79, "ocarina", 60, 98),
    Program(111, "shanai", 55, 86),
]
LEADS = [
    Program(80, "square lead", 24, 84),
    Program(81, "sawtooth lead", 24, 79),
    Program(82, "calliope lead", 36, 96),
    Program(83, "chiff lead", 36, 100),
    Program(84, "charang lead", 36, 96),
    Program(85, "voice lead", 41, 89),
]
PROGRAMS = KEYS + STRINGS + WINDS + LEADS
HELD_OUT = [
    Program(4, "electric piano", 28, 103, True),
    Program(24, "nylon guitar", 40, 83, True),
    Program(42, "cello", 36, 81),
    Program(43, "contrabass", 28, 58),
    Program(56, "trumpet", 54, 86),
    Program(68, "oboe", 58, 91),
    Program(72, "piccolo", 74, 108),
    Program(73, "flute", 60, 98),
]
