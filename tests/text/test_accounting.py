"""No letter and no digit is lost or said twice, whatever is written."""

import re
import string
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from ruamel.yaml import YAML
from texts import HERE

from audiopipe.text import Strength, markdown, plain, segments, ssml

TABLES = [YAML(typ="safe").load((HERE / f"cases{name}.yaml").read_text()) for name in ("", "_de")]
WRITTEN = [case["written"] for table in TABLES for cases in table.values() for case in cases]

SIGNS = "äöüßéñØłçαλЖжйあ漢가१२²½Ⅷ①ﬁ’“”–—…€£¥°%§±×÷√∞♯♭👍❤️🏽🇩🇪\u200d\u00ad\u0301\u200b\x07"
CHARACTERS = st.one_of(
    st.sampled_from(string.ascii_letters + string.digits),
    st.sampled_from(string.punctuation + "    \n\n"),
    st.sampled_from(SIGNS),
    st.characters(exclude_categories=["Cs"]),
)
LETTERS = st.text(CHARACTERS, max_size=60)
FRAGMENTS = st.lists(
    st.one_of(st.sampled_from(WRITTEN), st.sampled_from(" ".join(WRITTEN).split()), LETTERS),
    max_size=6,
).map(" ".join)


def words_over(document, **settings_):
    """How many words lie over each character, and how many stretches that are skipped."""
    spans = [
        (word.start, word.stop) for sentence in segments(document, **settings_) for word in sentence
    ]
    return counted(spans, document), counted(
        [(s.start, s.stop) for s in document.skipped], document
    )


def counted(spans, document):
    counts = [0] * len(document.source)
    for start, stop in spans:
        assert 0 <= start <= stop <= len(document.source)
        for at in range(start, stop):
            counts[at] += 1
    return counts


@pytest.mark.parametrize("language", ["en", "de"])
@settings(max_examples=60)
@given(text=FRAGMENTS)
@example(text="5'11\" 10:30 a.m.–4 p.m.; v2.0.1 (#1) C:\\a\\b ~/x.md")
@example(text="x²½Ⅷ①ﬁ १२ 漢字 a̋b̈ 👍🏽🇩🇪")
def test_each_letter_of_plain_text_is_in_one_word(text, language):
    document = plain(text, language)
    words, _ = words_over(document)
    assert not document.skipped
    for char, count in zip(text, words, strict=True):
        if char.isalnum():
            assert count == 1, (char, text)
        assert count <= 1, (char, text)


INLINE = [
    "**",
    "*",
    "_",
    "`",
    "[a](b)",
    "[",
    "](http://x.y)",
    "![p](q.png)",
    "<b>",
    "</b>",
    "&amp;",
]
ESCAPES = ["<!-- c -->", "&#233;", "\\*", "\\", "<https://x.y>", "[r]"]
BLOCKS = ["# ", "## ", "- ", "* ", "1. ", "> ", "```\n", "~~~", "\n\n", "\n", "    ", "---\n"]
TABLE = ["[r]: http://z\n", "|a|b|\n|-|-|\n"]
MARKUP = st.sampled_from([*INLINE, *ESCAPES, *BLOCKS, *TABLE])
MARKED = st.lists(st.one_of(MARKUP, FRAGMENTS, LETTERS), max_size=12).map("".join)


def shown(text):
    """The letters that a reader of the rendered Markdown sees, without blocks of code."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    found = []

    def walk(tokens):
        for token in tokens:
            if token.type in ("text", "code_inline", "text_special"):
                found.append(token.content)
            walk(token.children or [])

    walk(token for token in parser.parse(text) if token.type == "inline")
    return "".join(char for char in "".join(found) if char.isalnum())


@settings(max_examples=120)
@given(text=MARKED.filter(lambda text: not text.startswith("---")))
@example(text="a **b**c [d *e*](f 'g') ![h](i) `j` <k> &amp; \\* l\n> m\n> n")
def test_markdown_reads_what_is_shown_and_names_the_rest(text):
    document = markdown(text)
    read = "".join(char for block in document.blocks for char in block.text if char.isalnum())
    assert read == shown(text.replace("\u00ad", "").replace("\u200b", "")) or read == shown(text)
    words, skipped = words_over(document)
    for char, word, skip in zip(text, words, skipped, strict=True):
        if char.isalnum():
            assert word + skip >= 1, (char, text)


def cleaned(text):
    """What XML may have, which is neither control characters nor U+FFFE."""
    return "".join(c for c in text if (c.isprintable() or c in " \n") and c not in "\ufffe\uffff")


def letters(text):
    return "".join(char for char in text if char.isalnum())


@settings(max_examples=60)
@given(texts=st.lists(FRAGMENTS, min_size=1, max_size=5))
def test_each_letter_of_ssml_is_in_one_word(texts):
    def escaped(text):
        entities = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
        return "".join(entities.get(char, char) for char in cleaned(text))

    inner = '<prosody rate="slow">{}</prosody><break/><p>{}</p><s>{}</s><emphasis>{}</emphasis>{}'
    filled = inner.format(*(escaped(text) for text in (*texts, "", "", "", "")[:5]))
    source = f"<speak>{filled}</speak>"
    document = ssml(source)
    read = [word for sentence in segments(document) for word in sentence]
    content = "".join(map(cleaned, texts))
    assert letters("".join(word.written for word in read)) == letters(content)
    words, skipped = words_over(document)
    visible = re.sub("&(amp|lt|gt);", lambda entity: " " * len(entity[0]), source)
    for at, (word, skip) in enumerate(zip(words, skipped, strict=True)):
        assert word <= 1, (source[at], at, source)
        assert word + skip >= 1 or not visible[at].isalnum(), (source[at], at, source)


@settings(max_examples=40)
@given(text=FRAGMENTS, limit=st.integers(20, 200))
def test_no_piece_of_a_sentence_is_longer_than_the_limit_unless_it_is_one_word(text, limit):
    whole = [word for sentence in segments(plain(text), limit=10**9) for word in sentence]
    pieces = list(segments(plain(text), limit=limit))
    assert all(len(piece.phonemes) <= limit or len(piece) == 1 for piece in pieces)
    assert [w.written for piece in pieces for w in piece] == [w.written for w in whole]
    assert [w.phonemes for piece in pieces for w in piece] == [w.phonemes for w in whole]
    for piece, following in pairwise(pieces):
        assert piece.pause.strength > Strength.NONE
        assert not piece.continues or following is not None


@pytest.mark.parametrize(
    "text",
    [
        "a" * 5000,
        "1" * 5000,
        "word " * 1000,
        "word, " * 1000,
        "http://" + "a.b/" * 1200 + "c",
        "A" * 5000,
        "and " * 1250,
        "(" * 5000 + "x",
        "😀" * 5000,
        "Ab" * 2500,
        "-a" * 2500,
        "1." * 2500,
        "1,234," * 800,
        "a." * 2500,
        "5 km/" * 1000,
        "_" * 2500 + "x" + "_" * 2499,
        "漢" * 5000,
        "don't'" * 800,
    ],
    ids=lambda text: text[:6],
)
def test_a_sentence_of_five_thousand_characters_is_read_whole_and_in_time(text, swift):
    with swift(seconds=20):
        document = plain(text)
        pieces = list(segments(document))
    words = [word for piece in pieces for word in piece]
    assert sum(c.isalnum() for w in words for c in w.written) == sum(c.isalnum() for c in text)
    assert all(len(piece.phonemes) <= 400 for piece in pieces)
