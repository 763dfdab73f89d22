"""Pictures: every signal draws, at every length, from bounded memory."""

import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiopipe.errors import OutputError
from audiopipe.io import draw
from audiopipe.io.draw import note_ticks
from audiopipe.io.notebook import html
from audiopipe.io.pictures import picture_of, plot
from audiopipe.io.pool import Pool
from audiopipe.io.save import open_sink
from audiopipe.signals import (
    Audio,
    Detection,
    Detections,
    Levels,
    Note,
    Notes,
    Overlay,
    PitchTrack,
    Scores,
    Segment,
    Spectrogram,
    Stems,
    Text,
)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Few pixels, for speed."""
    monkeypatch.setattr(draw, "DPI", 40)


def pitch(frames, voiced=True):
    hz = torch.linspace(100, 400, frames)
    return PitchTrack(hz, torch.full((frames,), voiced), hz / 400, 16000, 160)


def spectrum(frames, scale="power", level=1.0, bins=6, dtype=torch.float32):
    lines = {"mfcc": (), "cqt": tuple(55 * 2.0**k for k in range(bins))}
    frequencies = lines.get(scale, tuple(float(100 * k) for k in range(bins)))
    values = torch.full((2, bins, frames), level, dtype=dtype)
    return Spectrogram(values, 8000, 80, 160, 80, scale, frequencies)


def audio(frames, level=0.5):
    return Audio(torch.full((2, frames), level), 8000)


def levels(frames, level):
    return Levels(torch.full((1, frames), level), torch.full((1, frames), level / 2), 8000, 80)


def scores(count):
    return Scores(torch.rand(3, count), ("yes", "no", "_silence_"), 16000, 800)


def overlay(frames, tracks=1, bins=6, level=1.0, voiced=True):
    columns = [tensor.expand(tracks, frames) for tensor in pitch(frames, voiced).tensors]
    frequencies = tuple(float(100 * k) for k in range(bins))
    values = torch.full((1, bins, frames), level)
    return Overlay(values, *columns, 16000, 160, "power", frequencies)


def notes(count):
    found = (Note(k * 99, k * 99 + 80, "A4", 0.9, 69.1 + k % 12) for k in range(count))
    return Notes(tuple(found), 8000)


SIGNALS = [
    *(audio(n, level) for n, level in ((0, 0.5), (1, 0.5), (500, 0.0), (500, 2.0))),
    *(pitch(n, voiced) for n, voiced in ((0, True), (1, True), (2, False), (500, True))),
    *(levels(n, level) for n, level in ((0, 0.5), (1, 0.5), (500, 0.0))),
    *(spectrum(n, "power") for n in (0, 1, 500)),
    *(spectrum(n, "mfcc") for n in (0, 1)),
    *(spectrum(500, scale) for scale in ("mel", "log-mel", "mfcc", "cqt")),
    *(scores(n) for n in (0, 1, 500)),
    *(overlay(n) for n in (0, 1, 500)),
    *(overlay(9, tracks, bins) for tracks, bins in ((0, 6), (5, 6), (1, 0), (0, 0), (1, 1))),
    *(overlay(9, level=0.0, voiced=voiced) for voiced in (True, False)),
    *(notes(count) for count in (0, 1, 200)),
    spectrum(10, level=0.0),
    spectrum(10, "complex", dtype=torch.complex64),
    spectrum(10, bins=1),
    Detections((), 8000),
    Detections(tuple(Detection(k, k + 9, f"word {k}", 0.5) for k in range(40)), 8000),
    Text((Segment("no time"),)),
    Text((Segment("Good morning to you all, " * 9, 0, 999, "Ann"), Segment("Yes.", 999, 1200))),
    Stems({}),
    Stems({"a": audio(100), "b": audio(100, 0.0)}),
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("signal", SIGNALS, ids=repr)
def test_everything_draws(tmp_path, signal):
    plot(signal, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_hours_draw_in_hours(tmp_path):
    sink = open_sink(tmp_path / "a.png", pitch(0))
    for k in range(24):  # of five minutes each
        sink.write(PitchTrack(*pitch(30_000).tensors, 16000, 160, k * 30_000))
    figure = sink._picture.figure()
    sink.close()
    axis = figure.axes[0]
    assert axis.get_xlim() == (0, 7200)
    assert axis.get_xlabel() == "time in min:s"
    assert len(axis.collections[0].get_segments()) <= 4096


def test_an_axis_says_what_it_shows():
    figure = plot(spectrum(100, "cqt"))
    figure.canvas.draw()
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["1 kHz", "500 Hz", "200 Hz", "100 Hz"]
    assert figure.axes[-1].get_ylabel() == "dB below the peak of 0 dB"


def test_scores_stand_in_the_rows_of_their_labels():
    values = torch.zeros(3, 40)
    values[1, 20:30] = 1.0
    figure = plot(Scores(values, ("yes", "no", "_silence_"), 16000, 800))
    figure.canvas.draw()
    axis = figure.axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["yes", "no", "_silence_"]
    assert axis.images[0].get_extent() == [0.0, 2.0, 2.5, -0.5]
    assert np.array_equal(axis.images[0].get_array(), values.numpy())


def test_a_contour_lies_over_its_line_in_the_spectrum():
    hz = torch.full((50,), 400.0)
    track = PitchTrack(hz, hz > 0, hz / 500, 16000, 160)
    values = torch.zeros(1, 41, 50)
    values[0, 8] = 1.0  # 400 Hz
    frequencies = tuple(50.0 * k for k in range(41))
    columns = [tensor[None] for tensor in track.tensors]
    figure = plot(Overlay(values, *columns, 16000, 160, "magnitude", frequencies))
    figure.canvas.draw()
    axis = figure.axes[0]
    (image,) = axis.images
    low, high = image.get_extent()[2:]
    rows = np.asarray(image.get_array()).mean(1)
    brightest = low + (rows.argmax() + 0.5) / len(rows) * (high - low)
    line = axis.collections[-2 if len(axis.collections) < 5 else -3].get_segments()
    assert np.allclose(line[0][:, 1], 67.35, atol=0.01)
    assert brightest == pytest.approx(67.35, abs=0.3)
    labels = [label.get_text() for label in axis.get_yticklabels()]
    assert "G4  392 Hz" in labels
    assert figure.axes[-1].get_ylabel() == "confidence"


def test_notes_stand_at_their_pitch():
    figure = plot(Notes((Note(8000, 16000, "A4", 1.0, 69.2),), 8000))
    (bar,) = figure.axes[0].patches
    assert (bar.get_x(), bar.get_width()) == (1.0, 1.0)
    assert bar.get_y() + bar.get_height() / 2 == pytest.approx(69.2)
    assert [text.get_text() for text in figure.axes[0].texts] == ["A4"]


def test_notes_mark_the_pitch():
    assert np.allclose(note_ticks(430, 500), [440.0, 466.16, 493.88], atol=0.01)
    assert len(note_ticks(30, 4000)) <= 8


def test_pictures_are_png(tmp_path):
    with pytest.raises(OutputError, match=r"pictures are written as \.png; change the suffix"):
        plot(pitch(3), tmp_path / "a.jpg")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.integers(0, 50), max_size=40),
    st.sampled_from([(np.max, 1), (np.min, 1), (np.mean, 0)]),
)
def test_pooling_is_the_same_however_it_is_fed(lengths, how):
    reduce, _ = how
    data = np.random.default_rng(0).standard_normal((2, sum(lengths)))
    pool = Pool(reduce, limit=16)
    for start, stop in zip(np.cumsum([0, *lengths]), np.cumsum(lengths), strict=False):
        pool.add(data[:, start:stop])
    columns = pool.columns()
    assert pool.length == data.shape[1]
    if not lengths:
        return
    assert columns.shape[-1] <= 16
    parts = [data[:, k : k + pool.factor] for k in range(0, data.shape[1], pool.factor)]
    expected = np.array([reduce(part, axis=-1) for part in parts]).reshape(-1, 2).T
    assert np.allclose(columns, expected)


def test_what_has_no_picture():
    with pytest.raises(TypeError, match="a int has no picture"):
        picture_of(3)


def test_drawing_touches_no_window_system():
    program = (
        "import sys, torch; import audiopipe.io.save; assert 'matplotlib' not in sys.modules\n"
        "from audiopipe.signals import Audio; Audio(torch.zeros(9), 8000).plot()\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_notebook_plays_and_shows():
    page = html(audio(8000))
    assert "Audio(2 channels, 8000 samples" in page
    assert page.count("data:audio/wav;base64,") == page.count("data:image/png;base64,") == 1
    assert "minutes" not in page
    both = html(Stems({"a<b": audio(10), "c": audio(10)}))
    assert both.count("data:audio/wav") == 2
    assert "a&lt;b" in both
    assert html(Text((Segment("<hi>", speaker="A"),))).endswith("<p><b>A</b> &lt;hi&gt;</p>")
    assert "Detections(0)" in html(Detections((), 8000))


def test_a_notebook_is_not_filled():
    page = html(Audio(torch.zeros(1, 100 * 360), 100))
    assert "the first 5 of 6.0 minutes; save() the rest" in page
    data = re.search(r"data:audio/wav;base64,([^\"]*)", page)[1]
    assert 0.9 < len(data) * 3 / 4 / (100 * 300 * 2) < 1.1


def test_mel_and_log_mel_of_a_sound_look_the_same():
    from audiopipe.pipeline import Pipeline
    from audiopipe.run.generate import generate
    from audiopipe.stages.spectrogram import Spectrogram as Analyse

    drawn = []
    for scale in ("mel", "log-mel"):
        spectrum = Pipeline([Analyse(scale=scale)]).run(generate("sweep 100 Hz 8 kHz 1 s"))
        figure = spectrum["spectrogram"].plot()
        drawn.append(np.asarray(figure.axes[0].images[0].get_array()))
    assert np.abs(drawn[0] - drawn[1]).max() < 0.01  # dB
