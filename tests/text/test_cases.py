"""Hard texts, and words in sentences: what is said, and with which sounds."""

import pytest
from texts import bare, table

from audiopipe.text import plain, segments


def cases(name):
    return [
        pytest.param(case, id=f"{group}: {case['written']}", marks=marked(case))
        for group, listed in table(name).items()
        for case in listed
    ]


def marked(case):
    """What is not right yet; a test that passes all the same says that its mark can go."""
    return [pytest.mark.xfail(reason=case["miss"], strict=True)] if "miss" in case else []


def either(value):
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("case", cases("cases.yaml"))
def test_english_is_read_as_people_read_it(case):
    said = " ".join(sentence.said for sentence in segments(plain(case["written"], "en")))
    assert bare(said) in [bare(spoken) for spoken in either(case["spoken"])]


@pytest.mark.parametrize("case", cases("cases_de.yaml"))
def test_german_is_read_as_people_read_it(case):
    said = " ".join(sentence.said for sentence in segments(plain(case["written"], "de")))
    assert bare(said) in [bare(spoken) for spoken in either(case["spoken"])]


@pytest.mark.parametrize("case", cases("pronunciations.yaml"))
def test_words_have_their_sounds(case):
    read = [word for sentence in segments(plain(case["written"])) for word in sentence]
    word = next(word for word in read if word.written == case["word"])
    assert " ".join(word.phonemes).replace("ˌ", "") in either(case["sounds"])


def test_the_tables_are_as_long_as_they_say():
    english = sum(len(listed) for listed in table("cases.yaml").values())
    assert english >= 150
    written = [c["written"] for listed in table("cases.yaml").values() for c in listed]
    assert len(set(written)) == english
