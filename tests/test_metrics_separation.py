"""Measures of separation: known answers, and `museval` and `mir_eval` as oracles."""

import warnings

import numpy as np
import pytest

from audiopipe.metrics import bss_eval, framewise_sdr, sdr, si_sdr


def stems(seed, count=2, channels=2, samples=6000):
    """Stems, and estimates with interference, filtering, a delay and noise."""
    random = np.random.default_rng(seed)
    true = random.standard_normal((count, channels, samples))
    mixing = np.eye(count) + 0.2 * random.standard_normal((count, count))
    made = np.einsum("ij,jct->ict", mixing, true)
    made[..., 3:] += 0.3 * made[..., :-3]
    return true, made + 0.05 * random.standard_normal(made.shape)


def time_first(sounds):
    return np.moveaxis(sounds, 1, 2)


class TestSdr:
    def test_a_tenth_of_the_amplitude_is_20_db(self):
        true, _ = stems(0)
        assert sdr(true, 1.1 * true) == pytest.approx([20, 20])

    def test_silence_for_a_sound_is_0_db_and_a_perfect_silence_too(self):
        true, _ = stems(0)
        assert sdr(true, 0 * true) == pytest.approx([0, 0])
        assert sdr(0 * true, 0 * true) == pytest.approx([0, 0])

    def test_is_the_ratio_of_museval(self):
        museval = pytest.importorskip("museval.metrics")
        true, made = stems(1, samples=1000)
        theirs = museval.bss_eval(time_first(true), time_first(made), 1000, 1000, filters_len=8)[0]
        assert sdr(true, made) == pytest.approx(theirs[:, 0], abs=1e-6)

    def test_blocks_of_single_precision_are_added_in_double(self):
        true = np.full((1, 1 << 20), 0.1, np.float32)
        made = true + np.float32(1e-3)
        assert sdr(true, made) == pytest.approx(40, abs=1e-4)

    def test_frames_are_recordings_of_their_own(self):
        true, made = stems(2, samples=2500)
        found = framewise_sdr(true, made, frame=1000)
        assert found.shape == (2, 2)
        assert found[:, 1] == pytest.approx(sdr(true[..., 1000:2000], made[..., 1000:2000]))

    @pytest.mark.parametrize("measure", [sdr, si_sdr, bss_eval])
    def test_lengths_that_differ_are_refused(self, measure):
        true, made = stems(0)
        with pytest.raises(ValueError, match="one shape"):
            measure(true, made[..., 1:])


class TestSiSdr:
    def test_loudness_does_not_count(self):
        true, made = stems(3)
        assert si_sdr(true, 0.01 * made) == pytest.approx(si_sdr(true, made))
        assert si_sdr(true, -7 * made) == pytest.approx(si_sdr(true, made))

    def test_is_the_plain_ratio_to_the_best_projection(self):
        true, made = stems(4)
        for s, estimate, found in zip(true, made, si_sdr(true, made), strict=True):
            scale = np.linalg.lstsq(s.reshape(-1, 1), estimate.ravel())[0][0]
            assert found == pytest.approx(sdr(scale * s, estimate), abs=1e-6)

    def test_one_scale_holds_for_left_and_right(self):
        true, _ = stems(5)
        assert (si_sdr(true, true * [[2.0], [1.0]]) < 20).all()

    def test_a_mono_projection_is_that_of_mir_eval_with_one_tap(self):
        separation = pytest.importorskip("mir_eval.separation")
        true, made = stems(6, channels=1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            split = separation._bss_decomp_mtifilt
            for stem in range(2):
                target, spatial, interference, artifacts = split(true[:, 0], made[stem, 0], stem, 1)
                theirs = separation._bss_source_crit(target, spatial, interference, artifacts)[0]
                assert si_sdr(true, made)[stem] == pytest.approx(theirs)

    def test_silence_has_no_ratio(self):
        true, made = stems(7)
        assert np.isnan(si_sdr(0 * true, made)).all()
        assert np.isnan(si_sdr(true, 0 * made)).all()


@pytest.mark.oracle
class TestBssEval:
    @pytest.mark.parametrize(("count", "channels"), [(2, 1), (3, 2)])
    @pytest.mark.parametrize(("window", "hop"), [(1000, 1000), (1500, 700), (9999, 9999)])
    def test_equals_museval(self, count, channels, window, hop):
        museval = pytest.importorskip("museval.metrics")
        true, made = stems(10 * count + channels, count, channels, samples=2900)
        theirs = museval.bss_eval(
            time_first(true), time_first(made), window, hop, filters_len=16
        )[:4]  # fmt: skip
        ours = bss_eval(true, made, window=window, hop=hop, taps=16)
        for found, wanted in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(found, wanted, atol=1e-9)

    def test_equals_museval_with_its_own_settings(self):
        museval = pytest.importorskip("museval")
        true, made = stems(8, channels=1, samples=44100 + 5000)
        ours, theirs = bss_eval(true, made), museval.evaluate(time_first(true), time_first(made))
        assert ours.sdr.shape == (2, 1)
        for found, wanted in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(found, wanted, atol=1e-9)

    def test_frames_with_a_silent_stem_are_nan_where_those_of_museval_are(self):
        museval = pytest.importorskip("museval.metrics")
        true, made = stems(9, 3)
        true[1, :, 1000:2000] = 0
        made[2, :, 4000:5000] = 0
        theirs = museval.bss_eval(time_first(true), time_first(made), 1000, 1000, filters_len=8)
        ours = bss_eval(true, made, window=1000, hop=1000, taps=8)
        assert np.isnan(ours.sdr).all(0).tolist() == [False, True, False, False, True, False]
        for found, wanted in zip(ours, theirs[:4], strict=True):
            np.testing.assert_allclose(found, wanted, atol=1e-9)
        assert ours.medians().sdr == pytest.approx(np.nanmedian(theirs[0], axis=1))

    def test_one_frame_equals_mir_eval(self):
        separation = pytest.importorskip("mir_eval.separation")
        true, made = stems(10, channels=1, samples=5000)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = separation.bss_eval_images(time_first(true), time_first(made), False)[:4]
        ours = bss_eval(true, made, window=5000, hop=5000)
        for found, wanted in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(found[:, 0], wanted, atol=1e-6)

    def test_long_frames_are_filtered_in_parts(self, monkeypatch):
        true, made = stems(11)
        whole = bss_eval(true, made, window=6000, hop=6000, taps=32)
        monkeypatch.setattr("audiopipe.metrics.bsseval.LONGEST", 700)
        for found, wanted in zip(
            bss_eval(true, made, window=6000, hop=6000, taps=32), whole, strict=True
        ):
            np.testing.assert_allclose(found, wanted, atol=1e-9)

    def test_correlations_of_many_blocks_are_those_of_one(self, monkeypatch):
        true, made = stems(12)
        whole = bss_eval(true, made, taps=16)
        monkeypatch.setattr("audiopipe.metrics.bsseval.BLOCK", 256)
        for found, wanted in zip(bss_eval(true, made, taps=16), whole, strict=True):
            np.testing.assert_allclose(found, wanted, atol=1e-9)


class TestSilence:
    @pytest.mark.parametrize("which", ["reference", "estimate"])
    def test_a_stem_without_sound_is_refused_and_named(self, which):
        sounds = dict(zip(("reference", "estimate"), stems(13), strict=True))
        sounds[which][1] = 0
        with pytest.raises(ValueError, match=rf"{which}s without any sound: \[1\]"):
            bss_eval(sounds["reference"], sounds["estimate"])

    def test_copies_of_one_stem_still_have_an_answer(self):
        true, made = stems(14)
        true[1] = true[0]
        assert np.isfinite(bss_eval(true, made, taps=8).sdr).all()

    def test_equal_channels_are_as_one(self):
        true, made = stems(15, channels=1)
        one = bss_eval(true, made, taps=16)
        two = bss_eval(np.repeat(true, 2, 1), np.repeat(made, 2, 1), taps=16)
        for found, wanted in zip(two, one, strict=True):
            np.testing.assert_allclose(found, wanted, atol=1e-4)
