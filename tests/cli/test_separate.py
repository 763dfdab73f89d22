"""`audiopipe separate`: what it writes, what it tells, and what it refuses."""

import base64
import json
import logging
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, TIT2, TPE1
from mutagen.mp3 import MP3
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE
from separators import music, stems_model

from audiopipe.io import tags
from audiopipe.io.write import AudioWriter

STEMS = ["bass", "drums", "other", "vocals"]
PNG = b"\x89PNG\r\n\x1a\n" + b"picture"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return stems_model(tmp_path_factory.mktemp("models") / "small")


@pytest.fixture
def song(tmp_path):
    return music(0.7).save(tmp_path / "song.wav")


def files(folder="out"):
    return sorted(
        str(p.relative_to(folder)) for p in Path(folder).rglob("*.*") if ".audiopipe" not in str(p)
    )


def test_a_folder_a_song_and_a_file_a_stem(cli, model, song):
    ran = cli("separate", song, "--model", model)
    assert (ran.code, ran.err) == (0, "")
    assert files() == [f"song/{name}.flac" for name in STEMS]
    mix, _ = soundfile.read(song)
    parts = [soundfile.read(f"out/song/{name}.flac") for name in STEMS]
    assert {rate for _, rate in parts} == {44100}
    assert sum(part for part, _ in parts) == pytest.approx(mix, abs=4 * 2**-23)
    lines = ran.out.splitlines()
    assert lines[0].startswith(f"{song}: 0.7 s in ")
    assert [line.split()[0] for line in lines[1:5]] == ["vocals", "drums", "bass", "other"]
    assert lines[5] == "1 done, in out"


def test_levels_are_those_of_the_files(cli, model, song):
    told = json.loads(cli("separate", song, "--model", model, "--json").out)
    for name in STEMS:
        samples, _ = soundfile.read(f"out/song/{name}.flac")
        rms = 20 * np.log10(np.sqrt(np.mean(samples**2)))
        assert told["stems"][name]["rms_db"] == pytest.approx(rms, abs=0.02)
        peak = 20 * np.log10(np.abs(samples).max())
        assert told["stems"][name]["peak_db"] == pytest.approx(peak, abs=0.02)


def test_another_rate_is_said(cli, model, tmp_path):
    music(0.4, rate=48000).save(tmp_path / "song.wav")
    lines = cli("separate", "song.wav", "--model", model).out.splitlines()
    assert lines[1] == "  separated at 44100 Hz, and brought back to 48000 Hz"
    assert soundfile.info("out/song/vocals.flac").samplerate == 48000
    assert soundfile.info("out/song/vocals.flac").frames == 19200


def test_one_stem_and_the_rest_as_float(cli, model, song):
    ran = cli(
        "separate", song, "--model", model, "--stems", "vocals", "--format", "wav", "--bits", "32f",
    )  # fmt: skip
    assert ran.code == 0
    assert files() == ["song/accompaniment.wav", "song/vocals.wav"]
    assert soundfile.info("out/song/vocals.wav").subtype == "FLOAT"


@pytest.mark.parametrize(("bits", "subtype"), [("16", "PCM_16"), ("24", "PCM_24")])
def test_bits(cli, model, song, bits, subtype):
    cli("separate", song, "--model", model, "--bits", bits)
    assert soundfile.info("out/song/vocals.flac").subtype == subtype


def test_other_bits_are_written_anew(cli, model, song):
    cli("separate", song, "--model", model)
    assert "1 skipped" in cli("separate", song, "--model", model).out
    assert "1 done" in cli("separate", song, "--model", model, "--bits", "16").out
    assert soundfile.info("out/song/vocals.flac").subtype == "PCM_16"


def test_a_picture_of_the_stems(cli, model, song):
    assert cli("separate", song, "--model", model, "--picture").code == 0
    assert "song/stems.png" in files()
    assert Path("out/song/stems.png").read_bytes().startswith(b"\x89PNG")


def test_folders_keep_their_order_and_collisions_are_found_first(cli, model, tmp_path):
    for name in ("a/one.wav", "b/one.wav"):
        (tmp_path / name).parent.mkdir()
        music(0.2).save(tmp_path / name)
    ran = cli("separate", "a/one.wav", "b/one.wav", "--model", model)
    assert (ran.code, Path("out").exists()) == (4, False)
    assert "would be written for both a/one.wav and b/one.wav" in ran.err
    assert cli("separate", ".", "--model", model, "--stems", "vocals").code == 0
    assert files()[0] == "a/one/accompaniment.flac"
    assert len(files()) == 4


def test_beyond_full_scale_is_said(cli, model, tmp_path, caplog):
    loud = music(0.5)
    with AudioWriter(tmp_path / "loud.wav", loud.format, depth=32) as writer:
        writer.write(loud.like(loud.samples * 8, start=0))
    with caplog.at_level(logging.WARNING):
        cli("separate", "loud.wav", "--model", model)
    assert "samples were clipped" in caplog.text
    assert "write 32-bit WAV" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        cli(
            "separate",
            "loud.wav",
            "--model",
            model,
            "--format",
            "wav",
            "--bits",
            "32f",
            "-o",
            "float",
        )
    assert "clipped" not in caplog.text


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg")
def test_a_video(cli, model, song, tmp_path):
    picture = ["-f", "lavfi", "-i", "color=size=32x32:duration=0.7"]
    codecs = ["-c:v", "mpeg4", "-c:a", "flac", "-strict", "-2", "-shortest"]
    subprocess.run(
        ["ffmpeg", "-v", "error", "-i", song, *picture, *codecs, tmp_path / "clip.mkv"], check=True
    )
    assert cli("separate", "clip.mkv", "--model", model).code == 0
    assert files() == [f"clip/{name}.flac" for name in STEMS]


def tagged(song, format, tmp_path):
    """The song as a file of another kind, with tags and a cover."""
    samples, rate = soundfile.read(song)
    path = tmp_path / f"tagged.{format}"
    soundfile.write(path, samples, rate)
    if format == "flac":
        made = FLAC(path)
        made["title"], made["artist"] = "Song", ["One", "Two"]
        cover = Picture()
        cover.type, cover.mime, cover.data = 3, "image/png", PNG
        made.add_picture(cover)
        made.save()
    else:
        file = (MP3 if format == "mp3" else WAVE)(path)
        file.add_tags()
        made = file.tags
        made.add(TIT2(encoding=3, text="Song"))
        made.add(TPE1(encoding=3, text=["One", "Two"]))
        made.add(APIC(encoding=3, mime="image/png", type=3, desc="", data=PNG))
        file.save()
    return path


@pytest.mark.parametrize("given", ["flac", "mp3", "wav"])
def test_tags_and_artwork_are_carried_over(cli, model, song, tmp_path, given):
    path = tagged(song, given, tmp_path)
    for format, kind in (("flac", FLAC), ("mp3", MP3), ("ogg", OggVorbis), ("wav", WAVE)):
        ran = cli("separate", path, "--model", model, "--format", format, "--stems", "vocals")
        assert (ran.code, ran.err) == (0, "")
        made = f"out/tagged/vocals.{format}"
        found = kind(made)
        if format in ("mp3", "wav"):
            texts = {"title": found.tags["TIT2"].text, "artist": found.tags["TPE1"].text}
            (cover,) = found.tags.getall("APIC")
        else:
            texts = {name: found[name] for name in ("title", "artist")}
            cover = found.pictures[0] if format == "flac" else _cover(found)
        assert texts == {"title": ["Song (vocals)"], "artist": ["One", "Two"]}
        assert (cover.mime, cover.data) == ("image/png", PNG)
        frames = soundfile.info(made).frames
        assert frames == soundfile.info(path).frames if format != "mp3" else frames > 0


def _cover(found):
    return Picture(base64.b64decode(found["metadata_block_picture"][0]))


def test_without_mutagen_there_are_no_tags_and_it_is_said_once(monkeypatch, song, caplog):
    monkeypatch.setitem(sys.modules, "mutagen", None)
    tags._readable.cache_clear()
    try:
        with caplog.at_level(logging.WARNING):
            assert [tags.read_tags(song), tags.read_tags(song)] == [tags.Tags()] * 2
    finally:
        tags._readable.cache_clear()
    assert caplog.text.count("pip install 'audiopipe[tags]'") == 1


def test_damaged_tags_are_told_and_do_not_stop(cli, model, song, tmp_path, caplog):
    path = tagged(song, "mp3", tmp_path)
    data = bytearray(path.read_bytes())
    data[10:14] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    assert cli("separate", path, "--model", model).code == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--bits", "32f"], "FLAC holds 16 or 24 bits"),
        (["--format", "mp3", "--bits", "16"], "mp3 has no bits"),
        (["--stems", "vocal"], "did you mean 'vocals'?"),
        (["--set", "stems.overlap=0.5"], "no overlap to set"),
    ],
)
def test_what_cannot_be_is_refused(cli, model, song, options, told):
    ran = cli("separate", song, "--model", model, *options)
    assert ran.code == 2
    assert told in ran.err
    assert not Path("out").exists()
