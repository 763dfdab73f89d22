"""A stage whose step gives much for little hands it on part by part."""

from fractions import Fraction

import pytest
import torch

import audiopipe
from audiopipe import Audio, Reach, Segment, Stateful, Text
from audiopipe.errors import AudiopipeError, StageError
from audiopipe.stages.normalize import Normalize
from audiopipe.stages.resample import Resample
from audiopipe.stages.tap import Tap

MADE = []


class Count(Stateful):
    """A word of n letters becomes n blocks of ten samples."""

    name = "count"
    takes = Text
    retimes = True

    def output(self, source):
        return {"": Audio.empty(8000, 1), "words": Text((), 8000)}

    def reach(self, source):
        return Reach(0, 0, 0)

    def start(self, model, sources):
        return [0]

    def step(self, model, state, blocks, last):
        return self.unfold(state, blocks[0])

    def unfold(self, state, block):
        for segment in block.segments:
            for letter in segment.text:
                if letter == "!":
                    raise AudiopipeError("cannot say '!'")
                if letter == "?":
                    raise RuntimeError("broken")
                MADE.append(letter)
                value = (ord(letter) - 64) / 100
                audio = Audio(torch.full((1, 10), value), 8000, state[0])
                state[0] += 10
                yield audio, Text((Segment(letter, audio.start, state[0]),), 8000)


@pytest.fixture(autouse=True)
def _fresh():
    MADE.clear()


def texts(*words):
    return [Text((Segment(word),)) for word in words]


def test_each_part_goes_on_before_the_next_is_made():
    engine = audiopipe.Pipeline([Count(), Tap(hop="10 samples")]).engine(Text(()))
    seen = []
    for out in engine.stream().feed(texts("ABC")[0]):
        seen += [(len(MADE), len(out["tap"]))] if out else []
    assert seen == [(1, 1), (2, 1), (3, 1)]


@pytest.mark.parametrize("cut", [["ABCDE"], ["A", "BCDE"], ["", "AB", "", "CDE", ""]])
def test_however_text_is_cut_the_same_comes_out(cut):
    pipeline = audiopipe.Pipeline(
        {"count": Count(), "up": (Resample(rate=16000), "count")},
        outputs={"sound.wav": "up", "words.json": "count.words"},
    )
    whole = pipeline.run(Text((Segment("ABCDE"),)))
    parts = list(pipeline.stream(texts(*cut)))
    sound = Audio.join([out["sound.wav"] for out in parts if "sound.wav" in out])
    assert torch.equal(sound.samples, whole["sound.wav"].samples)
    assert len(sound) == 100
    words = Text.join([out["words.json"] for out in parts if "words.json" in out])
    assert [(s.text, s.start) for s in words.segments] == [
        (letter, 10 * n) for n, letter in enumerate("ABCDE")
    ]


def test_the_end_is_known_behind_it():
    two_pass = Normalize(peak=-6.0)
    made = audiopipe.Pipeline([Count(), two_pass]).run(Text((Segment("AZ"),)))["normalize"]
    assert made.duration == Fraction(20, 8000)
    assert made.samples.max() == pytest.approx(10 ** (-6 / 20), abs=1e-4)


def test_no_text_gives_no_sound():
    assert len(audiopipe.Pipeline([Count(), Tap()]).run(Text(()))["tap"]) == 0


def test_a_push_gives_all_of_it():
    engine = audiopipe.Pipeline([Count()]).engine(Text(()))
    out = engine.stream().push(texts("ABC")[0])
    assert len(out["count"]) == 30


def test_two_streams_unfold_side_by_side():
    from audiopipe.lockstep import Lockstep

    engine = audiopipe.Pipeline([Count()]).engine(Text(()))
    lockstep = Lockstep(engine)
    both = {"a": texts("AB")[0], "b": texts("WXYZ")[0]}
    got = {"a": [], "b": []}
    for out in lockstep.push(both, {"a": Fraction(0), "b": Fraction(0)}):
        for key, found in out.items():
            got[key].append(found["count"])
    for key, text in (("a", "AB"), ("b", "WXYZ")):
        values = Audio.join(got[key]).samples[0, ::10]
        assert values.tolist() == pytest.approx([(ord(c) - 64) / 100 for c in text])


def test_what_goes_wrong_in_the_middle_is_told_as_ever():
    pipeline = audiopipe.Pipeline([Count()])
    with pytest.raises(AudiopipeError, match="cannot say"):
        pipeline.run(Text((Segment("AB!"),)))
    with pytest.raises(StageError, match=r"'count' .*broken"):
        pipeline.run(Text((Segment("AB?"),)))
