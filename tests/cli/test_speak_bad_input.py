"""`audiopipe speak` with what it was not made for: one message, and no half of a file."""

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
import speaking
from speaking import hum


@pytest.fixture
def voice(tmp_path, monkeypatch):
    yield hum(tmp_path / "hum", monkeypatch)
    speaking.VOICES.clear()


RANDOM = bytes((n * n * 89 + n * 7) % 256 for n in range(999))
FILES = {
    "utf16.txt": "Grüße an alle.".encode("utf-16"),
    "utf16be.txt": "\ufeffGrüße an alle.".encode("utf-16-be"),
    "bare16.txt": "Hello, all of you.".encode("utf-16-le"),
    "latin.txt": "Grüße".encode("latin-1"),
    "random.txt": RANDOM,
    "letter.docx": b"PK\3\4" + RANDOM,
    "letter.pdf": b"%PDF-1.7\n" + RANDOM,
    "letter.rtf": rb"{\rtf1\ansi Hello.}",
    "song.wav": b"RIFF" + RANDOM,
    "blank.txt": b" \n\t\r\n\n",
    "code.md": b"```\nprint()\n```\n",
    "head.md": b"---\nvoices: {HOST: [}\n---\nHOST: Hello.\n",
    "who.md": b"---\nvoices: {HOST: VOICE}\n---\nHOST: Hello.\nGUEST: Hello.\n",
    "nobody.md": b"---\nvoices: {HOST: VOICE, GUEST: nobody}\n---\nHOST: Hello.\nGUEST: Hello.\n",
    "bomb.ssml": b'<!DOCTYPE s [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><speak>&c;</speak>',
}
NOTHING = "there is nothing to say: it has no words"
REFUSED = [
    (" \n ", 3, f"<text>: {NOTHING}"),
    ("…!?—", 3, f"<text>: {NOTHING}"),
    ("\x07\x1b\x00\x7f", 3, f"<text>: {NOTHING}"),
    (
        "你好，世界。",
        3,
        "<text>: nothing of it has sounds in the language of the voice: '你好', '世界'",
    ),
    ("-", 3, f"<stdin>: {NOTHING}"),
    ("folder", 3, "folder: is a folder; name a text in it, or have all of them said by"),
    ("utf16.txt", 3, "utf16.txt: is in UTF-16; save it as UTF-8"),
    ("utf16be.txt", 3, "utf16be.txt: is in UTF-16; save it as UTF-8"),
    ("bare16.txt", 3, "bare16.txt: is no text, or in UTF-16; save it as UTF-8"),
    ("latin.txt", 3, "latin.txt:1:3: byte 0xfc is not UTF-8; save the file as UTF-8"),
    ("random.txt", 3, "random.txt:1:"),
    ("letter.docx", 3, "letter.docx: is an office document or an archive; export it as plain"),
    ("letter.pdf", 3, "letter.pdf: is a PDF; export it as plain text"),
    ("letter.rtf", 3, "letter.rtf: is RTF; export it as plain text"),
    ("song.wav", 3, "song.wav: is audio, and texts are read here (.txt, .md, .ssml)"),
    ("blank.txt", 3, f"blank.txt: {NOTHING}"),
    ("code.md", 3, f"code.md: {NOTHING}"),
    ("head.md", 2, "head.md:2:"),
    ("who.md", 3, "who.md:5:1: 'GUEST' has no voice in the front matter"),
    ("nobody.md", 6, "there is no voice 'nobody'; there is kathleen"),
    ("bomb.ssml", 3, "bomb.ssml:1:"),
    ("link.txt", 3, "link.txt: there is no such file"),
]


@pytest.fixture
def place(tmp_path, voice):
    """A folder with all kinds of texts that are no good."""
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data.replace(b"VOICE", voice.encode()))
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.txt").symlink_to("nowhere.txt")
    (tmp_path / "folder.wav").mkdir()
    return tmp_path


def listed(place):
    return sorted(str(p.relative_to(place)) for p in place.rglob("*"))


@pytest.mark.parametrize(("text", "code", "told"), REFUSED, ids=[repr(r[0]) for r in REFUSED])
def test_texts_that_are_refused(cli, place, voice, monkeypatch, text, code, told):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    before = listed(place)
    ran = cli("speak", text, "-o", "a.wav", "--voice", voice, "--subtitles", "srt")
    assert ran.err.startswith(f"error: {told}")
    assert (ran.code, ran.out, listed(place)) == (code, "", before)


SAID = [
    ("🎉🙂", "party popper"),
    ("Go\x07 on\x1b\x00.", "go on"),
    ("Say 你好 to the Straße, s'il vous plaît.", "say"),
    ("😀" * 240, "grinning face"),
    ("x" * 5000, "X X X"),
    ("Hi \udcff there.", "hi there"),
]


@pytest.mark.parametrize(("text", "begin"), SAID, ids=[ascii(s[0])[:20] for s in SAID])
def test_texts_that_are_said_nevertheless(cli, voice, text, begin):
    ran = cli("speak", text, "-o", "a.wav", "--voice", voice, "--json")
    assert ran.code == 0, ran.err
    assert speaking.VOICES[voice].said[0].startswith(begin)
    assert soundfile.info("a.wav").duration == pytest.approx(json.loads(ran.out)["seconds"])


OUTPUTS = [
    (["-o", "folder.wav"], 4, "folder.wav: is a folder; name a file in it"),
    (["-o", "folder"], 4, "folder: a name without a suffix is no known kind of audio file"),
    (["-o", "latin.txt/a.wav"], 4, "latin.txt/a.wav: latin.txt is a file, not a folder"),
    (["-o", "a.wav", "--voice", "nobody"], 6, "there is no voice 'nobody'; there is kathleen"),
    (["-o", "a.wav", "--voice", "pitch"], 6, "model 'pitch' is no voice: its card says task pitch"),
    (["-o", "a.wav", "--voice", ""], 6, "there is no voice ''; there is kathleen"),
    (["-o", "a.wav", "--set", "speech.rate=0"], 2, "--set speech.rate"),
    (["-o", "a.wav", "--set", "speach.rate=1"], 2, "--set speach.rate: there is no stage 'speach'"),
    (
        ["-o", "a.wav", "--lexicon", "latin.txt"],
        2,
        "latin.txt: cannot be read: it is not UTF-8 text",
    ),
]


@pytest.mark.parametrize(
    ("options", "code", "told"), OUTPUTS, ids=[" ".join(o[0]) for o in OUTPUTS]
)
def test_options_that_are_refused(cli, place, voice, options, code, told):
    before = listed(place)
    more = [] if "--voice" in options else ["--voice", voice]
    ran = cli("speak", "Hello.", *options, *more)
    assert ran.err.startswith(f"error: {told}")
    assert (ran.code, ran.out, listed(place)) == (code, "", before)


@pytest.mark.parametrize("full", ["the memory of what was said", "the output"])
def test_a_full_disk(cli, voice, tmp_path, full):
    disk = tmp_path / "disk"
    disk.mkdir()
    size = "40k" if full.startswith("the memory") else "400k"
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        ran = cli("speak", "Hello, all of you. " * 12, "-o", "disk/a.wav", "--voice", voice)
        left = [path.name for path in disk.iterdir() if path.name != ".audiopipe"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert ran.code == 4
    assert "the disk is full" in ran.err
    assert len(ran.err.splitlines()) == 1
    assert left == []


def test_interrupted_in_the_middle(cli, voice, monkeypatch):
    """Ctrl-C: no output, and what was said is there for the next run."""

    def interrupted(line):
        if line.sentence.said == "two":
            raise KeyboardInterrupt

    with monkeypatch.context() as at_the_second:
        heard = "audiopipe.cli.speak_view.Sentences.end"
        at_the_second.setattr(heard, lambda _, line: interrupted(line))
        ran = cli("speak", "One. Two. Three.", "-o", "a.wav", "--voice", voice)
    assert (ran.code, ran.out, ran.err) == (130, "", "interrupted\n")
    assert not list(Path().glob("a.*"))
    ran = cli("speak", "One. Two. Three.", "-o", "a.wav", "--voice", voice)
    assert "3 sentences" in ran.out
    assert "2 of them were there already" in ran.out
