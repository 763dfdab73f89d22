"""Voices of coqui-tts: `coqui/tts_models/en/vctk/vits:p225`, with a `:speaker` if it has several.

A model of several languages is told which by `:speaker:language`; English is what it speaks else.
It is given a phrase at a time, in words that are read as they are written, and does not tell when
it says which: the times of words are estimated from their phonemes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import torch
from torch import Tensor

from audiopipe.cards import Card
from audiopipe.engines.coqui import CoquiProcess, RefusedError
from audiopipe.engines.environments import COQUI
from audiopipe.errors import ModelError, SpeechError, did_you_mean
from audiopipe.ledger import pull_command
from audiopipe.models import Store
from audiopipe.text import Sentence
from audiopipe.voices.base import RATE, Manner, Piece, Timing, voice_card
from audiopipe.voices.hearing import ALLOWANCE, LONGEST, QUIETEST, SHORTEST, shortened
from audiopipe.voices.phrases import Phrase, phrases
from audiopipe.voices.trimming import stretched, trimmed

log = logging.getLogger(__name__)

TRIES = 2
"""How often a phrase is said, each time with other random numbers, until it sounds right."""
BREATH = 150
"""Milliseconds between phrases of a sentence that is too long for the model."""

_open: WeakValueDictionary[tuple[str, str], Loaded] = WeakValueDictionary()


class Loaded:
    """A model in its process, and what it said of itself; see `loaded`.

    Raises ModelError where another version of coqui-tts has tried it, what `Store.path` raises,
    and EngineError.
    """

    def __init__(self, model: str, card: Card, device: torch.device) -> None:
        store = Store()
        if card.settings.get("engine") != COQUI.package:
            raise ModelError(
                f"model {model!r} was tried with {card.settings.get('engine')}, and this is "
                f"{COQUI.package}; run: {pull_command(model)}"
            )
        for file in card.files:
            store.path(model, file.name)
        self.settings = card.settings
        self.process = CoquiProcess(store.folder(model))
        if device.type not in ("cpu", "cuda"):
            log.warning("coqui-tts does not compute on %s: %s takes the CPU", device, model)
            device = torch.device("cpu")
        self.about = self.process.load(card.settings, device)


def loaded(model: str, card: Card, device: torch.device) -> Loaded:
    """Load a model, or take it if it is loaded already: all who need it share its process."""
    key = (str(Store().folder(model)), str(device))
    there = _open.get(key)
    if there is None or there.process.ended:
        _open[key] = there = Loaded(model, card, device)
    return there


def open_voice(model: str, device: torch.device, reference: Path | None = None) -> CoquiVoice:
    """Load a voice. With a `reference`, a WAV file, it is the voice of who speaks in that.

    Raises ModelError, what else `Store.path` raises, and EngineError.
    """
    name, _, who = model.partition(":")
    speaker, _, language = who.partition(":")
    return CoquiVoice(model, loaded(name, voice_card(name), device), speaker, language, reference)


class CoquiVoice:
    """A voice of coqui-tts: see `voices.base.Voice`."""

    rate = RATE

    def __init__(
        self, name: str, loaded: Loaded, speaker: str, language: str, reference: Path | None
    ) -> None:
        self.name = name
        self._loaded = loaded
        about = loaded.about
        if reference is not None and not about.get("clones"):
            raise ModelError(
                f"voice {name!r} cannot speak like a recording; leave out the reference, and put "
                "a stage `clone` behind it"
            )
        if reference is None and about.get("hears"):
            raise ModelError(
                f"voice {name!r} has no speakers of its own, and speaks like a recording; give it "
                "a reference, and the consent to that (see: audiopipe consent new)"
            )
        self._reference = () if reference is None else (reference,)
        self._speaker = None if reference else _speaker(name, speaker, about["speakers"])
        self._language = _language(name, language, loaded.settings["languages"])
        self.language = self._language.lower().replace("_", "-").split("-")[0]
        self._limit = int(about["limits"].get(self.language, 0))

    def say(self, sentence: Sentence, manner: Manner) -> Iterator[Piece]:
        """Say a sentence, phrase by phrase; the first comes in pieces if `manner.early`."""
        at = round(sentence.before.milliseconds * self.rate / 1000)
        if at:
            yield Piece(torch.zeros(1, at))
        for phrase in phrases(sentence, self._limit):
            start = at
            for samples in self._spoken(phrase, sentence, manner):
                at += samples.shape[1]
                yield Piece(samples)
            timings = _timings(phrase, start, at)
            behind = _silence(phrase, sentence, manner, self.rate)
            at += behind
            yield Piece(torch.zeros(1, behind), timings)

    def _spoken(self, phrase: Phrase, sentence: Sentence, manner: Manner) -> Iterator[Tensor]:
        """Samples [1, time] of a phrase, without silence at its ends."""
        sounds = phrase.sounds
        if not sounds:
            return
        way = manner.of(phrase.words[0])
        plain = (way.rate, way.pitch) == (1.0, 0.0)
        gain = 10 ** ((way.energy + way.volume) / 20)
        why = ""
        for attempt in range(TRIES):
            asked = self._asked(phrase.text, manner.seed + attempt, manner.early and plain)
            given, energy, pieces = 0, 0.0, []
            try:
                for piece in trimmed(asked):
                    given += piece.shape[1]
                    energy += float(piece.double().square().sum())
                    if given > (LONGEST * sounds + ALLOWANCE) * self.rate:
                        break
                    if manner.early and plain:
                        yield gain * piece
                    else:
                        pieces.append(piece)
            except RefusedError as error:
                why = str(error)
            else:
                why = _wrong(given / self.rate, energy / max(1, given), sounds)
            if not why:
                if pieces:
                    yield gain * stretched(torch.cat(pieces, 1), way.rate, way.pitch)
                return
            if manner.early and plain and given:
                break  # what has been given cannot be said again
        raise SpeechError(
            f"voice {self.name!r}: {why}, in {shortened(sentence.written)!r}; try another seed, "
            "say it in other words, or choose another voice"
        )

    def _asked(self, text: str, seed: int, early: bool) -> Iterator[Tensor]:
        """What the model makes of a text, at our rate."""
        import soxr

        loaded = self._loaded
        several = loaded.about["several"]
        language = self._language if several else None
        made = loaded.process.say(
            text,
            speaker=self._speaker,
            language=language,
            reference=self._reference,
            early=early,
            seed=seed,
        )
        if loaded.about["rate"] == self.rate:
            yield from made
            return
        resampler = soxr.ResampleStream(loaded.about["rate"], self.rate, 1, dtype="float32")
        for piece in made:
            yield torch.from_numpy(resampler.resample_chunk(piece[0].numpy()))[None]
        rest = resampler.resample_chunk(np.zeros(0, np.float32), last=True)
        yield torch.from_numpy(rest)[None]


def _timings(phrase: Phrase, start: int, stop: int) -> tuple[Timing, ...]:
    """When words are said, in samples: each for as long as it has phonemes."""
    sounds = np.cumsum([0, *(len(word.phonemes) for word in phrase.words)])
    edges = [start + round((stop - start) * int(part) / max(1, sounds[-1])) for part in sounds]
    return tuple(
        Timing(phrase.start + index, edges[index], edges[index + 1])
        for index, word in enumerate(phrase.words)
        if word.phonemes
    )


def _silence(phrase: Phrase, sentence: Sentence, manner: Manner, rate: int) -> int:
    """Samples of silence behind a phrase."""
    last = phrase.words[-1]
    asked = manner.silence(last, rate)
    following = phrase.start + len(phrase.words)
    joined = not phrase.ends and sentence.words[following].delivery == last.delivery
    return max(asked, round(BREATH * manner.pause * rate / 1000)) if joined else asked


def _wrong(seconds: float, power: float, sounds: int) -> str:
    """What is wrong with the sound of a phrase, in words; empty if nothing is."""
    if not seconds or power < 10 ** (QUIETEST / 10):
        return "it was silent"
    shortest, longest = SHORTEST * sounds, LONGEST * sounds + ALLOWANCE
    if not shortest <= seconds <= longest:
        return f"{seconds:.2f} s of speech, where {shortest:.2f} to {longest:.1f} s are plausible"
    return ""


def _speaker(name: str, wanted: str, known: Sequence[str]) -> str | None:
    """The model's own name of a speaker; raises ModelError."""
    if wanted:
        for speaker in known:  # some lists have line ends in their names
            if speaker.strip() == wanted:
                return speaker
        hint = did_you_mean(wanted, [speaker.strip() for speaker in known])
        raise ModelError(f"voice {name!r}: there is no speaker {wanted!r}; {hint}")
    if len(known) > 1:
        some = ", ".join(sorted(speaker.strip() for speaker in known)[:8])
        plain = name.partition(":")[0]
        raise ModelError(
            f"voice {name!r} has {len(known)} speakers ({some} …): name one, as "
            f"{plain}:{sorted(known)[0].strip()}"
        )
    return known[0] if known else None


def _language(name: str, wanted: str, known: Sequence[str]) -> str:
    """The model's own name of a language; raises ModelError."""
    plain: Mapping[str, Any] = {code.lower().split("-")[0]: code for code in reversed(known)}
    if wanted in known:
        return wanted
    if wanted in plain:
        return str(plain[wanted])
    if wanted:
        raise ModelError(f"voice {name!r} does not speak {wanted!r}; {did_you_mean(wanted, plain)}")
    return str(plain.get("en", known[0]))
