"""The network that speaks, and the tokens that it is given."""

import pytest
import torch

from audiopipe.nets.speech import SpeechNet, spread
from audiopipe.text import plain, segments
from audiopipe.voices.tokens import END, JOINT, PAUSE, START, TokenError, labels, tokens

NAMES = labels("en")


def said(text):
    return next(segments(plain(text)))


def shown(text):
    return [NAMES[k] for k in tokens(said(text), NAMES).ids.tolist()]


def small(**sizes) -> SpeechNet:
    torch.manual_seed(0)
    return SpeechNet(NAMES, **{"width": 16, "encoder": 2, "decoder": 2} | sizes).eval()


def test_a_sentence_begins_ends_and_has_joints():
    assert shown("So, a go") == [START, "s", "ˈoʊ", PAUSE, "ə", JOINT, "ɡ", "ˈoʊ", END]


def test_every_sound_belongs_to_its_word():
    sentence = said("In 1999, we danced!")
    made = tokens(sentence, NAMES)
    for place, word in enumerate(sentence.words):
        own = [NAMES[k] for k in made.ids[made.owner == place].tolist()]
        assert tuple(name for name in own if name != JOINT) == word.phonemes
    # 1999 is several words: their joints are its own.
    owned = [NAMES[k] for k in made.ids[made.owner == 1].tolist()]
    assert owned.count(JOINT) == len(sentence.words[1].spoken) - 1


def test_words_without_sounds_leave_their_pause():
    sentence = next(segments(plain("Go 你好, no.")))
    assert any(not word.phonemes for word in sentence.words)
    row = [NAMES[k] for k in tokens(sentence, NAMES).ids.tolist()]
    assert row == [START, "ɡ", "ˈoʊ", PAUSE, "n", "ˈoʊ", END]


def test_a_sound_that_the_voice_lacks_is_named():
    with pytest.raises(TokenError, match="no sound 'ʒ'"):
        tokens(said("Measure."), [name for name in NAMES if name != "ʒ"])


def test_labels_differ():
    assert len(set(NAMES)) == len(NAMES)


def test_frames_fall_to_their_tokens():
    token, told, inside = spread(
        torch.tensor([[0, 3, 0, 2]]), torch.tensor([[9.0, 1.0, 9.0, 2.0]]), torch.zeros(1, 4), 7
    )
    assert token[0, :5].tolist() == [1, 1, 1, 3, 3]
    assert inside[0, :, 0].tolist() == [1, 1, 1, 1, 1, 0, 0]
    assert not told[0, 5:].any()
    # f0 runs in a line from the middle of one sound to that of the next, over tokens of no length.
    assert told[0, :5, 0].tolist() == pytest.approx([1.0, 1.0, 1.4, 1.8, 2.0])


def test_render_has_as_many_frames_as_asked():
    net, ids = small(), tokens(said("This is a test."), NAMES).ids
    frames = torch.randint(0, 9, (len(ids),), generator=torch.Generator().manual_seed(1))
    mel, hz = net.render(ids, frames, torch.zeros(len(ids)), torch.zeros(len(ids)))
    assert mel.shape == (100, frames.sum())
    assert hz.shape == (frames.sum(),)
    assert mel.isfinite().all()


def test_the_pitch_follows_what_is_planned():
    net, ids = small(), tokens(said("This is a test."), NAMES).ids
    torch.nn.init.zeros_(net.melody.weight)
    torch.nn.init.zeros_(net.melody.bias)
    net.height.fill_(84.0)
    frames, zero = torch.full((len(ids),), 4), torch.zeros(len(ids))
    assert net.render(ids, frames, zero, zero)[1].tolist() == pytest.approx([128.0] * 4 * len(ids))
    assert net.render(ids, frames, zero + 12, zero)[1].unique().tolist() == pytest.approx([256.0])


def test_plan_and_render_are_deterministic():
    net, ids = small(), tokens(said("This is a test."), NAMES).ids
    plan = net.plan(ids)
    assert all((row >= 0).all() for row in (plan.frames,))
    assert torch.equal(plan.f0, net.plan(ids).f0)
    frames = torch.full((len(ids),), 4)
    first = net.render(ids, frames, plan.f0, plan.energy)
    again = net.render(ids, frames, plan.f0, plan.energy)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


def test_prosody_is_heard():
    net, ids = small(), tokens(said("This is a test."), NAMES).ids
    frames, zero = torch.full((len(ids),), 4), torch.zeros(len(ids))
    plain_mel, _ = net.render(ids, frames, zero, zero)
    assert not torch.allclose(plain_mel, net.render(ids, frames, zero + 3, zero)[0])
    assert not torch.allclose(plain_mel, net.render(ids, frames, zero, zero + 6)[0])


def test_a_batch_is_its_sentences():
    net = small()
    rows = [tokens(said(text), NAMES).ids for text in ("No.", "A longer sentence, this one.")]
    count = max(map(len, rows))
    ids = torch.stack([torch.nn.functional.pad(row, (0, count - len(row))) for row in rows])
    mask = torch.stack([(torch.arange(count) < len(row)).float() for row in rows])[..., None]
    frames = torch.full_like(ids, 3) * mask[..., 0].long()
    f0, energy = torch.randn(2, *ids.shape) * mask[..., 0]
    with torch.inference_mode():
        read = net.read(ids, mask)
        mels, tunes = net.sound(ids, frames, f0, energy, mask, int(frames.sum(1).max()))
    for k, row in enumerate(rows):
        n = len(row)
        assert torch.allclose(net.plan(row).f0 / 3.0, read[k, :n, 1], atol=1e-5)
        alone, hz = net.render(row, frames[k, :n], f0[k, :n], energy[k, :n])
        assert torch.allclose(alone.T, mels[k, : 3 * n], atol=1e-5)
        together = 2 ** ((net.height + tunes[k, : 3 * n]) / 12)
        assert torch.allclose(hz, together, rtol=1e-5)


def test_stress_is_shared_by_all_vowels():
    net = small()
    k = {name: k for k, name in enumerate(NAMES)}
    encoder = net.encoder
    assert encoder.base[k["ˈoʊ"]] == encoder.base[k["oʊ"]] != encoder.base[k["u"]]
    assert encoder.stress[k["ˈoʊ"]] == encoder.stress[k["ˈu"]] == 1
    assert encoder.stress[k["ˌu"]] == 2
    assert encoder.stress[k["u"]] == encoder.stress[k["t"]] == 0
