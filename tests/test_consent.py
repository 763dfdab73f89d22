"""Consent: what a record must hold, when it does not hold, and where it is kept."""

import json
from datetime import date
from hashlib import sha256

import pytest

from audiopipe.consent import Consent, ask, read_consent
from audiopipe.errors import ConsentError, OutputError

TODAY = date(2026, 11, 22)


@pytest.fixture
def voice(tmp_path):
    path = tmp_path / "ada.wav"
    path.write_bytes(b"a voice")
    return path


@pytest.fixture
def fields():
    return {
        "speaker": "Ada Lovelace",
        "purpose": "the podcast Engines",
        "given": "2026-11-01",
        "until": "2026-12-31",
        "statement": "I agree.",
        "reference": sha256(b"a voice").hexdigest(),
    }


def written(tmp_path, fields, name="ada.yaml"):
    path = tmp_path / name
    if name.endswith("json"):
        path.write_text(json.dumps(fields))
    else:
        path.write_text("".join(f"{key}: {value}\n" for key, value in fields.items()))
    return path


@pytest.mark.parametrize("name", ["ada.yaml", "ada.json"])
def test_a_record_is_read_and_holds(tmp_path, voice, fields, name):
    consent = read_consent(written(tmp_path, fields, name))
    assert (consent.given, consent.until) == (date(2026, 11, 1), date(2026, 12, 31))
    consent.check(voice, TODAY)
    consent.check(voice, consent.until)


def test_it_goes_beside_what_is_made(tmp_path, fields):
    consent = Consent.model_validate(fields)
    path = consent.save_beside(tmp_path / "episode.mp3")
    assert path == tmp_path / "episode.consent.json"
    assert read_consent(path) == consent
    assert consent.summary == (
        "Consent of Ada Lovelace, 2026-11-01 until 2026-12-31: the podcast Engines"
    )
    with pytest.raises(OutputError, match="no folder"):
        consent.save_beside(tmp_path / "nowhere" / "episode.mp3")


@pytest.mark.parametrize(
    ("day", "told"),
    [
        (date(2027, 1, 1), "ended on 2026-12-31; ask for a new one"),
        (date(2026, 10, 31), "dated 2026-11-01, which is to come"),
    ],
)
def test_it_holds_on_its_days(voice, fields, day, told):
    with pytest.raises(ConsentError, match=told):
        Consent.model_validate(fields).check(voice, day)


def test_it_is_for_one_recording(tmp_path, fields):
    consent = Consent.model_validate(fields)
    other = tmp_path / "bob.wav"
    other.write_bytes(b"another voice")
    with pytest.raises(ConsentError, match=r"bob.wav: is not the recording that Ada Lovelace"):
        consent.check(other, TODAY)
    with pytest.raises(ConsentError, match=r"missing.wav: .*No such file"):
        consent.check(tmp_path / "missing.wav", TODAY)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"speaker": '"  "'}, r"ada.yaml:1:1: `speaker` is empty: whose voice it is"),
        ({"purpose": None}, r"ada.yaml: `purpose` is missing: what speech may be made for"),
        ({"until": "soon"}, r"ada.yaml:4:1: `until` must be a date, YYYY-MM-DD, not 'soon'"),
        ({"until": "2026-10-01"}, r"it ends on 2026-10-01, before it was given on 2026-11-01"),
        ({"reference": "abc"}, r"`reference` is 'abc': SHA-256 of the recording"),
        ({"spaeker": "Bob"}, r"'spaeker' is not part of a consent; did you mean 'speaker'\?"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, fields, change, told):
    fields = {key: value for key, value in (fields | change).items() if value is not None}
    with pytest.raises(ConsentError, match=told):
        read_consent(written(tmp_path, fields))


def test_all_that_is_wrong_is_said_at_once(tmp_path, fields):
    del fields["statement"], fields["given"]
    with pytest.raises(ConsentError) as refused:
        read_consent(written(tmp_path, fields))
    assert [line.split("`")[1] for line in str(refused.value).splitlines()] == [
        "given",
        "statement",
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"just words", "is no consent; it has lines for speaker, purpose, given"),
        (b"a: [", "this is not YAML"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"", "is no consent"),
    ],
)
def test_what_is_no_record_is_refused(tmp_path, content, told):
    path = tmp_path / "ada.yaml"
    path.write_bytes(content)
    with pytest.raises(ConsentError, match=told):
        read_consent(path)
    with pytest.raises(ConsentError, match="no such file"):
        read_consent(tmp_path / "missing.yaml")


def answers(*given):
    """A prompt that is answered in turn, and the questions that were put."""
    left, questions = list(given), []

    def prompt(question):
        questions.append(question)
        return left.pop(0)

    return prompt, questions


def test_it_can_be_asked_for(voice):
    prompt, questions = answers("Ada Lovelace", "a podcast", "2027-01-31", "ada  lovelace ")
    consent = ask(voice, prompt, TODAY)
    assert (consent.given, consent.until) == (TODAY, date(2027, 1, 31))
    assert consent.statement in questions[-1]
    assert "ada.wav" in consent.statement
    assert "until 2027-01-31" in consent.statement
    consent.check(voice, TODAY)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("Ada", "a podcast", "", "Bob"), "Ada has not confirmed"),
        (("Ada", "a podcast", "", ""), "Ada has not confirmed"),
        (("", "a podcast", "", ""), "needs a name and a purpose"),
        (("Ada", " ", "", "Ada"), "needs a name and a purpose"),
        (("Ada", "a podcast", "next year", "Ada"), "`until` must be a date"),
        (("Ada", "a podcast", "2020-01-01", "Ada"), "it ends on 2020-01-01, before"),
    ],
)
def test_without_an_answer_there_is_none(voice, given, told):
    with pytest.raises(ConsentError, match=told):
        ask(voice, answers(*given)[0], TODAY)
