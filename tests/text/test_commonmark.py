"""Markdown: what is read, what is skipped, where words stood, and where there is a pause."""

import pytest

from audiopipe.text import Strength, TextError, markdown, read, segments

PAGE = """---
title: skipped
---
# A *big* heading

See [the **site**](https://x.org/a "title") &amp; `code()`, or ![a cat](cat.png).
Same paragraph\\*.

- one
- two
  - three

> quoted

```python
print("not read")
```

| left | right |
|------|-------|
| up   | down  |

---

<div>HTML</div>

Last.
"""


def test_blocks_are_what_they_look_like():
    blocks = [(block.kind, block.level, block.text) for block in markdown(PAGE).blocks]
    assert blocks[0] == ("heading", 1, "A big heading")
    assert blocks[1] == (
        "paragraph",
        0,
        "See the site & code(), or a cat. Same paragraph*.",
    )
    assert blocks[2:5] == [("item", 1, "one"), ("item", 1, "two"), ("item", 2, "three")]
    assert blocks[5] == ("quote", 0, "quoted")
    texts = [text for _, _, text in blocks[6:]]
    assert texts == ["left", "right", "up", "down", "", "Last."]


def test_what_is_not_read_is_named():
    document = markdown(PAGE)
    skipped = {skip.why: PAGE[skip.start : skip.stop] for skip in document.skipped}
    assert skipped["front matter"].startswith("---\ntitle")
    assert "not read" in skipped["code"]
    assert skipped["HTML"].startswith("<div>")
    assert "https://x.org" in "".join(PAGE[s.start : s.stop] for s in document.skipped)


def test_words_know_their_place_in_the_source_and_emphasis_is_kept():
    words = {w.written: w for s in segments(markdown(PAGE)) for w in s}
    for name in ("big", "site", "Same", "three", "quoted", "down", "Last"):
        assert PAGE[words[name].start : words[name].stop] == name
    assert PAGE[words["&"].start : words["&"].stop] == "&amp;"
    assert words["big"].delivery.emphasis == "moderate"
    assert words["site"].delivery.emphasis == "strong"
    assert words["See"].delivery.emphasis == "none"


def test_headings_rules_items_and_paragraphs_pause():
    last = {s.words[-1].written: s.pause.strength for s in segments(markdown(PAGE))}
    assert last["heading"] == Strength.HEADING
    assert last["one"] == Strength.STRONG
    assert last["three"] == last["paragraph"] == Strength.PARAGRAPH
    assert last["down"] == Strength.HEADING


def test_code_is_read_where_it_is_asked_for():
    document = markdown("Run:\n\n```\npip install audiopipe\n```\n", code=True)
    assert [s.said for s in segments(document)] == ["run", "pip install audiopipe"]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a [b](c(d)e) f", "a b f"),
        ("a [b] [c][d] e\n\n[d]: x.org", "a [b] c e"),
        ("x <b>y</b> z", "x y z"),
        ("1\\. not a list", "1. not a list"),
        ("caf&eacute; &#x41;", "café A"),
        ("two  \nlines", "two lines"),
        ("a*b*c__d__", "abc__d__"),
        ("<https://x.org>", "https://x.org"),
        ("a\r\nb\r\n\r\nc", "a b|c"),
        ("Title\n=====\nText", "Title|Text"),
        ("[![img](a.png)](b) c", "img c"),
    ],
)
def test_corners_of_markdown(source, text):
    assert "|".join(block.text for block in markdown(source).blocks) == text


def test_files_are_read_by_their_suffix(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("\ufeff# *Hi*", encoding="utf-8")
    assert [b.kind for b in read(page).blocks] == ["heading"]
    (tmp_path / "page.txt").write_text("# Hi", encoding="utf-8")
    assert [b.kind for b in read(tmp_path / "page.txt").blocks] == ["paragraph"]
    (tmp_path / "page.ssml").write_text("<speak>Hi</speak>", encoding="utf-8")
    assert [b.text for b in read(tmp_path / "page.ssml").blocks] == ["Hi"]


def test_files_that_are_no_text_are_refused(tmp_path):
    with pytest.raises(TextError, match=r"none\.txt: there is no such file"):
        read(tmp_path / "none.txt")
    page = tmp_path / "latin.txt"
    page.write_bytes("Zeile\nFür dich".encode("latin-1"))
    with pytest.raises(TextError, match=r"latin\.txt:2:2: byte 0xfc is not UTF-8; save the file"):
        read(page)
    with pytest.raises(TextError, match="cannot be read"):
        read(tmp_path)
