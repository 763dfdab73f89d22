"""What a taught model is made of: copies, folds, the new layer, the trial."""

import pytest
import torch
from teaching import make_base

from audiopipe.metrics import Confusion
from audiopipe.teaching.augment import SHIFT, augment, the_second
from audiopipe.teaching.examples import BACKGROUND, Background, Example, Examples
from audiopipe.teaching.folds import fold_of_each
from audiopipe.teaching.head import fit
from audiopipe.teaching.lesson import COPIES, NOISES, Lesson, prepare
from audiopipe.teaching.noises import made_up_noises
from audiopipe.teaching.package import model_name
from audiopipe.teaching.trial import Trial, hold, judge, warnings


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


class TestCopies:
    def burst(self):
        clips = torch.zeros(40, 32000)
        clips[:, 15000:17000] = 0.1 * torch.randn(2000, generator=seeded())
        return clips

    def test_they_differ_and_hold_the_sound(self):
        copies = augment(self.burst(), torch.zeros(1, 16000), seeded())
        assert copies.shape == (40, 16000)
        power = copies.square()
        middle = (power * torch.arange(16000)).sum(1) / power.sum(1) / 16000
        assert float(middle.min()) > 0.5 - SHIFT - 0.05
        assert float(middle.max()) < 0.5 + SHIFT + 0.05
        assert float(middle.std()) > 0.05
        levels = power.sum(1).log10() * 10
        assert float(levels.max() - levels.min()) > 15

    def test_noise_is_under_them(self):
        noise = 0.3 * torch.randn(3, 16000, generator=seeded(1))
        quiet = augment(self.burst(), noise, seeded())[:, :1000].square().mean(1)
        assert float(quiet.min()) > 0

    def test_they_are_seeded(self):
        first, second, third = (
            augment(self.burst(), torch.ones(2, 16000), seeded(seed)) for seed in (1, 1, 2)
        )
        assert torch.equal(first, second)
        assert not torch.equal(first, third)

    def test_noises(self):
        noises = made_up_noises(64, seeded())
        assert noises.shape == (64, 16000)
        assert torch.isfinite(noises).all()
        assert float(noises.abs().max()) <= 1
        assert not noises[0].any()
        spectra = torch.fft.rfft(noises[noises.any(1)]).abs()
        tilt = spectra[:, 4000:].sum(1) / spectra[:, :4000].sum(1)
        assert float(tilt.max() / tilt.min()) > 30


class TestFolds:
    def test_a_group_is_never_torn(self):
        labels = [k % 3 for k in range(60)]
        groups = [f"speaker {k // 4}" for k in range(60)]
        folds = fold_of_each(labels, groups, seed=3)
        of_group = {}
        for group, fold in zip(groups, folds.tolist(), strict=True):
            assert of_group.setdefault(group, fold) == fold

    def test_every_label_is_in_every_fold(self):
        folds = fold_of_each([0] * 5 + [1] * 20, [str(k) for k in range(25)], seed=0)
        assert sorted(folds[:5].tolist()) == [0, 1, 2, 3, 4]
        assert torch.bincount(folds[5:]).tolist() == [4] * 5

    def test_there_are_ten_at_most(self):
        assert int(fold_of_each([0] * 50, [str(k) for k in range(50)], seed=0).max()) == 9


class TestHead:
    def points(self, count=200):
        targets = torch.arange(count) % 3
        centres = torch.tensor([[0.0, 0, 50], [2, 0, 50], [0, 2, 50]])
        noise = torch.randn(count, 3, generator=seeded()) * torch.tensor([0.2, 0.2, 1e-9])
        return centres[targets] + noise, targets

    def test_what_can_be_separated_is(self):
        features, targets = self.points()
        head = fit(features, targets, torch.ones(3))
        assert torch.equal(head.scores(features).argmax(1), targets)
        torch.testing.assert_close(head.scores(features).sum(1), torch.ones(200))

    def test_it_is_the_minimum(self):
        """The gradient of the loss, by torch's own differentiation, is nearly zero."""
        features, targets = self.points()
        features = features[:, :2]
        weights = torch.tensor([1.0, 1.0, 4.0])
        head = fit(features, targets, weights, decay=0.01, doubt=0.2)
        spread, mean = features.std(0), features.mean(0)
        weight = (head.weight * spread).requires_grad_()
        bias = (head.bias + head.weight @ mean).requires_grad_()
        logits = (features - mean) / spread @ weight.T + bias
        surprise = torch.nn.functional.cross_entropy(
            logits, targets, reduction="none", label_smoothing=0.2
        )
        loss = surprise * (weights / 6 / torch.bincount(targets))[targets]
        (loss.sum() + 0.01 * weight.square().sum()).backward()
        assert float(weight.grad.abs().max()) < 1e-3
        assert float(bias.grad.abs().max()) < 1e-3

    def test_a_rare_label_weighs_as_much(self):
        features = torch.randn(1000, 2, generator=seeded())
        targets = (torch.arange(1000) < 20).long()
        rare = fit(features, targets, torch.ones(2)).scores(torch.zeros(1, 2))[0, 1]
        assert 0.3 < float(rare) < 0.7


def lesson(seed=0):
    """Two labels that can be told apart by the first feature, and background by the second."""
    target = torch.tensor([0] * 10 + [1] * 10 + [2] * 20)
    centres = torch.tensor([[-2.0, 0], [2, 0], [0, 3]])
    features = centres[target] + 0.3 * torch.randn(40, 2, generator=seeded(seed))
    return Lesson(
        ("a", "b", BACKGROUND), features, torch.arange(40), torch.ones(40, dtype=torch.bool),
        target, tuple(str(k) for k in range(40)),
    )  # fmt: skip


class TestTrial:
    def test_what_can_be_told_apart(self):
        trial = hold(lesson(), 0, lambda done, total: None)
        assert trial.words.accuracy == 1
        assert trial.words.total == 20
        assert trial.confusion.total == 40
        assert trial.false == {BACKGROUND: 0}
        assert list(warnings(trial)) == []

    def test_what_is_held_out_was_not_taught(self):
        """Labels without any meaning: only who has seen the answers is right."""
        made = lesson()
        features = torch.randn(40, 30, generator=seeded(5))
        random = Lesson(made.labels, features, made.item, made.plain, made.target, made.groups)
        everything = torch.ones(40, dtype=torch.bool)
        seen = random.scores(random.fit(everything), everything).argmax(1) == made.target
        held = hold(random, 0, lambda done, total: None).words.accuracy
        assert float(seen.float().mean()) > 0.9
        assert held < 0.7

    def test_the_threshold_keeps_others_out(self):
        scores = torch.tensor([[0.9, 0.1]] * 20 + [[0.65, 0.35]] * 10 + [[0.1, 0.9]] * 10)
        trial = judge(scores, torch.tensor([0] * 20 + [1] * 20), ("a", BACKGROUND))
        assert 0.65 < trial.threshold < 0.9
        assert (trial.missed, trial.false[BACKGROUND]) == (0, 0)

    def test_but_not_at_any_price(self):
        scores = torch.tensor([[0.6, 0.4]] * 20 + [[0.7, 0.3]] + [[0.1, 0.9]] * 99)
        trial = judge(scores, torch.tensor([0] * 20 + [1] * 100), ("a", BACKGROUND))
        assert trial.threshold <= 0.6
        assert trial.missed == 0
        assert trial.false[BACKGROUND] == pytest.approx(0.01)

    def told(self, truth, guesses, false=0.0):
        confusion = Confusion.of(truth.split(), guesses.split(), ("a", "b", BACKGROUND))
        return list(warnings(Trial(confusion, 0.5, 0.0, {BACKGROUND: false})))

    def test_labels_that_are_confused_are_named(self):
        (told,) = self.told("a a a a a b b b b b", "a a a b b b b b b a")
        assert told.startswith("'a' and 'b' are confused (3 times in 10): record more of both")
        assert self.told("a a a a a b b b b b", "a a a a b b b b b b") == []

    def test_labels_that_are_not_heard_are_named(self):
        (told,) = self.told("a a a a a b b b b b", f"a a a {BACKGROUND} {BACKGROUND} b b b b b")
        assert "'a' is often taken for something else (2 of 5 times)" in told

    def test_a_noisy_background_is_named(self):
        (told,) = self.told("a a b b", "a a b b", false=0.1)
        assert "10 % of the background is taken for a label" in told


def test_copies_belong_to_their_recording(tmp_path):
    """What `prepare` says of its rows is so: the network hears the same again."""
    from audiopipe.teaching.base import Base

    others = {"word": torch.rand(3, 48), "_noise_": torch.rand(2, 48)}
    base = Base.load(make_base(tmp_path / "base", others))
    clips = [
        Example(tmp_path / f"{k}", "ab"[k % 2], torch.randn(32000, generator=seeded(k)), str(k))
        for k in range(4)
    ]
    rooms = [
        Background(tmp_path, torch.randn(16000, generator=seeded(9 + k))) for k in range(7)
    ]  # fmt: skip
    made = prepare(Examples(("a", "b"), tuple(clips), tuple(rooms), False, ()), base, 0, print)
    assert made.labels == ("a", "b", BACKGROUND, "_unknown_")
    count = 4 + NOISES + 7 + 5
    assert len(made.target) == len(made.groups) == count == int(made.plain.sum())
    assert torch.equal(made.item[made.plain], torch.arange(count))
    assert torch.bincount(made.item)[:4].tolist() == [1 + COPIES] * 4
    plain = made.features[made.plain]
    torch.testing.assert_close(
        plain[:4], base.hear(the_second(torch.stack([c.samples for c in clips])))
    )
    torch.testing.assert_close(
        plain[4 + NOISES : 11 + NOISES], base.hear(torch.stack([r.samples for r in rooms]))
    )
    assert made.target[:4].tolist() == [0, 1, 0, 1]
    assert sorted(made.target[-5:].tolist()) == [2, 2, 3, 3, 3]
    assert made.groups[:4] == ("0", "1", "2", "3")
    assert len(set(made.groups[4 + NOISES : 11 + NOISES])) == 2


@pytest.mark.parametrize(
    ("folder", "name"), [("my-words", "my-words"), ("a b!", "a-b"), ("ö", "words"), (".x", "x")]
)
def test_names_of_models(tmp_path, folder, name):
    assert model_name(tmp_path / folder) == name
