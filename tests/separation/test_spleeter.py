"""Spleeter without TensorFlow: against a slow reference, its seams, its cards."""

import numpy as np
import pytest
import spleeters
import torch
from torch.nn import functional

from audiopipe import Audio, Pipeline
from audiopipe.errors import CheckpointError, ModelError
from audiopipe.nets import spleeter as nets
from audiopipe.separators.base import Choice
from audiopipe.separators.segments import Segments
from audiopipe.separators.spleeter import Spleeter, parts, spleeter_net
from audiopipe.stages.separate import Separate


def sound(seconds, channels=2, seed=0):
    rng = np.random.default_rng(seed)
    count = round(seconds * 44100)
    tones = np.sin(np.arange(count) * np.array([[0.02], [0.13]][:channels]) * (1 + channels))
    return torch.from_numpy((0.2 * tones + 0.1 * rng.standard_normal(tones.shape)).astype("f4"))


def reference(variables, samples, stems, bins=1024, high_band="zeros", edge=(1, 2)):
    """The stems [stems, 2, samples], computed over the whole sound, step by step, as described in
    Spleeter's paper and source: frames first, and convolutions on explicit zeros."""
    tensors = {name: torch.from_numpy(array) for name, array in variables.items()}
    count = samples.shape[1]
    hann = 0.5 - 0.5 * torch.cos(2 * torch.pi * torch.arange(4096) / 4096)
    frames = -(-(count + 4096) // 1024)
    padded = functional.pad(samples, (4096, frames * 1024 + 3072 - 4096 - count))
    spectra = torch.stack(
        [torch.fft.rfft(padded[:, 1024 * k : 1024 * k + 4096] * hann) for k in range(frames)], 1
    )
    seen = functional.pad(spectra.abs()[..., :bins], (0, 0, 0, -frames % 512))
    masks = []
    for segment in seen.split(512, 1):
        logits = [unet(tensors, segment[None], k, stems == 2, edge) for k in range(stems)]
        logits = torch.stack(logits)
        shares = logits.softmax(0) if stems == 5 else 1 / (1 + (-logits).exp())
        power = (shares * segment) ** 2
        masks.append((power + 1e-10 / stems) / (power.sum(0) + 1e-10))
    mask = torch.cat(masks, 3)[:, 0, :, :frames]
    above = torch.zeros(1) if high_band == "zeros" else mask.mean(-1, keepdim=True)
    mask = torch.cat([mask, above.expand(*mask.shape[:-1], 2049 - bins)], -1)
    found = torch.zeros(stems, 2, padded.shape[1])
    for k in range(frames):
        piece = torch.fft.irfft(spectra[:, k] * mask[:, :, k], n=4096)
        found[..., 1024 * k : 1024 * k + 4096] += piece * hann * 2 / 3
    return found[..., 4096 : 4096 + count]


def unet(tensors, segment, stem, leaky, edge):
    def named(kind, number):
        name = f"{kind}_{number}" if number else kind
        return {k.split("/")[1]: v for k, v in tensors.items() if k.split("/")[0] == name}

    def norm(x, number):
        v = named("batch_normalization", 12 * stem + number)
        scale = v["gamma"] / (v["moving_variance"] + 1e-3).sqrt()
        moved = x.movedim(1, -1) - v["moving_mean"]
        return (moved * scale + v["beta"]).movedim(-1, 1)

    def down(x):
        return torch.where(x > 0, x, 0.2 * x if leaky else x.exp() - 1)

    before, behind = edge
    x, raw = segment, []
    for k in range(6):
        v = named("conv2d", 7 * stem + k)
        x = functional.pad(x, (before, behind, before, behind))
        x = functional.conv2d(x, v["kernel"].permute(3, 2, 0, 1), v["bias"], stride=2)
        raw.append(x)
        x = down(norm(x, k))
    x = raw[5]
    for k in range(6):
        v = named("conv2d_transpose", 6 * stem + k)
        x = functional.conv_transpose2d(x, v["kernel"].permute(3, 2, 0, 1), stride=2)
        x = x[..., before : before + x.shape[-2] - 3, before : before + x.shape[-1] - 3]
        x = x + v["bias"][:, None, None]
        x = norm(x.clamp_min(0) if leaky else down(x), 6 + k)
        x = torch.cat([raw[4 - k], x], 1) if k < 5 else x
    v = named("conv2d", 7 * stem + 6)
    x = functional.pad(x, (3, 3, 3, 3))
    return functional.conv2d(x, v["kernel"].permute(3, 2, 0, 1), v["bias"], dilation=2)


def stems_of(model, samples, **options):
    """[stems, 2, samples] of the separator itself."""
    found = Pipeline([Spleeter(model=model, **options)]).run(Audio(samples, 44100))["spleeter"]
    return torch.stack([stem.samples for stem in found.parts.values()])


def apart(a, b):
    return float((a - b).abs().max())


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {stems: spleeters.tiny(folder / f"{stems}", stems) for stems in (2, 4, 5)}


@pytest.mark.parametrize("stems", [2, 4, 5])
def test_equals_the_reference(models, stems):
    samples = sound(2)
    want = reference(spleeters.variables(stems), samples, stems)
    found = stems_of(models[stems], samples, overlap=0)
    assert apart(found, want) < 1e-5
    assert want.std(0).max() > 0.01  # the stems are not the same


@pytest.mark.parametrize("count", [1, 1023, 1024, 4097, 524288 - 4096, 524288 - 4095, 600_000])
def test_any_length(models, count):
    samples = sound(14)[:, :count]
    want = reference(spleeters.variables(2), samples, 2)
    assert apart(stems_of(models[2], samples, overlap=0), want) < 1e-5


def test_a_wrong_detail_would_be_found(models):
    """What the comparison is worth: padding on the other side is not equal."""
    samples = sound(2)
    found = stems_of(models[2], samples, overlap=0)
    wrong = reference(spleeters.variables(2), samples, 2, edge=(2, 1))
    assert apart(found, wrong) > 1e-2


@pytest.mark.parametrize(("bins", "high_band"), [(1536, "zeros"), (1024, "average")])
def test_bands(tmp_path, bins, high_band):
    model = spleeters.tiny(tmp_path / "m", 2, bins=bins, high_band=high_band)
    samples = sound(3)
    want = reference(spleeters.variables(2), samples, 2, bins, high_band)
    found = Pipeline([*parts(Choice(model, overlap=0.0))]).run(Audio(samples, 44100))["spleeter"]
    assert apart(torch.stack([s.samples for s in found.parts.values()]), want) < 1e-5


def test_what_is_asked_for_goes_before_the_card(tmp_path, models):
    samples = sound(1)
    average = stems_of(models[2], samples, overlap=0, high_band="average")
    want = reference(spleeters.variables(2), samples, 2, high_band="average")
    assert apart(average, want) < 1e-5
    (part,) = parts(Choice(models[2], high_band="average", overlap=0.5))
    assert (part.high_band, part.overlap) == ("average", 0.5)
    (part,) = parts(Choice(models[2]))
    assert (part.high_band, part.overlap) == ("zeros", 0.25)


def test_mono_is_two_equal_channels(models):
    samples = sound(1, channels=1)
    want = reference(spleeters.variables(2), samples.expand(2, -1), 2)
    assert apart(stems_of(models[2], samples, overlap=0), want) < 1e-5
    separate = Separate(model=models[2], overlap=0.0)  # and nothing of the remainder
    found = Pipeline([separate]).run(Audio(samples, 44100))["separate"]
    assert apart(found.parts["vocals"].samples, want[0].mean(0, keepdim=True)) < 1e-5


@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5])
def test_open_masks_give_the_sound_back(models, overlap, monkeypatch):
    """Whatever the fades: frames that are not changed add up to what they were cut from."""

    def opened(self, magnitudes):
        return torch.ones(len(magnitudes), 2, *magnitudes.shape[1:])

    monkeypatch.setattr(nets.SpleeterNet, "forward", opened)
    samples = sound(14)
    found = stems_of(models[2], samples, overlap=overlap, high_band="average")
    assert apart(found, samples.expand(2, -1, -1)) < 2e-6


def test_overlap_fades_the_masks_of_two_segments(models, monkeypatch):
    """Segments whose masks are 1, 0, 1 …: without an overlap the sound is cut, with it it fades."""
    calls = []

    def alternating(self, magnitudes):
        calls.append(1)
        shape = (len(magnitudes), 2, *magnitudes.shape[1:])
        return torch.full(shape, float(len(calls) % 2))

    monkeypatch.setattr(nets.SpleeterNet, "forward", alternating)
    samples = torch.ones(2, 2 * Segments(nets.FRAMES, 0).samples)
    steps = {}
    for overlap in (0.0, 0.25):
        calls.clear()
        (found, _) = stems_of(models[2], samples, overlap=overlap, high_band="average")
        steps[overlap] = float(found[:, 8192:-8192].diff().abs().max())
    assert steps[0.0] > 20 * steps[0.25]


def test_a_stream_equals_the_whole(models):
    samples = sound(13)
    pipeline = Pipeline([Spleeter(model=models[2])])
    blocks = [Audio(part, 44100) for part in samples.split([1, 4096, 300_000, 269_203], 1)]
    starts = [0, 1, 4097, 304_097]
    blocks = [block.like(block.samples, start=k) for block, k in zip(blocks, starts, strict=True)]
    pieces = [out["spleeter"] for out in pipeline.stream(blocks) if "spleeter" in out]
    found = torch.cat([piece.parts["vocals"].samples for piece in pieces], 1)
    assert apart(found, stems_of(models[2], samples)[0]) < 1e-6


def test_silence_gives_silence(models):
    assert stems_of(models[5], torch.zeros(2, 30000)).abs().max() == 0


def test_layers_of_few_channels_are_computed_alike():
    torch.manual_seed(0)
    plain, fine = nets.Doubling(6, 3), nets.FineDoubling(6, 3)
    fine.load_state_dict(plain.state_dict())
    hidden = torch.randn(2, 6, 5, 7)
    assert plain(hidden).shape == (2, 3, 10, 14)
    torch.testing.assert_close(fine(hidden), plain(hidden))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"activation": '"swish"'}, "not possible: activation"),
        ({"output": '"tanh"'}, "not possible: output"),
        ({"bins": 1000}, "not possible: bins"),
        ({"high_band": "ones"}, "not possible: high_band"),
        ({"filters": [1, 2]}, "not possible: filters"),
        ({"filters": [10**9] * 6}, "not possible: filters"),
        ({"filters": [2, 3, 4, 4, 5, 7]}, "weights do not fit its card"),
    ],
)
def test_cards_that_do_not_fit(tmp_path, changes, reason):
    model = spleeters.tiny(tmp_path / "m", 2)
    (tmp_path / "m" / "card.toml").unlink()
    spleeters.card_of(tmp_path / "m", 2, **{"filters": spleeters.FILTERS, **changes})
    with pytest.raises(ModelError, match=reason):
        spleeter_net(model)


def test_a_checkpoint_of_fewer_stems(tmp_path):
    spleeters.tiny(tmp_path / "m", 2)
    model = spleeters.card_of(tmp_path / "m", 4)
    with pytest.raises(ModelError, match=r"weights do not fit its card: 'conv2d_14"):
        spleeter_net(model)


def test_a_damaged_checkpoint(tmp_path):
    spleeters.tiny(tmp_path / "m", 2)
    data = tmp_path / "m" / "model.data-00000-of-00001"
    content = bytearray(data.read_bytes())
    content[100] ^= 1
    data.write_bytes(content)
    model = spleeters.card_of(tmp_path / "m", 2)
    with pytest.raises(CheckpointError, match="is damaged"):
        spleeter_net(model)


def test_weights_that_are_no_numbers(tmp_path):
    tensors = spleeters.variables(2)
    tensors["conv2d_3/bias"][0] = np.nan
    spleeters.bundles.write(tmp_path, tensors)
    with pytest.raises(ModelError, match="conv2d_3/bias holds what is no number"):
        spleeter_net(spleeters.card_of(tmp_path, 2))
