"""Reading definitions: everything that is wrong is told at once, with place and cure."""

from pathlib import Path

import pytest

from audiopipe.definition import override
from audiopipe.document import parse_document, read_document
from audiopipe.errors import DefinitionError
from audiopipe.pipeline import check, load, parse
from audiopipe.ready import find_definition, ready_pipelines


def refused(text):
    """What is said about a definition."""
    with pytest.raises(DefinitionError) as error:
        parse(text, "p.yaml")
    return str(error.value).splitlines()


def after(text):
    """A definition with these lines after the version; the first of them is line 2."""
    return f"audiopipe: 1\n{text}"


WRONG = [
    # The form of the file
    ("", "1:1: a definition is a mapping that begins with 'audiopipe: 1'"),
    ("# nothing\n", "1:1: a definition is a mapping that begins with 'audiopipe: 1'"),
    ("- tap\n- mix\n", "1:1: a definition is a mapping that begins with 'audiopipe: 1'"),
    ("stages: [tap]", "1:1: 'audiopipe: 1' must say the version of the format"),
    ("audiopipe: 2\nstages: [tap]", "1:1: 'audiopipe: 1' must say the version of the format"),
    ("audiopipe: 1", "1:1: 'stages' must name at least one stage"),
    (after("stages: []"), "2:1: 'stages' must name at least one stage"),
    (after("stages: tap"), "2:1: 'stages' must name at least one stage"),
    (
        after("stage: [tap]\nstages: [tap]"),
        "2:1: unknown key 'stage'; did you mean 'stages'?",
    ),
    (
        after("stages: [tap]\nfoo: 1"),
        "3:1: unknown key 'foo'; there is about, audiopipe, outputs, stages, strict, tests",
    ),
    (after("about: [1]\nstages: [tap]"), "2:1: 'about' must be text, not [1]"),
    (after("strict: 1\nstages: [tap]"), "2:1: 'strict' must be true or false, not 1"),
    (
        after("stages: [tap]\noutputs: [tap]"),
        "3:1: 'outputs' is a mapping from file name to stage",
    ),
    (after("stages: [tap]\noutputs: {a.csv: 1}"), "3:11: output 'a.csv' must name a stage"),
    (
        after("stages: [tap]\ntests: [{input: tone}]"),
        "3:9: a test is {input: tone 440 Hz 2 s, expect: {stage: what is expected}}",
    ),
    # What is not plain data
    (
        after("stages: [!!python/name:os.system x]"),
        "2:10: tags such as 'tag:yaml.org,2002:python/name:os.system' are not part of a definition",
    ),
    (
        after("about: !!python/object/apply:os.system [ls]\nstages: [tap]"),
        "2:8: tags such as 'tag:yaml.org,2002:python/object/apply:os.system' are not part of a "
        "definition",
    ),
    (after("stages: [!mine tap]"), "2:10: tags such as '!mine' are not part of a definition"),
    (
        after("stages:\n  - &a {use: tap}\n  - *a"),
        "3:5: aliases are not part of a definition; write it out",
    ),
    (after("stages: [tap]\nstages: [mix]"), "3:1: 'stages' is here twice, first in line 2"),
    (
        after("stages:\n  a: {use: mix, gains: [0 dB], gains: [1 dB]}"),
        "3:32: 'gains' is here twice, first in line 3",
    ),
    (after("? [a]\n: b"), "2:3: a key must be text"),
    # What is not YAML
    (after("stages: [tap"), "2:13: this is not YAML: expected ',' or ']', but got '<stream end>'"),
    (
        after("\tstages: x"),
        "2:1: this is not YAML: found character '\\t' that cannot start any token",
    ),
    (
        after("stages: [tap]\n---\nb: 2"),
        "3:1: this is not YAML: expected a single document in the stream but found another "
        "document",
    ),
    (
        after("about: \x07"),
        "1:1: this is not YAML: unacceptable character #x0007: special characters are not "
        'allowed in "<file>", position 20',
    ),
    ("[" * 1000, "1:1: this is nested too deeply"),
    # Stages and their options
    (
        after("stages:\n  - spectogram"),
        "3:5: there is no stage 'spectogram'; did you mean 'spectrogram'?",
    ),
    (
        after("stages:\n  low: {rate: 8 kHz, use: resampel}"),
        "3:22: there is no stage 'resampel'; did you mean 'resample'?",
    ),
    (
        after("stages:\n  a: {use: pitch, hopp: 10 ms}"),
        "3:19: 'pitch' has no option 'hopp'; did you mean 'hop'?",
    ),
    (after("stages:\n  a: {use: resample}"), "3:3: 'resample' needs the option 'rate'"),
    (
        after("stages:\n  a: {use: resample, rate: 16 parsec}"),
        "3:22: 'a' (resample): rate: unknown unit 'parsec' in '16 parsec'; write one of Hz, kHz",
    ),
    (
        after("stages:\n  a: {use: tap, hop: 0.5}"),
        "3:17: 'a' (tap): hop: 0.5 is not a time; write it as '10 ms' or '512 samples'",
    ),
    (
        after("stages:\n  a: {use: tap, hop: 5 Hz}"),
        "3:17: 'a' (tap): hop: unknown unit 'Hz' in '5 Hz'; write one of s, ms, min, h, samples",
    ),
    (
        after("stages:\n  a: {use: tap, hop: -5 ms}"),
        "3:17: 'a' (tap): hop: a time cannot be negative: '-5 ms'",
    ),
    (
        after("stages:\n  a: {use: mix, channels: many}"),
        "3:17: 'a' (mix): channels: input should be a valid integer, unable to parse string as an "
        "integer",
    ),
    (
        after("stages:\n  a: {use: mix, channels: 99}"),
        "3:17: 'a' (mix): channels: input should be less than or equal to 8",
    ),
    (
        after("stages:\n  a: {use: mix, gains: [0 dB, 3 LUFS]}"),
        "3:31: 'a' (mix): gains: unknown unit 'LUFS' in '3 LUFS'; write one of dB, dBFS",
    ),
    (after("stages:\n  a: 5"), "3:3: stage 'a' must say what to use, as in {use: pitch}"),
    (after("stages:\n  a: {hop: 5}"), "3:3: stage 'a' must say what to use, as in {use: pitch}"),
    (
        after("stages:\n  a.b: tap"),
        "3:3: 'a.b' cannot name a stage: no dots, no slashes, not 'input'",
    ),
    (
        after("stages:\n  input: tap"),
        "3:3: 'input' cannot name a stage: no dots, no slashes, not 'input'",
    ),
    (after("stages: {1: tap}"), "2:10: a stage's name is text, not 1; quote it"),
    # How they hang together
    (
        after("stages:\n  a: {use: tap, from: 3}"),
        "3:17: 'from' is the name of a stage, or a list of names",
    ),
    (
        after("stages:\n  melody: pitch\n  b: {use: tap, from: melodie}"),
        "4:17: there is no stage 'melodie' here; did you mean 'melody'?",
    ),
    (
        after("stages:\n  a: {use: mix, from: input.left}"),
        "3:17: 'input' has no output 'left'; write 'input'",
    ),
    (
        after("stages:\n  a: {use: mix, from: c}\n  b: {use: mix, from: a}\n  c: mix"),
        "3:17: stages wait for each other: a -> c -> b -> a",
    ),
    (
        after("stages:\n  a: {use: mix, from: a}"),
        "3:17: stages wait for each other: a -> a",
    ),
    (after("stages: [tap, pitch]"), "2:15: 'pitch' (pitch): takes Audio, but 'tap' gives Levels"),
    (
        after("stages:\n  a: {use: tap, from: [input, input]}"),
        "3:17: 'a' (tap): takes one input, not 2",
    ),
    (
        after("stages:\n  a: {use: mix, from: [input, input], gains: [0 dB]}"),
        "3:17: 'a' (mix): 1 gains for 2 inputs; give one each",
    ),
    (
        after(
            "strict: true\nstages:\n  a: {use: resample, rate: 8 kHz}\n"
            "  b: {use: mix, from: [a, input]}"
        ),
        "5:17: 'b' (mix): wants rate 8000, but 'input' has another, and the definition is strict: "
        "put a stage {use: resample, rate: 8000} before it",
    ),
    # Outputs
    (
        after("stages:\n  melody: tap\noutputs:\n  m.csv: meldy"),
        "5:3: there is no stage 'meldy' here; did you mean 'melody'?",
    ),
    (
        after("stages: [tap]\noutputs: {tap.wav: tap}"),
        "3:11: output tap.wav: Levels is not saved as .wav; there is .csv, .json, .png",
    ),
    (
        after("stages: [mix]\noutputs: {a.wave: mix}"),
        "3:11: output a.wave: Audio is not saved as .wave; did you mean '.wav'?",
    ),
    (
        after("stages: [tap]\noutputs: {../tap.csv: tap}"),
        "3:11: output '../tap.csv' must lie inside the output folder",
    ),
    (
        after("stages: [tap]\noutputs: {/tmp/tap.csv: tap}"),
        "3:11: output '/tmp/tap.csv' must lie inside the output folder",
    ),
    (
        after("stages: [tap]\noutputs: {tap: tap, tap.csv: tap}"),
        "3:21: outputs 'tap' and 'tap.csv' would both be written to tap.csv",
    ),
    (
        after("stages: [tap]\noutputs: {'{nam}.csv': tap}"),
        "3:11: output '{nam}.csv': nothing stands for {nam}; did you mean '{name}'?",
    ),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_what_is_wrong_is_told_with_its_place(text, message):
    assert refused(text) == [f"p.yaml:{message}"]


def test_everything_is_told_at_once_in_order():
    text = after(
        """stages:
  a: {use: resampel, rate: 16 kHz}
  b: {use: pitch, hopp: 10 ms, hop: 1 kg}
  c: {use: tap, from: b}
  d: {use: mix, from: nowhere}
outputs:
  x.csv: a
  y.csv: nope
extra: 1
"""
    )
    assert refused(text) == [
        "p.yaml:3:7: there is no stage 'resampel'; did you mean 'resample'?",
        "p.yaml:4:19: 'pitch' has no option 'hopp'; did you mean 'hop'?",
        "p.yaml:4:32: 'b' (pitch): hop: unknown unit 'kg' in '1 kg'; write one of s, ms, min, h, "
        "samples",
        "p.yaml:6:17: there is no stage 'nowhere' here; there is a, b, c, d, input",
        "p.yaml:9:3: there is no stage 'nope' here; there is a, b, c, d, input",
        "p.yaml:10:1: unknown key 'extra'; there is about, audiopipe, outputs, stages, strict, "
        "tests",
    ]


def test_a_broken_stage_is_not_told_of_again_by_those_behind_it():
    text = after("stages: [nope, pitch, {use: tap, from: pitch}]\noutputs: {a.csv: tap}")
    assert len(refused(text)) == 1


def test_files_that_cannot_be_read(tmp_path):
    cases = {
        "no.yaml": "there is no such file",
        "folder": "cannot be read: Is a directory",
        "latin.yaml": "cannot be read: it is not UTF-8 text",
    }
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin.yaml").write_bytes("about: café".encode("latin-1"))
    for name, message in cases.items():
        with pytest.raises(DefinitionError) as error:
            read_document(tmp_path / name)
        assert str(error.value) == f"{tmp_path / name}: {message}"


def test_a_byte_order_mark_is_no_fault(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text(after("stages: [tap]"), encoding="utf-8-sig")
    assert list(load(path).definition.graph.outputs) == ["tap"]


def nodes(text):
    return {node.name: node for node in parse(after(text)).definition.graph.nodes}


def test_a_list_names_and_numbers_its_stages():
    found = nodes("stages: [mix, {use: resample, rate: 8 kHz}, {use: mix, channels: 1}, mix, tap]")
    assert list(found) == ["mix", "resample", "mix-2", "mix-3", "tap"]
    assert [node.sources for node in found.values()] == [
        ("input",), ("mix",), ("resample",), ("mix-2",), ("mix-3",),
    ]  # fmt: skip


def test_from_is_the_stage_above_a_name_or_a_list():
    found = nodes("stages: {a: mix, b: {use: tap, from: input}, c: {use: mix, from: [a, input]}}")
    assert found["a"].sources == ("input",)
    assert found["b"].sources == ("input",)
    assert found["c"].sources == ("a", "input")


def test_stages_may_stand_in_any_order():
    found = nodes("stages: {level: {use: tap, from: mono}, mono: {use: mix, from: input}}")
    assert list(found) == ["mono", "level"]
    found = nodes(
        "stages: {a: mix, b: {use: mix, from: d}, c: mix, d: {use: mix, from: a}, e: mix}"
    )
    assert list(found) == ["a", "d", "b", "c", "e"], "otherwise as they are written"


def test_the_last_stage_is_the_output_where_none_is_named():
    graph = parse(after("stages: {level: {use: tap, from: b}, b: {use: mix, from: input}}"))
    assert graph.definition.graph.outputs == {"b": "b"}


def test_a_mapping_is_a_definition_too():
    given = {"audiopipe": 1, "stages": [{"use": "tap", "hop": "20 ms"}]}
    pipeline = load(given, {"tap.hop": "40 ms"})
    assert str(pipeline.definition.graph.nodes[0].stage.hop) == "40 ms"
    assert given["stages"] == [{"use": "tap", "hop": "20 ms"}], "what was given is not changed"


CHAIN = after("stages: [{use: resample, rate: 16 kHz}, mix, mix]")


@pytest.mark.parametrize(
    ("settings", "stage", "option", "value"),
    [
        ({"resample.rate": "8 kHz"}, 0, "rate", 8000),
        ({"resample.rate": "22050"}, 0, "rate", 22050),
        ({"mix.channels": "1"}, 1, "channels", 1),
        ({"mix-2.gains": "[-3 dB]"}, 2, "gains", (-3.0,)),
        ({"mix.use": "tap", "mix-2.from": "resample"}, 1, "name", "tap"),
    ],
)
def test_set_overrides_with_yaml(settings, stage, option, value):
    pipeline = check(override(parse_document(CHAIN), settings))
    assert getattr(pipeline.definition.graph.nodes[stage].stage, option) == value


def test_set_tells_all_that_is_wrong():
    settings = {"mixx.gains": "1", "mix": "tap", "mix.gains": "[1", "mix.channels": "!!x 1"}
    with pytest.raises(DefinitionError) as error:
        override(parse_document(CHAIN), settings)
    assert str(error.value).splitlines() == [
        "--set mixx.gains: there is no stage 'mixx'; did you mean 'mix'?",
        "--set mix=tap: write --set stage.option=value",
        "--set mix.gains:1:3: this is not YAML: expected ',' or ']', but got '<stream end>'",
        "--set mix.channels:1:1: tags such as 'tag:yaml.org,2002:x' are not part of a definition",
    ]


def test_what_set_makes_wrong_is_told_like_the_rest():
    with pytest.raises(DefinitionError, match="'mix' has no option 'gain'; did you mean 'gains'"):
        check(override(parse_document(CHAIN), {"mix.gain": "1"}))


@pytest.mark.parametrize("name", sorted(ready_pipelines()))
def test_ready_pipelines_are_right_and_say_what_they_are_for(name):
    pipeline = load(find_definition(name))
    assert pipeline.about
    # Without a voice, and consent to it, these run nothing: see tests/test_clone_pipelines.py.
    assert pipeline.definition.tests or name in ("clone", "clone-live")


def test_ready_pipelines_are_found_by_name():
    with pytest.raises(DefinitionError) as error:
        find_definition("pich")
    assert str(error.value) == (
        "pich: there is no such file, nor a ready pipeline; did you mean 'pitch'?"
    )


def test_the_file_of_a_definition_is_known(tmp_path: Path):
    path = tmp_path / "p.yaml"
    path.write_text(after("about: Levels.\nstages: [tap]"))
    assert (load(path).definition.file, load(path).about) == (str(path), "Levels.")


def test_set_of_a_stage_whose_name_is_a_number():
    with pytest.raises(DefinitionError, match="a stage's name is text, not 1; quote it"):
        load({"audiopipe": 1, "stages": {1: "tap"}}, {"1.hop": "5 ms"})
