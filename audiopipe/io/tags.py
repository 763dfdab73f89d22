"""Tags and artwork, carried over from one kind of file to another.

Read and written with mutagen, where it is installed: its licence (GPL) is not everybody's, so that
it does not come along unasked. It is imported when there is something to carry.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

log = logging.getLogger(__name__)

FRAMES = {
    "title": "TIT2",
    "artist": "TPE1",
    "album": "TALB",
    "albumartist": "TPE2",
    "composer": "TCOM",
    "date": "TDRC",
    "genre": "TCON",
    "tracknumber": "TRCK",
    "discnumber": "TPOS",
    "bpm": "TBPM",
    "initialkey": "TKEY",
    "isrc": "TSRC",
    "copyright": "TCOP",
    "organization": "TPUB",
}
"""What is carried over, by its name in FLAC and Ogg, and its frame in ID3 (MP3, WAV)."""
ATOMS = {
    "title": "\xa9nam",
    "artist": "\xa9ART",
    "album": "\xa9alb",
    "albumartist": "aART",
    "composer": "\xa9wrt",
    "date": "\xa9day",
    "genre": "\xa9gen",
    "tracknumber": "trkn",
    "discnumber": "disk",
    "bpm": "tmpo",
    "copyright": "cprt",
}
"""The same in MP4."""
IN_MP4 = {13: "image/jpeg", 14: "image/png"}
"""The kinds of artwork in MP4."""
COVER = 3
"""The kind of picture that is a front cover, in ID3 and FLAC."""
LARGEST = 16_000_000
"""Bytes of artwork: a block of FLAC holds no more."""


@dataclass(frozen=True)
class Artwork:
    """A picture as it is in the file, of the kind that `mime` names."""

    data: bytes
    mime: str


@dataclass(frozen=True)
class Tags:
    """What a file says of itself: texts by their name in `FRAMES`, and its artwork."""

    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    artwork: Artwork | None = None

    def __bool__(self) -> bool:
        return bool(self.texts) or self.artwork is not None

    def of_part(self, name: str) -> Tags:
        """The tags of a part of the recording: its name stands behind the title.

        >>> Tags({"title": ("Song",)}).of_part("vocals").texts
        {'title': ('Song (vocals)',)}
        """
        titles = self.texts.get("title")
        if not titles:
            return self
        return replace(self, texts={**self.texts, "title": (f"{titles[0]} ({name})",)})


def read_tags(path: Path) -> Tags:
    """The tags of a file; none where it has none, or they cannot be read, which is logged."""
    if not _readable():
        return Tags()
    import mutagen

    try:
        found = mutagen.File(path)
        if found is None or found.tags is None:
            return Tags()
        kind = type(found.tags).__name__
        if kind == "MP4Tags":
            return _from_mp4(found.tags)
        if hasattr(found.tags, "getall"):
            return _from_id3(found.tags)
        return _from_comments(found)
    except Exception as error:  # damaged tags raise anything; they are no reason to stop
        told = " ".join(str(error).split())
        log.warning("%s: its tags cannot be read, and are not carried over: %s", path, told)
        return Tags()


@cache
def _readable() -> bool:
    """Whether mutagen is there; that it is not, is said once."""
    there = find_spec("mutagen") is not None
    if not there:
        log.warning(
            "tags and artwork are not carried over: mutagen is not installed; "
            "run: pip install 'audiopipe[tags]'"
        )
    return there


def write_tags(file: BinaryIO, codec: str, tags: Tags) -> None:
    """Write tags into a file that is complete, of a codec as `audiopipe.io.write` names it."""
    file.seek(0)
    try:
        if codec in ("MP3", "WAV"):
            _to_id3(file, codec, tags)
        else:
            _to_comments(file, codec, tags)
    except Exception as error:
        from mutagen import MutagenError

        if not isinstance(error, MutagenError):
            raise
        log.warning("%s: its tags cannot be written: %s", getattr(file, "name", codec), error)


def _texts(named: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """What there is of each name, without what is empty."""
    found = {name: tuple(str(value) for value in values) for name, values in named.items()}
    return {name: values for name, values in found.items() if any(values)}


def _from_id3(tags: Any) -> Tags:
    texts = _texts({n: tags[f].text for n, f in FRAMES.items() if f in tags})
    pictures = sorted(tags.getall("APIC"), key=lambda p: p.type != COVER)
    return Tags(texts, Artwork(pictures[0].data, pictures[0].mime) if pictures else None)


def _from_mp4(tags: Any) -> Tags:
    named = {name: tags[atom] for name, atom in ATOMS.items() if atom in tags}
    for name in ("tracknumber", "discnumber"):
        if name in named:
            named[name] = ["/".join(str(n) for n in pair if n) for pair in named[name]]
    covers = tags.get("covr") or []
    artwork = Artwork(bytes(covers[0]), IN_MP4.get(covers[0].imageformat, "")) if covers else None
    return Tags(_texts(named), artwork if artwork and artwork.mime else None)


def _from_comments(found: Any) -> Tags:
    from mutagen.flac import Picture

    texts = _texts({name: found.tags[name] for name in FRAMES if name in found.tags})
    pictures = list(getattr(found, "pictures", ()))
    for text in found.tags.get("metadata_block_picture", ()):
        pictures.append(Picture(base64.b64decode(text)))
    pictures.sort(key=lambda p: p.type != COVER)
    return Tags(texts, Artwork(pictures[0].data, pictures[0].mime) if pictures else None)


def _to_id3(file: BinaryIO, codec: str, tags: Tags) -> None:
    from mutagen import id3
    from mutagen.mp3 import MP3
    from mutagen.wave import WAVE

    target = (MP3 if codec == "MP3" else WAVE)(fileobj=file)
    if target.tags is None:
        target.add_tags()
    for name, values in tags.texts.items():
        frame = FRAMES[name]
        target.tags.add(getattr(id3, frame)(encoding=id3.Encoding.UTF8, text=list(values)))
    if tags.artwork:
        picture = {"mime": tags.artwork.mime, "type": COVER, "data": tags.artwork.data}
        target.tags.add(id3.APIC(encoding=id3.Encoding.UTF8, desc="", **picture))
    file.seek(0)
    target.save(fileobj=file)


def _to_comments(file: BinaryIO, codec: str, tags: Tags) -> None:
    from mutagen.flac import FLAC, Picture
    from mutagen.oggopus import OggOpus
    from mutagen.oggvorbis import OggVorbis

    target = {"FLAC": FLAC, "Opus": OggOpus, "Ogg Vorbis": OggVorbis}[codec](fileobj=file)
    if target.tags is None:
        target.add_tags()
    for name, values in tags.texts.items():
        target.tags[name] = list(values)
    if tags.artwork and len(tags.artwork.data) < LARGEST:
        picture = Picture()
        picture.type, picture.mime, picture.data = COVER, tags.artwork.mime, tags.artwork.data
        if codec == "FLAC":
            target.add_picture(picture)
        else:
            target.tags["metadata_block_picture"] = [base64.b64encode(picture.write()).decode()]
    file.seek(0)
    target.save(fileobj=file)
