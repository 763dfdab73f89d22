"""What the planner refuses, and how it says so."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from planning import (
    MONO,
    FromLevels,
    Mixed,
    Split,
    Wants,
    WindowsOfLevels,
    made,
    mix,
    node,
    problems,
    stage,
)

from audiopipe.errors import Place, PlanError, StageError
from audiopipe.plan import Graph, Node, plan, survey
from audiopipe.signals import Audio


class TestRefusals:
    @pytest.mark.parametrize(
        ("nodes", "message"),
        [
            (
                (node("w", Wants()), node("t", stage("tap"), "ww")),
                "there is no stage 'ww' here; did you mean 'w'?",
            ),
            (
                (node("t", stage("tap"), "nothing"),),
                "there is no stage 'nothing' here; there is input, t",
            ),
            (
                (node("early", Wants(), "tap"), node("tap", stage("tap"))),
                "stage 'tap' comes later; put it first",
            ),
            (
                (node("s", Split()), node("w", Wants(), "s.vocal")),
                "'s' has no output 'vocal'; did you mean 'vocals'?",
            ),
            (
                (node("s", Split()), node("w", Wants(), "s.drums")),
                "'s' has no output 'drums'; there is rest, vocals",
            ),
            (
                (node("v", Wants()), node("w", Wants(), "v.vocals")),
                "'v' has no output 'vocals'; write 'v'",
            ),
            (
                (node("s", Split()), node("w", Wants(), "s")),
                "'s' has several outputs: choose s.vocals, s.rest",
            ),
            (
                (node("t", stage("tap")), node("w", WindowsOfLevels(), "t")),
                "'w' (windows-of-levels): is windowed, which is for one series in time; "
                "Levels has others",
            ),
            (
                (node("t", stage("tap")), node("w", Wants(), "t")),
                "'w' (wants): takes Audio, but 't' gives Levels",
            ),
            (
                (node("f", FromLevels()),),
                "'f' (from-levels): takes Levels, but 'input' gives Audio",
            ),
            (
                (node("v", Wants()), node("w", Wants(), "v", "input")),
                "'w' (wants): takes one input, not 2",
            ),
            (
                (node("m", mix(gains=(-6.0, -6.0))),),
                "'m' (mix): 2 gains for 1 inputs; give one each",
            ),
        ],
    )
    def test_one(self, nodes: tuple[Node, ...], message: str):
        assert problems(*nodes) == message

    def test_all_at_once_without_those_that_follow(self):
        nodes = (
            node("a", FromLevels()),
            node("b", FromLevels(), "a"),
            node("c", Wants(), "nowhere"),
            node("d", mix(), "b", "c"),
            node("e", Wants(), "inputs"),
        )
        assert problems(*nodes, out="d", x="z", e="e").splitlines() == [
            "'a' (from-levels): takes Levels, but 'input' gives Audio",
            "there is no stage 'nowhere' here; there is a, b, c, d, e, input",
            "there is no stage 'inputs' here; did you mean 'input'?",
            "there is no stage 'z' here; there is a, b, c, d, e, input",
        ]

    def test_with_the_place(self):
        place = Place("p.yaml", 3, 5)
        with pytest.raises(PlanError) as caught:
            plan(Graph((Node("f", FromLevels(), ("input",), place),)), MONO)
        assert str(caught.value).startswith("p.yaml:3:5: 'f' (from-levels): takes Levels")
        assert caught.value.problems[0].place == place

    def test_an_output_with_its_place(self):
        place = Place("p.yaml", 9, 2)
        graph = Graph((node("w", Wants()),), {"a.wav": "v"}, places={"a.wav": place})
        with pytest.raises(PlanError, match=r"p\.yaml:9:2: there is no stage 'v' here"):
            plan(graph, MONO)

    def test_ports_of_other_kinds_do_not_go_into_one_output(self):
        message = problems(node("m", Mixed()), out="m")
        assert message == "'m' has several outputs: choose m.sound, m.level"

    def test_misfits_are_the_same_problems(self):
        graph = Graph((node("f", FromLevels()), node("g", FromLevels(), "f")))
        assert [problem.message for problem in survey(graph, MONO)[1]] == [
            "'f' (from-levels): takes Levels, but 'input' gives Audio"
        ]

    def test_what_follows_from_a_broken_stage_is_left_out(self):
        graph = Graph((node("g", FromLevels(), "f"), node("h", FromLevels(), "g")))
        assert not survey(graph, MONO, broken=("f",))[1]


class Stereo(Wants):
    """Takes stereo only."""

    name = "stereo"

    def accepts(self, source: Audio) -> Sequence[Audio]:
        return [Audio.empty(source.rate, 2)]


def test_channels_that_nobody_knows_how_to_mix_are_refused_by_the_plan():
    assert problems(node("s", Stereo()), source=Audio.empty(16000, 3)) == (
        "'s' (stereo): there is no agreed way to make 2 channels of 3; mix to mono"
    )


class Faulty(Wants):
    """Breaks while it is planned."""

    name = "faulty"

    def output(self, source: Audio) -> Audio:
        return {}["rate"]


def test_a_stage_that_breaks_while_it_is_planned_is_named():
    with pytest.raises(StageError) as caught:
        made(node("f", Faulty()))
    assert str(caught.value) == (
        "'f' (faulty) broke: KeyError: 'rate'; this is a fault in the stage, please report it"
    )
