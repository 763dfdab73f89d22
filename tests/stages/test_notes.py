"""Notes of known melodies: of pitch tracks, and of sound."""

import numpy as np
import pytest
import torch
from melodies import SCALE, sung, track

from audiopipe.pipeline import Pipeline, load
from audiopipe.signals import Notes as Events
from audiopipe.stages.notes import Notes
from audiopipe.stages.pitch import Pitch
from audiopipe.units import Span

RNG = np.random.default_rng(0)
HOP = 0.01


def found(numbers, **options):
    """Notes of a track, as (begin, end) in frames and pitch."""
    notes = Pipeline([Notes(**options)]).run(track(numbers))["notes"]
    assert isinstance(notes, Events)
    return [(n.start // 160, n.stop // 160, round(n.pitch, 2)) for n in notes]


def steps(*numbers, length=20):
    return np.repeat(np.array(numbers, float), length)


def wave(cents, hertz, count=200, phase=0.0):
    return cents / 100 * np.sin(2 * np.pi * hertz * HOP * np.arange(count) + phase)


class TestOfTracks:
    def test_steps(self):
        assert found(steps(60, 62.1, np.nan, 62.1)) == [(0, 20, 60), (20, 40, 62.1), (60, 80, 62.1)]

    @pytest.mark.parametrize("cents", [30, 60, 100])
    @pytest.mark.parametrize("hertz", [4, 5.5, 6, 7])
    @pytest.mark.parametrize("phase", [0, 1, 2, 4])
    def test_a_vibrato_is_one_note(self, cents, hertz, phase):
        ((begin, end, pitch),) = found(60.0 + wave(cents, hertz, phase=phase))
        assert (begin, end) == (0, 200)
        assert pitch == pytest.approx(60, abs=0.2)

    @pytest.mark.parametrize("interval", [1, 2, 7, 12])
    @pytest.mark.parametrize("frames", [10, 12, 25])
    def test_fast_scales_and_trills(self, interval, frames):
        scale = 48 + interval * np.arange(5.0)
        trill = 60 + interval * (np.arange(8.0) % 2)
        kinds = (scale, scale[::-1]) if interval == 1 else (scale, scale[::-1], trill)
        for numbers in kinds:
            notes = found(steps(*numbers, length=frames))
            assert [pitch for _, _, pitch in notes] == list(numbers)
            begins = [begin for begin, _, _ in notes]
            assert begins == pytest.approx(frames * np.arange(len(numbers)), abs=1)

    def test_octave_errors_that_are_short_are_passed_over(self):
        numbers = np.full(200, 55.0)
        for at, wrong in ((20, 67), (60, 43), (100, 79), (150, 74)):
            numbers[at : at + 4] = wrong
        assert found(numbers) == [(0, 200, 55)]
        numbers[30:50] = 67  # which is no error
        assert [pitch for *_, pitch in found(numbers)] == [55, 67, 55]

    def test_short_dropouts_are_passed_over_and_gaps_are_not(self):
        numbers = np.full(200, 55.0)
        numbers[[10, 11, 40, 41, 42, 80]] = np.nan
        assert found(numbers) == [(0, 200, 55)]
        numbers[100:107] = np.nan
        assert found(numbers) == [(0, 100, 55), (107, 200, 55)]
        assert found(numbers, gap=Span.parse("100 ms")) == [(0, 200, 55)]

    def test_a_gap_between_two_notes_belongs_to_neither(self):
        assert found([*[60.0] * 20, *[np.nan] * 3, *[64.0] * 20]) == [(0, 20, 60), (23, 43, 64)]

    def test_a_glide_goes_from_note_to_note(self):
        glide = np.concatenate([np.full(40, 60.0), np.linspace(60, 67, 10), np.full(40, 67.0)])
        (first, middle, low), (begin, last, high) = found(glide)
        assert (first, last, low, high) == (0, 90, 60, 67)
        assert middle == begin == pytest.approx(45, abs=2)

    def test_a_scoop_belongs_to_the_note_it_leads_to(self):
        scoop = np.concatenate([np.linspace(57.5, 60, 9), np.full(60, 60.0)])
        ((begin, end, pitch),) = found(scoop)
        assert (begin, end) == (0, 69)
        assert pitch == pytest.approx(60, abs=0.05)

    def test_what_is_short_is_no_note(self):
        numbers = np.full(100, np.nan)
        numbers[40:45] = 60
        assert found(numbers) == []
        assert found(numbers, shortest=Span.parse("30 ms")) == [(40, 45, 60)]

    def test_a_singer_who_is_out_of_tune(self):
        ((_, _, pitch),) = found(np.full(100, 60.37))
        assert pitch == pytest.approx(60.37)

    def test_another_a4(self):
        ((_, _, pitch),) = found(np.full(100, 69.0), a4=415.0)
        assert pitch == pytest.approx(70.01, abs=0.01)

    def test_noise_gives_few_notes(self):
        numbers = RNG.uniform(40, 80, 500)
        assert len(found(numbers)) < 20

    def test_not_a_number_and_zero_hertz(self):
        bad = track(steps(60, 62))
        bad.hz[5], bad.hz[25], bad.hz[6] = torch.nan, 0.0, torch.inf
        notes = Pipeline([Notes()]).run(bad)["notes"]
        assert [n.label for n in notes] == ["C4", "D4"]

    def test_frames_of_another_hop(self):
        for hop in (80, 320, 441):
            numbers = np.repeat([60.0, 61, np.nan, 61], 4000 // hop)
            notes = Pipeline([Notes()]).run(track(numbers, hop=hop))["notes"]
            assert [n.label for n in notes] == ["C4", "C♯4", "C♯4"]
            assert notes.events[1].start == pytest.approx(4000, abs=hop)

    def test_a_note_tells_of_itself(self):
        (note,) = Pipeline([Notes()]).run(track(np.full(50, 68.96)))["notes"]
        assert (note.label, note.number, note.start, note.stop) == ("A4", 69, 0, 8000)
        assert note.cents == pytest.approx(-4, abs=0.1)
        assert note.score == pytest.approx(0.9)

    def test_a_note_is_out_as_soon_as_is_declared(self):
        stage, sound = Notes(), track([*[60.0] * 30, *[64.0] * 60])
        lag = stage.reach(sound).latency
        stream = Pipeline([stage]).stream(sound.cut(k, k + 1) for k in range(90))
        out = [len(block.get("notes", ())) for block in stream]
        assert out.index(1) == 30 + lag

    def test_options_that_cannot_be(self):
        with pytest.raises(ValueError, match="lag: 300 ms"):
            Notes(lag="0 s")
        with pytest.raises(ValueError, match="a4"):
            Notes(a4=100.0)


def notes_of(audio, low=60.0, high=1500.0):
    notes = Pipeline([Pitch(method="yin", range=(low, high)), Notes()]).run(audio)["notes"]
    return [(n.start / notes.rate, n.stop / notes.rate, n.pitch) for n in notes]


class TestOfSound:
    def check(self, audio, truth, cents=10, edge=0.03, **options):
        notes = notes_of(audio, **options)
        assert [round(pitch) for *_, pitch in notes] == [round(pitch) for *_, pitch in truth]
        for (begin, end, pitch), (first, last, wanted) in zip(notes, truth, strict=True):
            assert begin == pytest.approx(first, abs=edge)
            assert end == pytest.approx(last, abs=2 * edge)
            assert pitch == pytest.approx(wanted, abs=cents / 100)

    @pytest.mark.parametrize("shift", [-15, 0, 12])
    def test_a_chromatic_scale_at_eight_notes_a_second(self, shift):
        truth = [(begin, end, pitch + shift) for begin, end, pitch in SCALE]
        self.check(sung(truth, 2.7), truth)

    @pytest.mark.parametrize("pitch", [48, 60, 72.2])
    def test_a_vibrato_is_one_note(self, pitch):
        truth = [(0.5, 2.5, pitch)]
        self.check(sung(truth, 3, vibrato=60, beat=6), truth)

    def test_a_melody_with_glides_and_vibrato(self):
        truth = [(0.5, 1.0, 60), (1.0, 1.5, 67), (1.5, 2.2, 64), (2.4, 3.0, 52)]
        self.check(sung(truth, 3.5, vibrato=40, glide=0.06), truth, cents=15)

    def test_a_note_that_is_repeated_after_a_pause(self):
        truth = [(0.5, 0.9, 60), (1.1, 1.5, 60)]
        self.check(sung(truth, 2), truth)

    def test_silence_and_noise(self):
        assert notes_of(sung([(0, 1, 60)], 1, harmonics=0)) == []


def test_the_melody_of_our_sample(request):
    samples = request.config.rootpath / "samples"
    notes = load("notes").run(samples / "melody.flac")["notes"]
    names = ["E4", "G4", "A4", "G4", "E4", "D4", "E4", "G4", "E4", "D4", "C4"]
    assert [note.label for note in notes] == names
    assert all(abs(note.cents) < 20 for note in notes)
