"""The text front end of speech: a text becomes sentences of words with sounds and pauses.

>>> from audiopipe.text import markdown, segments
>>> sentence = next(segments(markdown("# Episode 3\\n\\nIt's **live**!")))
>>> [(word.written, word.said, " ".join(word.phonemes)) for word in sentence]
[('Episode', 'episode', 'ˈɛ p ɪ s ˌoʊ d'), ('3', 'three', 'θ ɹ ˈi')]

Nothing of it is imported with `audiopipe` itself, and lexicons are loaded when they are needed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audiopipe.text.commonmark import markdown as markdown
    from audiopipe.text.dialogue import Script as Script
    from audiopipe.text.dialogue import script as script
    from audiopipe.text.errors import TextError as TextError
    from audiopipe.text.files import read as read
    from audiopipe.text.lexicon import Lexicon as Lexicon
    from audiopipe.text.sentence import Delivery as Delivery
    from audiopipe.text.sentence import Pause as Pause
    from audiopipe.text.sentence import Sentence as Sentence
    from audiopipe.text.sentence import Spoken as Spoken
    from audiopipe.text.sentence import Strength as Strength
    from audiopipe.text.sentence import Word as Word
    from audiopipe.text.sentences import segments as segments
    from audiopipe.text.source import Document as Document
    from audiopipe.text.source import plain as plain
    from audiopipe.text.speech_markup import ssml as ssml

_HOME = {
    "read": "files",
    "plain": "source",
    "markdown": "commonmark",
    "ssml": "speech_markup",
    "script": "dialogue",
    "Script": "dialogue",
    "segments": "sentences",
    "Document": "source",
    "Lexicon": "lexicon",
    "Sentence": "sentence",
    "Word": "sentence",
    "Spoken": "sentence",
    "Pause": "sentence",
    "Strength": "sentence",
    "Delivery": "sentence",
    "TextError": "errors",
}

__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'audiopipe.text' has no attribute {name!r}")
    return getattr(import_module(f"audiopipe.text.{_HOME[name]}"), name)
