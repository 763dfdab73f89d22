"""What audio files say of themselves: comments, and the chapters of an MP3."""

import json
import shutil
import subprocess

import pytest
import torch
from mutagen.id3 import ID3

from audiopipe import Audio, Segment
from audiopipe.io.read import open_audio
from audiopipe.io.save import open_sink
from audiopipe.io.write import AudioWriter
from audiopipe.signals import About

TOLD = "Synthetic speech: audiopipe, voice kathleen"
NOISE = Audio(torch.rand(1, 24_000, generator=torch.Generator().manual_seed(0)) - 0.5, 24_000)


def probed(path):
    if shutil.which("ffprobe") is None:
        pytest.skip("ffprobe is not installed")
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_streams"]
    ran = subprocess.run([*command, "-show_chapters", path], capture_output=True, check=True)
    assert not ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "opus", "mp3"])
def test_every_format_holds_a_comment(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    with open_sink(path, NOISE.format, TOLD) as sink:
        sink.write(NOISE)
    found = probed(path)
    tags = found["format"].get("tags", {}) | found["streams"][0].get("tags", {})
    assert {name.lower(): text for name, text in tags.items()}["comment"] == TOLD
    with open_audio(path) as reader:
        blocks = list(reader.blocks(1 << 20))
    assert sum(map(len, blocks)) == 24_000


def test_a_comment_does_not_change_the_sound_of_a_wav(tmp_path):
    for name, comment in (("a", ""), ("b", "odd"), ("c", "even")):
        with open_sink(tmp_path / f"{name}.wav", NOISE.format, comment) as sink:
            sink.write(NOISE)
    sounds = []
    for name in "abc":
        with open_audio(tmp_path / f"{name}.wav") as reader:
            sounds += [next(reader.blocks(1 << 20)).samples]
    assert torch.equal(sounds[0], sounds[1])
    assert torch.equal(sounds[0], sounds[2])


def test_chapters_of_an_mp3(tmp_path):
    path = tmp_path / "a.mp3"
    chapters = (Segment("Größe", 0, 12_000), Segment("The end", 12_000, 24_000))
    with AudioWriter(path, NOISE.format, comment=TOLD) as writer:
        writer.write(NOISE)
        writer.about = About(TOLD, "Episode 3", chapters, 24_000)
    found = probed(path)
    assert (
        found["format"]["tags"] | {"title": "Episode 3", "comment": TOLD}
        == (found["format"]["tags"])
    )
    assert [(c["start_time"], c["end_time"], c["tags"]["title"]) for c in found["chapters"]] == [
        ("0.000000", "0.500000", "Größe"),
        ("0.500000", "1.000000", "The end"),
    ]
    tags = ID3(path)
    assert tags["CTOC:contents"].child_element_ids == ["chapter0", "chapter1"]
    assert tags["CHAP:chapter1"].start_time == 500
    with open_audio(path) as reader:
        assert reader.frames == 24_000
