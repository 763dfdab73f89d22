"""Numbers, names, cents, and where the notes of a temperament are."""

import numpy as np
import pytest
import torch

from audiopipe import tuning
from audiopipe.signals import PitchTrack
from audiopipe.tuning import DEGREES, TEMPERAMENTS, Tuning

# J. M. Barbour, "Tuning and Temperament" (1951), to a cent; just: the ratios themselves.
KNOWN = {
    "equal": [0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000, 1100],
    "just": [0, 112, 204, 316, 386, 498, 590, 702, 814, 884, 1018, 1088],
    "pythagorean": [0, 114, 204, 294, 408, 498, 612, 702, 816, 906, 996, 1110],
    "meantone": [0, 76, 193, 310, 386, 503, 579, 697, 773, 890, 1007, 1083],
    "werckmeister3": [0, 90, 192, 294, 390, 498, 588, 696, 792, 888, 996, 1092],
    "kirnberger3": [0, 90, 193, 294, 386, 498, 590, 697, 792, 890, 996, 1088],
}


@pytest.mark.parametrize("name", TEMPERAMENTS)
def test_temperaments_are_those_of_the_literature(name):
    assert DEGREES[name] == pytest.approx(KNOWN[name], abs=0.6)


def test_every_temperament_has_its_pure_intervals():
    third, fifth = tuning.cents(5, 4), tuning.cents(3, 2)
    assert DEGREES["just"][4] == pytest.approx(third)
    assert DEGREES["meantone"][4] == pytest.approx(third)
    assert DEGREES["kirnberger3"][4] == pytest.approx(third)
    assert DEGREES["pythagorean"][7] == pytest.approx(fifth)
    werckmeister = DEGREES["werckmeister3"]
    assert (werckmeister[4] - werckmeister[9]) % 1200 == pytest.approx(fifth)  # A-E


@pytest.mark.parametrize("a4", [415, 430, 440, 442, 466])
@pytest.mark.parametrize("name", TEMPERAMENTS)
@pytest.mark.parametrize("tonic", [0, 2, 9, 11])
def test_a4_is_where_it_is_said_to_be_and_every_note_is_heard_as_itself(a4, name, tonic):
    tuned = Tuning(a4, name, tonic)
    assert tuned.hertz(69) == pytest.approx(a4)
    for number in range(21, 109):
        for cents in (-20, 0, 3):
            heard = tuned.hear(tuned.hertz(number) * 2 ** (cents / 1200))
            assert (heard.number, heard.cents) == (number, pytest.approx(cents, abs=1e-6))


def test_a_tonic_moves_the_degrees():
    """D minor's sixth, in just intonation on D, is a pure one above D."""
    tuned = Tuning(temperament="just", tonic=2)
    assert tuning.cents(tuned.hertz(69), tuned.hertz(62)) == pytest.approx(tuning.cents(3, 2))
    assert tuning.cents(tuned.hertz(66), tuned.hertz(62)) == pytest.approx(tuning.cents(5, 4))


def test_a_string_that_is_three_cents_off():
    for number in (28, 40, 55, 64, 100):
        heard = Tuning().hear(tuning.hertz(number + 0.03))
        assert (heard.number, round(heard.cents, 6)) == (number, 3.0)
    assert str(Tuning().hear(tuning.hertz(68.97))) == "A4 -3 cents"


def test_there_and_back():
    numbers = np.linspace(0, 127, 500)
    for a4 in (415.0, 440.0, 466.0):
        assert [tuning.midi(tuning.hertz(n, a4), a4) for n in numbers] == pytest.approx(numbers)


@pytest.mark.parametrize("text", ["", "H", "c##", "4", "As"])
def test_what_is_no_note(text):
    with pytest.raises(ValueError, match="is no note"):
        tuning.pitch_class(text)


def test_a_pitch_track_in_numbers_and_cents():
    track = PitchTrack(
        torch.tensor([440.0, 466.1638, 220.0, 0.0]),
        torch.tensor([True, True, False, False]),
        torch.ones(4), 16000, 160,
    )  # fmt: skip
    assert torch.allclose(track.midi()[:2], torch.tensor([69.0, 70.0]), atol=1e-4)
    assert track.midi()[2:].isnan().all()
    assert torch.allclose(track.cents(220.0)[:2], torch.tensor([1200.0, 1300.0]), atol=1e-2)
    assert float(track.midi(a4=415.0)[0]) == pytest.approx(70.013, abs=1e-3)
