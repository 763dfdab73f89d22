"""Voices of coqui-tts, with a stand-in for its process: phrases, times, second tries."""

import json
import sys
from dataclasses import replace
from itertools import zip_longest

import pytest
import torch

from audiopipe.engines import coqui as engine
from audiopipe.engines.environments import COQUI, Environments
from audiopipe.errors import EngineError, ModelError, ModelVerificationError, SpeechError
from audiopipe.text import plain, segments, ssml
from audiopipe.voices.base import Manner, open_voice
from audiopipe.voices.phrases import phrases
from audiopipe.voices.trimming import FADE, stretched, trimmed

WORKER = """
import json, os, signal, sys
import numpy as np

def tell(answer, content=b""):
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\\n" + content)
    sys.stdout.flush()

for line in sys.stdin:
    asked = json.loads(line)
    print(line, file=open(LOG, "a"), end="")
    if asked["do"] == "load":
        tell({"done": ABOUT})
        continue
    text = asked["text"]
    if "refuse" in text:
        tell({"error": "I cannot say that"})
        continue
    if "crash" in text:
        raise SystemExit("out of memory")
    hum = 0.3 * np.sin(np.arange(int(0.08 * RATE * len(text))) * 0.1)
    if "silent" in text or ("unsure" in text and asked["seed"] == 0):
        hum = 0 * hum
    if "long" in text:
        hum = np.tile(hum, 100)
    if "short" in text:
        hum = hum[:50]
    rest = np.zeros(RATE // 2)
    whole = np.concatenate([rest, hum, rest]).astype(np.float32)
    for piece in np.array_split(whole, 4 if asked["early"] else 1):
        tell({"samples": len(piece)}, piece.tobytes())
        if "kill" in text:
            os.kill(os.getpid(), signal.SIGKILL)
    tell({"done": {}})
"""
NAME = "coqui/tts_models/en/tiny/several"
ABOUT = {"rate": 22050, "speakers": ["anna", "p225\n"], "several": False, "limits": {}}


@pytest.fixture
def voices(tmp_path, monkeypatch):
    """A model in the store, and its stand-in; `asked` is what it is told."""

    class Voices:
        def __call__(self, who="p225", languages=("en",), name=NAME, **about):
            facts = ABOUT | {"languages": list(languages)} | about
            head = f"ABOUT = {facts!r}\nRATE = {facts['rate']}\nLOG = {str(tmp_path / 'log')!r}\n"
            (tmp_path / "worker.py").write_text(head + WORKER)
            self.card(name, languages)
            return open_voice(f"{name}:{who}" if who else name, torch.device("cpu"))

        @property
        def asked(self):
            lines = (tmp_path / "log").read_text().splitlines()
            return [said for said in map(json.loads, lines) if said["do"] == "say"]

        def card(self, name=NAME, languages=("en",), package=COQUI.package):
            home = tmp_path / "store" / "coqui" / name.removeprefix("coqui/").replace("/", "--")
            (home / "tts").mkdir(parents=True, exist_ok=True)
            (home / "tts" / "model.pth").write_bytes(b"weights")
            (home / "card.toml").write_text(CARD.format(home.name, package, json.dumps(languages)))
            return home

    monkeypatch.setenv("AUDIOPIPE_MODELS", str(tmp_path / "store"))
    monkeypatch.setattr(engine, "WORKER", tmp_path / "worker.py")
    monkeypatch.setattr(Environments, "python", lambda self, name: sys.executable)
    return Voices()


CARD = """
name = "{}"
about = "A small model."
task = "speak"
network = "coqui"
rate = 24000
[settings]
engine = "{}"
languages = {}
[[files]]
name = "tts/model.pth"
size = 7
sha256 = "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c"
convert = true
[licence]
name = "MIT"
url = "https://opensource.org/license/mit"
commercial = true
[[data]]
name = "none"
licence = "CC0-1.0"
source = "made for the test"
"""


def said(voice, text="Good morning, my dear old friends.", **manner):
    sentence = next(segments(plain(text) if not text.startswith("<") else ssml(text)))
    pieces = list(voice.say(sentence, Manner(**manner)))
    words = [timing for piece in pieces for timing in piece.words]
    return torch.cat([piece.samples for piece in pieces], 1), words, pieces


def test_a_sentence_with_its_words_and_the_silence_behind(voices):
    voice = voices()
    samples, words, _ = said(voice, "Good morning.")
    hum = 0.08 * len("Good morning.")
    behind = samples.shape[1] - words[-1].stop
    assert behind == 0.8 * 24_000
    assert words[-1].stop / 24_000 == pytest.approx(hum, abs=0.03)  # what was silent is gone
    assert [timing.word for timing in words] == [0, 1]
    assert words[0].stop == words[1].start
    assert not samples[:, words[-1].stop :].any()
    (asked,) = voices.asked
    assert (asked["text"], asked["speaker"], asked["language"]) == ("Good morning.", "p225\n", None)


def test_words_that_are_not_read_as_written(voices):
    said(voices(), "Dr. Lee owes Ann $5")
    assert voices.asked[0]["text"] == "doctor Lee owes Ann five dollars."


def test_a_second_try_where_the_first_is_silent(voices):
    samples, _, _ = said(voices(), "Unsure but unsure.".lower())
    assert samples.abs().max() > 0.2
    assert [asked["seed"] for asked in voices.asked] == [0, 1]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("A silent night.", "it was silent, in 'A silent night.'"),
        ("A long night.", "s of speech, where"),
        ("A short night of many words that all have sounds.", "s of speech, where"),
        ("A refuse night.", "I cannot say that"),
    ],
)
def test_what_is_not_said_is_an_error_that_names_the_sentence(voices, text, why):
    voice = voices()
    with pytest.raises(SpeechError, match=why) as refused:
        said(voice, text)
    assert text[:20] in str(refused.value)
    assert len(voices.asked) == 2
    said(voice, "It goes on.")


def test_a_process_that_ends(voices):
    with pytest.raises(EngineError, match=r"engine 'coqui' ended with 1; .*\n.*out of memory"):
        said(voices(), "A crash.")


def test_a_process_that_is_killed_in_the_middle_of_a_sentence(voices):
    voice = voices()
    for text in ("A kill.", "It does not go on."):
        with pytest.raises(EngineError, match=r"ended by SIGKILL.*close other programs"):
            said(voice, text, early=True)
    assert said(voices(), "It is begun again.")[0].abs().max() > 0.2


def test_early_sound_comes_in_pieces(voices):
    voice = voices()
    whole, _, few = said(voice)
    early, _, many = said(voice, early=True)
    assert len(many) > len(few) == 2
    assert torch.equal(whole, early)


def test_what_was_heard_is_not_said_again(voices):
    with pytest.raises(SpeechError, match="s of speech"):
        said(voices(), "A long night.", early=True)
    assert len(voices.asked) == 1


def test_pauses_that_are_stated_are_exact(voices):
    text = '<speak>One <break time="2s"/> two, three.</speak>'
    _, words, _ = said(voices(), text, pause=0.0)
    assert words[1].start - words[0].stop == 48_000
    assert [asked["text"] for asked in voices.asked] == ["One", "two, three."]


def test_words_in_another_way_are_said_apart(voices):
    text = '<speak>Loud <prosody volume="-20dB">soft words</prosody> here.</speak>'
    samples, words, _ = said(voices(), text)
    levels = [samples[0, t.start + 300 : t.stop - 300].abs().max() for t in words]
    assert [float(level / levels[0]) for level in levels] == pytest.approx(
        [1, 0.1, 0.1, 1], rel=0.1
    )


def test_rate_and_pitch(voices):
    voice = voices()
    (_, usual, _), (_, fast, _) = said(voice), said(voice, rate=1.5)
    assert usual[-1].stop / fast[-1].stop == pytest.approx(1.5, rel=0.02)
    higher = stretched(torch.sin(torch.arange(24_000) * 0.1)[None], 1.0, 12.0)
    assert higher.shape[1] == pytest.approx(24_000, rel=0.01)
    spectrum = torch.fft.rfft(higher[0, 4000:20_000]).abs()
    assert int(spectrum.argmax()) / 16_000 == pytest.approx(0.2 / (2 * torch.pi), rel=0.01)


def test_long_sentences_are_divided_where_one_breathes(voices):
    voice = voices(limits={"en": 40})
    text = "When the great day was over, they went home, and nobody said a word about it."
    _, words, _ = said(voice, text)
    told = [asked["text"] for asked in voices.asked]
    assert len(words) == 16
    assert all(len(part) <= 40 for part in told)
    assert told[0] == "When the great day was over,"
    assert " ".join(told) == text


def test_a_word_that_is_too_long_stays_whole():
    sentence = next(segments(plain("Antidisestablishmentarianism is long.")))
    parts = [phrase.text for phrase in phrases(sentence, 10)]
    assert parts == ["Antidisestablishmentarianism", "is long."]


def test_the_voice_does_not_fall_where_the_sentence_goes_on():
    sentence = next(segments(plain("Good morning")))
    going_on = replace(sentence, continues=True)
    told = [next(phrases(one)).text for one in (sentence, going_on)]
    assert told == ["Good morning.", "Good morning"]


def test_one_model_serves_several_speakers_at_once(voices):
    one, other = voices("anna"), voices("p225")
    assert one._loaded is other._loaded
    sentence = next(segments(plain("Good morning, my dear old friends.")))
    alone = [torch.cat([p.samples for p in v.say(sentence, Manner())], 1) for v in (one, other)]
    streams = [v.say(sentence, Manner(early=True)) for v in (one, other)]
    turns = list(zip_longest(*streams))
    for index, whole in enumerate(alone):
        pieces = [turn[index].samples for turn in turns if turn[index]]
        assert torch.equal(torch.cat(pieces, 1), whole)


def test_who_speaks_and_in_which_language(voices):
    with pytest.raises(ModelError, match=r"has 2 speakers \(anna, p225 …\): name one, as"):
        voices("")
    with pytest.raises(ModelError, match="no speaker 'p226'; did you mean 'p225'"):
        voices("p226")
    with pytest.raises(ModelError, match="no speaker 'anna'; there is none"):
        voices("anna", speakers=[], name="coqui/tts_models/en/tiny/one")
    many = "coqui/tts_models/multilingual/tiny/many"
    voice = voices("anna:zh", ("en", "fr-fr", "zh-cn"), many, several=True)
    assert voice.language == "zh"
    assert voices("anna", ("fr-fr", "en"), many, several=True).language == "en"
    with pytest.raises(ModelError, match="does not speak 'xx'"):
        voices("anna:xx", ("en", "fr-fr"), many, several=True)
    said(voices("anna:fr", ("en", "fr-fr"), many, several=True))
    assert voices.asked[-1]["language"] == "fr-fr"


def test_a_model_that_has_no_speakers_wants_to_hear_one(voices, tmp_path):
    cloner = "coqui/tts_models/multilingual/tiny/cloner"
    facts = {"speakers": [], "clones": True, "hears": True, "name": cloner}
    with pytest.raises(ModelError, match=r"no speakers of its own.*give it a reference"):
        voices("", **facts)
    open_voice(cloner, torch.device("cpu"), tmp_path / "heard.wav")


def test_weights_that_have_changed_are_refused(voices):
    (voices.card() / "tts" / "model.pth").write_bytes(b"weighty")
    with pytest.raises(ModelVerificationError, match="SHA-256"):
        open_voice(f"{NAME}:anna", torch.device("cpu"))


def test_a_model_that_another_version_tried(voices):
    voices.card(package="coqui-tts==0.27.0")
    with pytest.raises(ModelError, match=r"tried with coqui-tts==0\.27\.0.*audiopipe models pull"):
        open_voice(f"{NAME}:anna", torch.device("cpu"))


def test_a_model_that_is_not_here(voices):
    with pytest.raises(ModelError, match="is not downloaded; run: audiopipe models pull coqui/"):
        open_voice("coqui/tts_models/en/tiny/none", torch.device("cpu"))


def test_trimming_does_not_depend_on_pieces():
    generator = torch.Generator().manual_seed(0)
    sound = torch.randn(1, 20_000, generator=generator) * 0.1
    sound[:, :3000], sound[:, 9000:12_000], sound[:, 17_001:] = 0, 0, 0
    whole = torch.cat(list(trimmed(iter([sound]))), 1)
    parts = torch.cat(list(trimmed(iter(sound.split(777, 1)))), 1)
    assert torch.equal(whole[:, FADE:-FADE], sound[:, 2880:17_040][:, FADE:-FADE])
    assert parts.shape[1] == pytest.approx(whole.shape[1], abs=480)
    assert not list(trimmed(iter([torch.zeros(1, 5000)])))
