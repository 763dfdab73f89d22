"""Whatever is wrong: one message that says what, where and what to do, and an exit code."""

import shutil
import subprocess

import numpy as np
import pytest
import soundfile
import torch

BATCH = "audiopipe: 1\nstages: [mix]\noutputs: {'{name}.wav': mix}\n"
WHOLE = "get the whole file, or keep the part that is there with `ffmpeg -i FILE part.wav`"
NOT_AUDIO = (
    "is not audio, or is damaged: Invalid data found when processing input; if it plays "
    "elsewhere, convert it to WAV or FLAC there"
)


@pytest.fixture
def place(tmp_path, song):
    """A folder with all kinds of files that are no good."""
    (tmp_path / "p.yaml").write_text(BATCH)
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("This is a text, and no sound at all.\n" * 20)
    data = song.read_bytes()
    (tmp_path / "cut.wav").write_bytes(data[:16044])
    (tmp_path / "head.wav").write_bytes(data[:20])
    soundfile.write(tmp_path / "a.flac", soundfile.read(song)[0], 16000)
    flac = (tmp_path / "a.flac").read_bytes()
    (tmp_path / "cut.flac").write_bytes(flac[: len(flac) // 2])
    samples = np.zeros((16000, 2), np.float32)
    samples[8000, 1] = np.nan
    soundfile.write(tmp_path / "nan.wav", samples, 16000, subtype="FLOAT")
    samples[8000, 1] = -np.inf
    soundfile.write(tmp_path / "inf.wav", samples, 16000, subtype="FLOAT")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.wav").symlink_to("nowhere.wav")
    return tmp_path


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("empty.wav", "is empty (0 bytes); copy or record it again"),
        pytest.param(
            "text.wav",
            NOT_AUDIO,
            marks=pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg"),
        ),
        pytest.param(
            "head.wav",
            NOT_AUDIO,
            marks=pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg"),
        ),
        ("cut.wav", f"is cut off: 0.500 of 1.000 s are there; {WHOLE}"),
        (
            "nan.wav",
            "the sample at 0.500000 s (number 8000, channel 2) is NaN; make the recording anew "
            "from its source",
        ),
        (
            "inf.wav",
            "the sample at 0.500000 s (number 8000, channel 2) is infinite; make the recording "
            "anew from its source",
        ),
        ("absent.aiff", "there is no such file; check the name"),
        ("sing.wav", "there is no such file; did you mean 'song.wav'?"),
        ("link.wav", "is a link to nowhere.wav, where no file is"),
    ],
)
def test_an_input_that_cannot_be_read(cli, place, file, message):
    ran = cli("run", "p.yaml", file, "-o", "out")
    assert ran.err.splitlines() == [f"failed {file}: {message}"]
    assert ran.out == "0 done, 1 failed, in out\n"
    assert ran.code == 3
    assert not list((place / "out").glob("*"))[1:], "only the journal is there"


def test_a_flac_that_is_cut_off(cli, place):
    ran = cli("run", "p.yaml", "cut.flac", "-o", "out")
    assert ran.code == 3
    assert ran.err.startswith("failed cut.flac: is damaged or cut off: decoding ended after 0.")
    assert ran.err.endswith(f"; {WHOLE}\n")


def test_an_input_that_may_not_be_read(song, as_nobody):
    from audiopipe.io.read import open_audio

    song.chmod(0)
    assert as_nobody(lambda: open_audio(song)) == (
        f"AudioError: {song}: cannot be opened: Permission denied; check who may read it (ls -l)"
    )


COMMANDS = [
    # What is wrong with the command
    (["run", "p.yaml", "folder"], 3, "folder: there is no audio in this folder"),
    (["run", "p.yaml", "*.mp3"], 3, "*.mp3: no file matches this pattern"),
    (
        ["run", "pich", "song.wav"],
        2,
        "pich: there is no such file, nor a ready pipeline; did you mean 'pitch'?",
    ),
    (
        ["run", "q.yaml", "song.wav"],
        2,
        "q.yaml: there is no such file, nor a ready pipeline; there is",
    ),
    (
        ["run", "p.yaml", "song.wav", "--set", "mixx.gains=1 dB"],
        2,
        "--set mixx.gains: there is no stage 'mixx'; did you mean 'mix'?",
    ),
    (
        ["run", "p.yaml", "song.wav", "--set", "mix.gain=1 dB"],
        2,
        "--set mix.gain:1:1: 'mix' has no option 'gain'; did you mean 'gains'?",
    ),
    (
        ["run", "p.yaml", "song.wav", "--device", "gpu"],
        5,
        "unknown device 'gpu'; write auto, cpu, cuda, cuda:N or mps",
    ),
    (
        ["run", "p.yaml", "song.wav", "--dtype", "int8"],
        5,
        "unknown dtype 'int8'; write float32, float16, bfloat16",
    ),
    # What is wrong with where it goes
    (["run", "p.yaml", "song.wav", "-o", "."], 4, "song.wav: is an input and would be overwritten"),
    (
        ["run", "p.yaml", "song.wav", "-o", "p.yaml"],
        4,
        "p.yaml: a file is in the way of this folder; choose another",
    ),
    (
        ["run", "p.yaml", "song.wav", "a.flac", "folder/song.wav", "-o", "out"],
        4,
        "out/song.wav: would be written for both song.wav and folder/song.wav; run them into two "
        "folders, or give the folder that holds both",
    ),
    # The other verbs
    (["plan", "p.yaml", "absent.aiff"], 3, "absent.aiff: there is no such file; check the name"),
    (
        ["plan", "p.yaml", "--svg", "no/x.svg"],
        4,
        "PLACE/no/x.svg: there is no folder PLACE/no; create it first",
    ),
    (["stages", "spectogram"], 2, "there is no stage 'spectogram'; did you mean 'spectrogram'?"),
    (["live", "p.yaml", "--file", "empty.wav"], 3, "empty.wav: is empty (0 bytes); copy or record"),
    (["live", "wxyz"], 2, "wxyz: there is no such file, nor a ready pipeline; there is"),
    (["models", "show", "nope"], 6, ""),
]


@pytest.mark.parametrize(("arguments", "code", "message"), COMMANDS)
def test_a_command_that_cannot_be_done(cli, place, arguments, code, message):
    ran = cli(*arguments)
    assert ran.err.startswith(f"error: {message.replace('PLACE', str(place))}")
    assert len(ran.err.splitlines()) == 1
    assert ran.code == code


USAGE = [
    (["rum"], "No such command 'rum'. Did you mean 'run'?"),
    (["run"], "Missing argument 'PIPELINE'."),
    (["run", "p.yaml"], "Missing argument 'INPUT...'."),
    (["run", "p.yaml", "song.wav", "--set", "x"], "'x' is not stage.option=value"),
    (["run", "p.yaml", "song.wav", "--together", "0"], "greater than or equal to 1"),
    (["live", "p.yaml", "--stdin", "--rate", "0"], "greater than or equal to 1"),
    (["live", "p.yaml", "--queue", "0"], "greater than or equal to 0.02"),
    (["live", "p.yaml", "--policy", "drop"], "'drop' is not one of"),
    (["live", "p.yaml", "--stdin", "--file", "song.wav"], "listen to one of them"),
    (["live", "p.yaml", "--stdin", "--json", "--stdout", "x"], "both print to stdout"),
    (
        ["live", "p.yaml", "--file", "song.wav", "--stdout", "x"],
        "no audio output 'x'; there is {name}.wav",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), USAGE)
def test_a_command_that_is_wrong(cli, place, arguments, message):
    ran = cli(*arguments)
    assert message in " ".join(ran.err.replace("│", " ").split())
    assert ran.code == 2


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
@pytest.mark.parametrize("verb", ["run", "plan", "live", "check"])
def test_cuda_that_is_not_there_is_no_cpu(cli, place, verb):
    with (place / "p.yaml").open("a") as file:
        file.write("tests: [{input: silence 1 s, expect: {mix: length 1 s ± 0}}]\n")
    inputs = {"live": ["--file", "song.wav"], "check": []}.get(verb, ["song.wav"])
    ran = cli(verb, "p.yaml", *inputs, "--device", "cuda")
    assert ran.code == 5
    assert ran.err.startswith(
        "error: device 'cuda' was asked for, but no CUDA device can be used ("
    )
    assert ran.err.endswith("); `--device auto` takes what there is\n")


def test_all_that_is_wrong_in_a_definition(cli, place):
    (place / "bad.yaml").write_text("audiopipe: 1\nstages: [nope, {use: tap, hopp: 1}]\nx: 1\n")
    wrong = [
        "bad.yaml:2:10: there is no stage 'nope'; ",
        "bad.yaml:2:27: 'tap' has no option 'hopp'; did you mean 'hop'?",
        "bad.yaml:3:1: unknown key 'x'; ",
    ]
    ran = cli("run", "bad.yaml", "song.wav")
    assert ran.code == 2
    for line, start in zip(ran.err.splitlines(), wrong, strict=True):
        assert line.startswith(f"error: {start}")
    ran = cli("check", "bad.yaml", "p.yaml")
    assert ran.code == 2
    for line, start in zip(ran.out.splitlines(), [*wrong, "p.yaml: right"], strict=True):
        assert line.startswith(start)


def test_one_bad_file_among_good_ones(cli, place, sound, write):
    write("more/a.wav", sound(0.1))
    ran = cli("run", "p.yaml", "song.wav", "empty.wav", "more", "-o", "out")
    assert (ran.code, ran.out) == (9, "2 done, 1 failed, in out\n")
    assert ran.err == "failed empty.wav: is empty (0 bytes); copy or record it again\n"


def test_a_stage_that_breaks(cli, place, planted):
    (place / "b.yaml").write_text("audiopipe: 1\nstages: [{use: broken, above: 0.1}]\n")
    ran = cli("run", "b.yaml", "song.wav")
    assert ran.code == 8
    assert ran.err == (
        "failed 'broken' (broken) broke: IndexError: off the table; this is a fault in the stage, "
        "please report it\n"
    )


def test_an_offline_stage_live(cli, place, planted):
    (place / "t.yaml").write_text("audiopipe: 1\nstages: [twice]\n")
    ran = cli("live", "t.yaml", "--file", "song.wav")
    assert ran.code == 2
    assert ran.err == (
        "error: 'twice' (twice) cannot stream: the peak is known at the end; use mix\n"
    )


def test_too_slow_and_nothing_may_be_dropped(cli, place, planted):
    (place / "s.yaml").write_text("audiopipe: 1\nstages: [{use: slow, pause: 0.2}]\n")
    ran = cli(
        "live", "s.yaml", "--file", "song.wav", "--no-realtime", "--policy", "fail",
        "--queue", "0.1", "-o", "out",
    )  # fmt: skip
    assert ran.code == 5
    assert ran.err.startswith("error: the pipeline is slower than its input: 0.1 s were waiting")
    assert not list((place / "out").iterdir())


def test_no_microphone(cli, place, monkeypatch):
    from audiopipe.io import devices

    monkeypatch.setattr(devices, "list_devices", list)
    ran = cli("live", "p.yaml")
    assert ran.code == 5
    assert ran.err == (
        "error: there is no microphone on this machine; use a file, or raw PCM from standard "
        "input\n"
    )


def test_a_full_disk(cli, place):
    disk = place / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        ran = cli("run", "p.yaml", "song.wav", "-o", "disk/out")
        left = [path for path in (disk / "out").iterdir() if path.name != ".audiopipe"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert ran.code == 4
    assert ran.err.startswith(f"failed {disk}/out/song.wav: the disk is full: ")
    assert ran.err.endswith("; free some space or write elsewhere\n")
    assert left == []
