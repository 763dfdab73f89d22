"""Who is heard in a recording, as far as file names tell it for sure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

_OFFICIAL = re.compile(r"(.+)_nohash_\d+$")
_NUMBERED = re.compile(r"(.*[^\W\d_].*?)[ _-]*\d+$")


def speakers_of(files: Mapping[str, Sequence[Path]]) -> dict[Path, str]:
    """The speaker of each file, or nothing at all where the names do not tell it.

    Names tell it if all are as in Speech Commands, `SPEAKER_nohash_NUMBER.wav`, or if all are
    `NAME NUMBER.wav` and every name is found under at least two labels: `lights_3.wav` says
    what is heard, not who. Every label needs two speakers, so that one can be held out.

    >>> names = speakers_of({"a": [Path("a/eve_1.wav"), Path("a/bob_1.wav")],
    ...     "b": [Path("b/eve-2.wav"), Path("b/bob3.wav")]})
    >>> sorted(set(names.values()))
    ['bob', 'eve']
    """
    every = [path for paths in files.values() for path in paths]
    for pattern in (_OFFICIAL, _NUMBERED):
        matches = {path: pattern.match(path.stem) for path in every}
        if not all(matches.values()):
            continue
        speakers = {path: match[1].casefold() for path, match in matches.items() if match}
        labels_of: dict[str, set[str]] = defaultdict(set)
        for label, paths in files.items():
            if len({speakers[path] for path in paths}) < 2:
                return {}
            for path in paths:
                labels_of[speakers[path]].add(label)
        known = pattern is _OFFICIAL or min(map(len, labels_of.values())) > 1
        return speakers if known else {}
    return {}
