"""What has been said already: kept on disk, so that a run that was killed goes on where it was."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import torch

from audiopipe import __version__
from audiopipe.errors import OutputError
from audiopipe.io.atomic import locked, output_error
from audiopipe.text import Sentence
from audiopipe.voices.base import Manner, Piece, Timing, Voice, voice_card

PIECE = 1 << 15
"""Samples that are read at a time."""


@dataclass(frozen=True)
class _Entry:
    """A sentence that was said: where its samples lie, and their check sum."""

    start: int
    samples: int
    checksum: int
    words: tuple[Timing, ...]


class Memory:
    """Sentences in a folder, held by one run at a time.

    `sound` is all samples, one sentence after the other, `index` a line for each that is complete:
    one that a crash cut short counts for nothing. Entering raises OutputError if another run holds
    the folder or it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hits = 0
        self._known: dict[str, _Entry] = {}

    def __enter__(self) -> Self:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._sound = (self.folder / "sound").open("a+b")
            if not locked(self._sound):
                self._sound.close()
                told = "another run speaks into this file; wait for it, or write elsewhere"
                raise OutputError(self.folder, told)
            self._index = (self.folder / "index").open("a+", encoding="utf-8")
            self._read()
        except OSError as error:
            raise output_error(self.folder, error) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        empty = not os.fstat(self._index.fileno()).st_size
        self._index.close()
        self._sound.close()
        if kind is None or empty:
            shutil.rmtree(self.folder, ignore_errors=True)
            with contextlib.suppress(OSError):  # others may keep something there
                self.folder.parent.rmdir()

    def _read(self) -> None:
        size = os.fstat(self._sound.fileno()).st_size
        self._index.seek(0)
        whole = True
        for line in self._index:
            whole = line.endswith("\n")
            with contextlib.suppress(ValueError, KeyError, TypeError):
                told = json.loads(line)
                words = tuple(Timing(*word) for word in told["words"])
                entry = _Entry(told["start"], told["samples"], told["checksum"], words)
                if 4 * (entry.start + entry.samples) <= size:
                    self._known[told["key"]] = entry
        if not whole:
            self._index.write("\n")
        # Half a sample of a run that was killed would shift all that follow.
        self._sound.truncate(size - size % 4)

    def recall(self, key: str) -> list[Piece] | None:
        """What was said, or None."""
        entry = self._known.get(key)
        if entry is None:
            return None
        self._sound.seek(4 * entry.start)
        data = self._sound.read(4 * entry.samples)
        if zlib.crc32(data) != entry.checksum:
            return None
        self.hits += 1
        samples = torch.from_numpy(np.frombuffer(data, "<f4").astype(np.float32))[None]
        pieces = [Piece(part) for part in torch.split(samples, PIECE, -1)]
        return [*pieces[:-1], replace(pieces[-1], words=entry.words)]

    def keep(self, key: str, pieces: list[Piece]) -> None:
        """Remember what was said; raises OutputError, for instance where the disk is full."""
        samples = torch.cat([piece.samples for piece in pieces], -1).cpu()
        data = samples.numpy().astype("<f4").tobytes()
        words = [timing for piece in pieces for timing in piece.words]
        try:
            start = self._sound.seek(0, os.SEEK_END) // 4
            self._sound.write(data)
            self._sound.flush()
            entry = {
                "key": key,
                "start": start,
                "samples": samples.shape[-1],
                "checksum": zlib.crc32(data),
                "words": [[timing.word, timing.start, timing.stop] for timing in words],
            }
            self._index.write(json.dumps(entry) + "\n")
            self._index.flush()
        except OSError as error:
            raise output_error(self.folder, error) from None


class Remembering:
    """A voice that does not say again what it has said; `heard` is the SHA-256 of the recording
    that it speaks like, if it does."""

    def __init__(self, voice: Voice, memory: Memory, heard: str = "") -> None:
        self.name, self.language, self.rate = voice.name, voice.language, voice.rate
        self._voice = voice
        self._memory = memory
        # Other weights by the same name are another voice.
        self._weights = [heard, *(file.sha256 for file in voice_card(voice.name).files)]

    def say(self, sentence: Sentence, manner: Manner) -> Iterator[Piece]:
        """As the voice says it, or as it has said it."""
        key = _key([self.name, *self._weights], sentence, manner)
        found = self._memory.recall(key)
        if found is not None:
            yield from found
            return
        pieces = []
        for piece in self._voice.say(sentence, manner):
            pieces.append(piece)
            yield piece
        self._memory.keep(key, pieces)


def _key(voice: list[str], sentence: Sentence, manner: Manner) -> str:
    """All that decides how a sentence sounds; where it stands in the source does not."""
    words: list[Any] = [asdict(replace(word, start=0, stop=0)) for word in sentence]
    told = [__version__, voice, words, sentence.kind, sentence.continues, asdict(sentence.before)]
    text = json.dumps([*told, asdict(manner)])
    return hashlib.sha256(text.encode()).hexdigest()
