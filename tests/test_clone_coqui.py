"""Cloning by models of coqui-tts, with a stand-in for its process."""

import json
import sys

import numpy as np
import pytest
import torch
from cloning import RATE, agree, voice

import audiopipe
from audiopipe import Audio
from audiopipe.cloning.whole import LEAST, MOST
from audiopipe.consent import read_consent
from audiopipe.disclosure import read_disclosure
from audiopipe.engines import coqui as engine
from audiopipe.engines.environments import COQUI, Environments
from audiopipe.errors import ConsentError, EngineError, LikenessError, ModelError
from audiopipe.io.save import save
from audiopipe.run.speech import run_speech
from audiopipe.signals import Text
from audiopipe.stages.clone import Clone
from audiopipe.stages.speak import Speak
from audiopipe.voices.manuscript import Manuscript
from audiopipe.watermark import detect

CONVERTS = "coqui/voice_conversion_models/en/tiny/softer"
SPEAKS = "coqui/tts_models/en/tiny/clones"
WORKER = """
import json, sys
import numpy as np, soundfile

def give(samples):
    samples = np.asarray(samples, np.float32)
    told = json.dumps({"samples": len(samples)}).encode() + b"\\n"
    sys.stdout.buffer.write(told + samples.tobytes())
    print(json.dumps({"done": {}}), flush=True)

for line in sys.stdin:
    asked = json.loads(line)
    if asked["do"] == "load":
        print(json.dumps({"done": ABOUT}), flush=True)
        continue
    reference, rate = soundfile.read(asked["reference"][0])
    heard = len(reference) / rate
    print(json.dumps({**asked, "heard": heard, "rate": rate}), file=open(LOG, "a"))
    if asked["do"] == "convert":
        source, rate = soundfile.read(asked["source"])
        if len(source) < 2000:
            print(json.dumps({"error": "it is too short for a frame"}), flush=True)
            continue
        if abs(source).max() > 0.95:
            print(json.dumps({"error": "it is too loud"}), flush=True)
            continue
        give(0.5 * source[: len(source) // 2 * 2][::2])  # at 12 kHz, and a little short
    else:
        give(0.3 * np.sin(np.arange(int(0.08 * 12000 * len(asked["text"]))) * 0.1))
"""
CARD = """
name = "{name}"
about = "A small model."
task = "{task}"
network = "coqui"
rate = 24000
[settings]
engine = "{engine}"
languages = ["en"]
[[files]]
name = "model.pth"
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


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Two models in the store, and their stand-in; gives what it is asked."""
    about = {"rate": 12000, "speakers": ["anna", "ben"], "several": False, "limits": {}}
    about["clones"] = True
    log = tmp_path / "log"
    head = f"ABOUT = {about!r}\nLOG = {str(log)!r}\n"
    (tmp_path / "worker.py").write_text(head + WORKER)
    for name, task in ((CONVERTS, "convert"), (SPEAKS, "speak")):
        home = tmp_path / "store" / "coqui" / name.removeprefix("coqui/").replace("/", "--")
        home.mkdir(parents=True)
        (home / "model.pth").write_bytes(b"weights")
        (home / "card.toml").write_text(
            CARD.format(name=home.name, task=task, engine=COQUI.package)
        )
    monkeypatch.setenv("AUDIOPIPE_MODELS", str(tmp_path / "store"))
    monkeypatch.setattr(engine, "WORKER", tmp_path / "worker.py")
    monkeypatch.setattr(Environments, "python", lambda self, name: sys.executable)
    return lambda: [json.loads(line) for line in log.read_text().splitlines()]


@pytest.fixture
def ada(tmp_path):
    """A reference as it comes, and consent to it."""
    reference = save(voice(rate=44100), tmp_path / "ada.flac")
    return {"reference": str(reference), "consent": str(agree(reference))}


class TestConversion:
    def test_a_recording(self, asked, ada, tmp_path):
        talk = voice(3.0, hz=200.0, rate=16_000)
        pipeline = audiopipe.Pipeline([Clone(model=CONVERTS, **ada)], outputs={"a.wav": "clone"})
        result = pipeline.run(talk)
        made = result["a.wav"]
        assert (made.rate, made.channels, len(made)) == (RATE, 1, 3 * RATE)
        level = float(made.samples.square().mean() / talk.samples.square().mean())
        assert level == pytest.approx(0.25, rel=0.1)
        (told,) = asked()
        assert (told["do"], told["rate"]) == ("convert", RATE)
        assert told["heard"] == pytest.approx(6.0, abs=0.01)
        result.save(tmp_path)
        assert "Consent of Ada Lovelace" in read_disclosure(tmp_path / "a.wav")
        assert read_consent(tmp_path / "a.consent.json").speaker == "Ada Lovelace"
        assert detect(made).kind == "cloned"

    def test_long_ones_go_in_stretches_that_end_where_it_is_quiet(self, asked, ada):
        noise = torch.randn(1, 70 * RATE, generator=torch.Generator().manual_seed(1)) * 0.1
        for second in (25, 50):
            noise[:, second * RATE : second * RATE + 2400] = 0
        pipeline = audiopipe.Pipeline([Clone(model=CONVERTS, **ada)])
        whole = pipeline.run(Audio(noise, RATE))["clone"].samples
        assert whole.shape == noise.shape
        assert len(asked()) == 3
        stream, parts = pipeline.engine(Audio(noise, RATE)).stream(), []
        for at in range(0, noise.shape[1], 37_000):
            out = stream.push(Audio(noise[:, at : at + 37_000], RATE))
            parts += [out["clone"].samples] if out else []
        parts += [out["clone"].samples for out in stream.finish() if out]
        assert torch.equal(torch.cat(parts, 1), whole)
        assert LEAST < MOST < noise.shape[1]

    @pytest.mark.parametrize("size", [1, 100])
    def test_what_is_too_short_for_a_frame(self, asked, ada, size):
        talk = voice(1.0).samples[:, RATE // 2 : RATE // 2 + size]
        pipeline = audiopipe.Pipeline([Clone(model=CONVERTS, **ada)])
        assert len(pipeline.run(Audio(talk, RATE))["clone"]) == size
        assert len(asked()) == 1

    def test_what_is_refused_is_named(self, asked, ada):
        talk = voice(40.0).samples
        talk[:, 35 * RATE] = 1.0
        pipeline = audiopipe.Pipeline([Clone(model=CONVERTS, **ada)])
        why = r"softer' cannot convert the 1\d\.\d s behind 2\d\.\d s: .*too loud; try another ref"
        with pytest.raises(EngineError, match=why):
            pipeline.run(Audio(talk, RATE))

    def test_stages_share_a_process(self, asked, ada, monkeypatch):
        started = []
        process = engine.CoquiProcess
        monkeypatch.setattr(
            "audiopipe.voices.coqui.CoquiProcess", lambda f: started.append(f) or process(f)
        )
        stage = Clone(model=CONVERTS, **ada)
        pipeline = audiopipe.Pipeline(
            {"a": stage, "b": stage}, outputs={"a.wav": "a", "b.wav": "b"}
        )
        pipeline.run(voice(1.0))
        assert len(started) == 1

    def test_silence_stays_silence(self, asked, ada, tmp_path):
        pipeline = audiopipe.Pipeline([Clone(model=CONVERTS, **ada)])
        made = pipeline.run(Audio(torch.zeros(1, RATE), RATE))["clone"]
        assert not made.samples.any()
        assert not (tmp_path / "log").exists()

    def test_what_it_cannot_do(self, asked, ada):
        with pytest.raises(ValueError, match="pitch is for the converter of our own"):
            Clone(model=CONVERTS, pitch=2.0, **ada)
        with pytest.raises(ModelError, match="converts no voices: its card says task speak"):
            audiopipe.Pipeline([Clone(model=SPEAKS, **ada)]).engine(voice(1.0))

    def test_references_are_looked_at_first(self, asked, tmp_path):
        quiet = save(Audio(torch.zeros(1, 5 * RATE), RATE), tmp_path / "quiet.wav")
        stage = Clone(model=CONVERTS, reference=str(quiet), consent=str(agree(quiet)))
        with pytest.raises(LikenessError, match="is silent"):
            audiopipe.Pipeline([stage]).engine(voice(1.0))


class TestSpeech:
    def text(self, words="Good morning, my dear old friends."):
        return Text((Manuscript(words),))

    def test_a_text_in_the_voice_of_a_reference(self, asked, ada, tmp_path):
        pipeline = audiopipe.Pipeline({"speech": Speak(voice=SPEAKS, **ada)})
        path = tmp_path / "a.flac"
        report = run_speech(pipeline, self.text(), {"speech": path})
        assert report.sentences == 1
        (told,) = asked()
        assert (told["do"], told["speaker"], told["rate"]) == ("say", None, RATE)
        assert told["heard"] == pytest.approx(6.0, abs=0.01)
        assert read_disclosure(path).startswith("Synthetic speech in a cloned voice: audiopipe")
        assert "Consent of Ada Lovelace" in read_disclosure(path)
        assert read_consent(tmp_path / "a.consent.json").speaker == "Ada Lovelace"

    def test_what_the_reference_is_like_is_told(self, asked, tmp_path):
        clipped = np.clip(12 * voice(8.0).samples.numpy(), -1, 1)
        reference = save(Audio(clipped, RATE), tmp_path / "loud.wav")
        stage = Speak(voice=SPEAKS, reference=str(reference), consent=str(agree(reference)))
        report = run_speech(audiopipe.Pipeline([stage]), self.text(), {})
        assert any("is clipped" in told for told in report.warnings)

    def test_without_consent_there_is_no_stage(self):
        with pytest.raises(ValueError, match=r"audiopipe consent new a\.wav"):
            Speak(voice=SPEAKS, reference="a.wav")
        with pytest.raises(ValueError, match="consent is to a reference, and none is named"):
            Speak(voice=SPEAKS, consent="a.json")

    def test_consent_to_another_recording(self, asked, ada, tmp_path):
        other = save(voice(seed=3), tmp_path / "other.wav")
        stage = Speak(voice=SPEAKS, reference=str(other), consent=ada["consent"])
        with pytest.raises(ConsentError, match="is not the recording"):
            run_speech(audiopipe.Pipeline([stage]), self.text(), {})

    def test_voices_that_cannot(self, ada):
        stage = Speak(voice="kathleen", **ada)
        with pytest.raises(ModelError, match=r"cannot speak like a recording.*put a stage `clone`"):
            run_speech(audiopipe.Pipeline([stage]), self.text(), {})

    def test_the_verb_has_such_a_voice_speak_at_once(self, asked, ada, tmp_path):
        from audiopipe.cli.clone import _open, _stages

        stages = _stages(ada, {"voice": SPEAKS}, "clone", 0.0, is_text=True)
        assert list(stages) == ["speech", "marked", "even", "loud"]
        pipeline = _open(stages, tmp_path / "a.wav", None)
        run_speech(pipeline, self.text(), {"a.wav": tmp_path / "a.wav"})
        with audiopipe.io.read.open_audio(tmp_path / "a.wav") as reader:
            (block,) = reader.blocks(1 << 20)
        assert detect(block).kind == "cloned"
