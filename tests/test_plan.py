"""The planner: shapes of graphs, what it inserts, how late things are, where they run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import pytest
import torch
from planning import (
    CD,
    MONO,
    Both,
    FromLevels,
    Later,
    Mixed,
    Split,
    Wants,
    made,
    mix,
    node,
    problems,
    stage,
)

from audiopipe.device import choose
from audiopipe.errors import DeviceError, OfflineError
from audiopipe.estimate import estimate
from audiopipe.plan import Graph, Node, plan
from audiopipe.signals import Audio, Spectrogram, Stems
from audiopipe.stage import Chain, Stage


@dataclass
class Shape:
    """A graph, and what its plan has to be."""

    name: str
    nodes: tuple[Node, ...]
    steps: dict[str, tuple[str, ...]]
    outputs: dict[str, str] = field(default_factory=dict)
    source: Audio = MONO
    late: dict[str, Fraction] = field(default_factory=dict)


TAP = Fraction(79, 16000)
"""Latency in s of a tap with a hop of 80 samples at 16 kHz."""

SHAPES = (
    Shape(
        "one stage",
        (node("t", stage("tap", hop=80)),),
        {"t": ("input",)},
        late={"t": TAP},
    ),
    Shape(
        "a chain",
        (
            node("w", Wants(ahead=10)),
            node("v", Wants(ahead=6), "w"),
            node("t", stage("tap", hop=80), "v"),
        ),
        {"w": ("input",), "v": ("w",), "t": ("v",)},
        late={"t": TAP + Fraction(16, 16000)},
    ),
    Shape(
        "two branches",
        (node("a", Wants(ahead=10)), node("b", Wants(ahead=90))),
        {"a": ("input",), "b": ("input",)},
        {"x": "a", "y": "b"},
        late={"x": Fraction(10, 16000), "y": Fraction(90, 16000)},
    ),
    Shape(
        "branches that join: the longest path counts",
        (
            node("a", Wants(ahead=10)),
            node("b", Wants(ahead=90)),
            node("c", Wants(ahead=5), "b"),
            node("sum", mix(), "a", "c", "input"),
        ),
        {"a": ("input",), "b": ("input",), "c": ("b",), "sum": ("a", "c", "input")},
        late={"sum": Fraction(95, 16000)},
    ),
    Shape(
        "a diamond",
        (
            node("top", Wants(ahead=1)),
            node("left", Wants(ahead=20), "top"),
            node("right", Wants(ahead=30), "top"),
            node("end", mix(), "left", "right"),
        ),
        {"top": ("input",), "left": ("top",), "right": ("top",), "end": ("left", "right")},
        late={"end": Fraction(31, 16000)},
    ),
    Shape(
        "one source twice",
        (node("sum", mix(), "input", "input"),),
        {"sum": ("input", "input")},
        late={"sum": Fraction(0)},
    ),
    Shape(
        "the input itself is written",
        (node("t", stage("tap", hop=80)),),
        {"t": ("input",)},
        {"copy": "input", "level": "t"},
        late={"copy": Fraction(0), "level": TAP},
    ),
    Shape(
        "ports",
        (node("s", Split(ahead=7)), node("w", Wants(ahead=1), "s.rest")),
        {"s": ("input",), "w": ("s.rest",)},
        {"stems": "s", "one": "s.vocals", "w": "w"},
        late={"stems": Fraction(7, 16000), "one": Fraction(7, 16000), "w": Fraction(8, 16000)},
    ),
    Shape(
        "several ports of other kinds, one by one",
        (node("m", Mixed()), node("f", FromLevels(), "m.level")),
        {"m": ("input",), "f": ("m.level",)},
        {"a": "m.sound", "b": "f"},
        late={"a": Fraction(0), "b": Fraction(4, 16000)},
    ),
    Shape(
        "a chain stage is its parts",
        (node("b", Both()),),
        {"b/tap": ("input",), "b": ("b/tap",)},
        late={"b": TAP + Fraction(4 * 80, 16000)},
    ),
    Shape(
        "fewer channels first, then the rate",
        (node("w", Wants()),),
        {"input/mix-1": ("input",), "input/mix-1/resample-16000": ("input/mix-1",)}
        | {"w": ("input/mix-1/resample-16000",)},
        source=CD,
    ),
    Shape(
        "what is inserted is shared",
        (node("v", Wants()), node("w", Wants()), node("sum", mix(), "v", "w")),
        {"input/mix-1": ("input",), "input/mix-1/resample-16000": ("input/mix-1",)}
        | {"v": ("input/mix-1/resample-16000",), "w": ("input/mix-1/resample-16000",)}
        | {"sum": ("v", "w")},
        source=CD,
    ),
    Shape(
        "a mix takes the rate of its first input",
        (node("down", stage("resample", rate=16000)), node("sum", mix(), "down", "input")),
        {"down": ("input",), "input/resample-16000": ("input",)}
        | {"sum": ("down", "input/resample-16000")},
        source=CD,
    ),
    Shape(
        "a port is converted under its own name",
        (
            node("s", Split()),
            node("r", stage("resample", rate=8000), "s.rest"),
            node("sum", mix(), "r", "s.vocals"),
        ),
        {"s": ("input",), "r": ("s.rest",), "s.vocals/resample-8000": ("s.vocals",)}
        | {"sum": ("r", "s.vocals/resample-8000")},
    ),
)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_shape(shape: Shape):
    found = made(*shape.nodes, source=shape.source, **shape.outputs)
    assert {step.name: tuple(map(str, step.sources)) for step in found.steps} == shape.steps
    for name, late in shape.late.items():
        assert found.output_latency(name) == late
    order = [step.name for step in found.steps]
    for step in found.steps:
        for source in step.sources:
            assert source.step == "input" or order.index(source.step) < order.index(step.name)


class TestInserting:
    def test_says_why(self):
        found = made(node("w", Wants()), source=CD)
        assert [step.why for step in found.steps] == ["'w' wants 1 ch", "'w' wants 16000 Hz", ""]

    def test_formats_follow(self):
        found = made(node("w", Wants()), source=CD)
        assert [str(step.formats[0]) for step in found.steps] == [
            "Audio(2 channels, 0 samples, 44100 Hz, 0 s)",
            "Audio(1 channel, 0 samples, 44100 Hz, 0 s)",
            "Audio(1 channel, 0 samples, 16000 Hz, 0 s)",
        ]

    def test_counts_into_the_latency(self):
        found = made(node("w", Wants(ahead=16)), source=CD)
        resample = found.step("input/mix-1/resample-16000")
        assert resample.latency > 0
        assert found.output_latency("w") == resample.latency + Fraction(16, 16000)

    def test_nothing_where_nothing_is_needed(self):
        assert [step.name for step in made(node("w", Wants())).steps] == ["w"]

    def test_strict_forbids_it_and_says_what_to_write(self):
        message = problems(node("w", Wants()), source=CD, strict=True)
        assert message == (
            "'w' (wants): wants channels 1, but 'input' has another, and the definition is "
            "strict: put a stage {use: mix, channels: 1} before it"
        )

    def test_strict_allows_what_is_written(self):
        nodes = (
            node("mono", mix(channels=1)),
            node("down", stage("resample", rate=16000), "mono"),
            node("w", Wants(), "down"),
        )
        assert [s.name for s in made(*nodes, source=CD, strict=True).steps] == ["mono", "down", "w"]


class TestOutputs:
    def test_the_last_stage_where_nothing_is_said(self):
        found = made(node("a", Wants()), node("t", stage("tap"), "a"))
        assert {name: list(map(str, refs)) for name, refs in found.outputs.items()} == {"t": ["t"]}

    def test_formats(self):
        found = made(node("s", Split()), stems="s", one="s.rest", copy="input")
        assert isinstance(found.output("stems"), Stems)
        assert isinstance(found.output("one"), Audio)
        assert found.output("copy") is found.source

    def test_spectrogram_of_44_1_khz(self):
        found = made(node("x", stage("spectrogram", window=1024, hop=256)), source=CD)
        format = found.output("x")
        assert isinstance(format, Spectrogram)
        assert (format.rate, format.hop, format.channels) == (44100, 256, 2)
        assert found.output_latency("x") == Fraction(511, 44100)

    def test_no_stage_at_all(self):
        found = made(copy="input")
        assert not found.steps
        assert found.output_latency("copy") == 0


class TestStreaming:
    def test_an_offline_stage_says_why_and_what_instead(self):
        found = made(node("t", stage("tap")), node("l", Later(), "t"))
        with pytest.raises(OfflineError) as caught:
            found.check_streamable()
        assert str(caught.value) == "'l' (later) cannot stream: it needs the end; use 'from-levels'"

    def test_others_may(self):
        made(node("w", Wants())).check_streamable()


class TestDevices:
    @pytest.fixture(autouse=True)
    def _without_gpu(self, monkeypatch):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)

    @pytest.mark.parametrize("device", ["cuda", "cuda:0", "cuda:3"])
    def test_cuda_that_is_not_there(self, device: str):
        with pytest.raises(DeviceError) as caught:
            made(node("w", Wants()), device=device)
        message = str(caught.value)
        assert message.startswith(
            f"device '{device}' was asked for, but no CUDA device can be used"
        )
        assert message.endswith("`--device auto` takes what there is")

    def test_a_cuda_device_too_many(self, monkeypatch):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
        with pytest.raises(DeviceError) as caught:
            made(node("w", Wants()), device="cuda:2")
        assert str(caught.value).startswith("device 'cuda:2' was asked for, but there are only 2")

    def test_mps_that_is_not_there(self):
        with pytest.raises(DeviceError, match="'mps' was asked for, but this machine has no Apple"):
            made(node("w", Wants()), device="mps")

    @pytest.mark.parametrize("device", ["gpu", "tpu", "meta", ""])
    def test_unknown(self, device: str):
        with pytest.raises(DeviceError, match=r"unknown device .*write auto, cpu, cuda"):
            made(node("w", Wants()), device=device)

    def test_unknown_dtype(self):
        with pytest.raises(DeviceError, match="unknown dtype 'int8'; write float32, float16"):
            plan(Graph((node("w", Wants()),)), MONO, "cpu", "int8")

    def test_auto_says_what_it_chose_and_why(self):
        found = made(node("w", Wants()), node("t", stage("tap"), "w"), device="auto")
        choices = {step.name: str(step.choice) for step in found.steps}
        assert choices["w"].startswith("cpu, float32 (no GPU: ")
        assert choices["t"] == "cpu, float32 (a GPU would not pay for the copying)"

    def test_auto_takes_a_gpu_for_what_is_heavy(self, monkeypatch):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Some GPU")
        assert str(choose(Wants())) == "cuda, float32 (Some GPU)"
        assert choose(stage("tap")).device.type == "cpu"

    def test_half_is_for_stages_that_allow_it(self):
        graph = Graph((node("w", Wants()), node("t", stage("tap"), "w")))
        found = plan(graph, MONO, "cpu", "float16")
        assert [s.choice.dtype for s in found.steps] == [torch.float16, torch.float32]


def test_planning_loads_nothing():
    assert made(node("w", Wants()), source=CD).step("w").stage == Wants()


class Twice(Chain):
    """A stage more than once, and a chain within."""

    name = "twice"

    def parts(self) -> Sequence[Stage]:
        return (mix(channels=1), mix(gains=(-6.0,)), Both(), FromLevels())


def test_parts_of_a_chain_may_be_alike_and_may_be_chains():
    planned = made(node("all", Twice()), source=CD)
    assert {step.name: str(step.sources[0]) for step in planned.steps} == {
        "all/mix": "input",
        "all/mix-2": "all/mix",
        "all/tap": "all/mix-2",
        "all/from-levels": "all/tap",
        "all": "all/from-levels",
    }


def test_disk_is_estimated_for_what_waits_for_a_two_pass_stage():
    loud = node("loud", stage("normalize", peak=-1))
    hour = 3600 * 44100 * 2 * 4
    assert estimate(made(loud, source=CD)).spool == hour
    assert estimate(made(loud, node("sum", mix(), "loud", "input"), source=CD)).spool == 2 * hour
    assert estimate(made(loud, node("sum", mix(), "loud", "loud"), source=CD)).spool == hour
