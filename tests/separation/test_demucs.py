"""Demucs through our windows, against torchaudio and the package itself, with random weights."""

import json
from fractions import Fraction

import pytest
import torch
from separators import random_weights, write_card

from audiopipe import Audio, Pipeline
from audiopipe.errors import CheckpointError, MissingDependencyError, ModelError
from audiopipe.separators import demucs as ours
from audiopipe.separators.demucs import demucs_nets
from audiopipe.stages.separate import Separate
from audiopipe.testing import CHECKS, Case, audio_source

LABELS = ("drums", "bass", "other", "vocals")
SMALL = {"channels": 4, "nfft": 4096, "depth": 6}
SEGMENT = 0.5
WINDOW = 22050


@pytest.fixture(scope="module")
def hybrid(tmp_path_factory):
    """A small `hdemucs`."""
    from torchaudio.models import HDemucs

    folder = tmp_path_factory.mktemp("models") / "small-hdemucs"
    torch.manual_seed(1)
    random_weights(HDemucs(sources=list(LABELS), **SMALL), folder)
    return write_card(folder, "hdemucs", LABELS, {**SMALL, "segment": SEGMENT})


def transformer(seed=2, **settings):
    htdemucs = pytest.importorskip("demucs.htdemucs")
    torch.manual_seed(seed)
    small = {"channels": 8, "t_layers": 1, "t_heads": 2, "segment": Fraction(1, 2), **settings}
    return htdemucs.HTDemucs(sources=list(LABELS), **small).eval(), small


def write_transformer(folder, net, settings, name="weights.safetensors", **metadata):
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    fraction = {"_type": "fraction", "numerator": 1, "denominator": 2}
    told = {
        "klass": "demucs.htdemucs.HTDemucs",
        "args": "[]",
        "kwargs": json.dumps({**settings, "sources": list(LABELS), "segment": fraction}),
        **metadata,
    }
    state = {k: v.contiguous() for k, v in net.state_dict().items()}
    save_file(state, folder / name, metadata=told)


def music(length, seed=0, channels=2):
    """Noise and tones whose level changes."""
    generator = torch.Generator().manual_seed(seed)
    time = torch.arange(length) / 44100
    tone = torch.sin(2 * torch.pi * 220 * time) * torch.sin(2 * torch.pi * 0.7 * time)
    noise = torch.randn(channels, length, generator=generator)
    return 0.1 * (tone + noise * torch.sin(2 * torch.pi * 1.3 * time).relu())


def separated(model, samples, **options):
    stage = Separate(model=model, remainder="none", **options)
    found = Pipeline([stage]).run(Audio(samples, 44100))["separate"]
    return torch.stack([found[name].samples for name in LABELS])


def tutorial(net, mix, segment, overlap):
    """The loop of torchaudio's tutorial on Hybrid Demucs: segments that overlap, faded in and out
    linearly; here all of one length, the last one continued with zeros."""
    chunk = int(segment * 44100)
    hop = int((1 - overlap) * chunk)
    fade = chunk - hop
    count = -(-mix.shape[-1] // hop)
    padded = torch.nn.functional.pad(mix, (0, count * hop + chunk))
    out = torch.zeros(len(LABELS), *padded.shape)
    for i in range(count):
        part = padded[:, i * hop : i * hop + chunk]
        made = net(part[None])[0]
        ramp = torch.ones(chunk)
        if i and fade:
            ramp[:fade] = torch.linspace(0, 1, fade)
        if i < count - 1 and fade:
            ramp[-fade:] = torch.linspace(1, 0, fade)
        out[..., i * hop : i * hop + chunk] += made * ramp
    return out[..., : mix.shape[-1]]


def test_hdemucs_equals_torchaudios_loop_without_overlap(hybrid):
    mix = music(3 * WINDOW - 5000)
    (net,) = demucs_nets(hybrid)
    want = tutorial(net, mix, SEGMENT, 0.0)
    torch.testing.assert_close(separated(hybrid, mix, overlap=0.0), want, atol=1e-4, rtol=0)
    assert want.abs().max() > 0.01


def test_hdemucs_with_overlap_is_between_the_same_windows(hybrid):
    """Only the fade differs from the tutorial's: where one window is alone, nothing does."""
    mix = music(2 * WINDOW)
    (net,) = demucs_nets(hybrid)
    window, hop = WINDOW, int(0.75 * WINDOW)
    found = separated(hybrid, mix, overlap=0.25)
    want = tutorial(net, mix, SEGMENT, 0.25)
    alone = slice(hop + (window - hop), 2 * hop)  # of the second window
    torch.testing.assert_close(found[..., alone], want[..., alone], atol=1e-4, rtol=0)
    first, second = (net(mix[None, :, at : at + window])[0] for at in (0, hop))
    low = torch.minimum(first[..., hop:], second[..., : window - hop])
    high = torch.maximum(first[..., hop:], second[..., : window - hop])
    faded = found[..., hop:window]
    assert ((faded >= low - 1e-4) & (faded <= high + 1e-4)).all()


@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5])
def test_htdemucs_equals_the_package(tmp_path, overlap):
    apply = pytest.importorskip("demucs.apply")
    net, small = transformer()
    write_transformer(tmp_path / "small", net, {**small, "segment": None})
    model = write_card(tmp_path / "small", "htdemucs", LABELS, {"segment": "1/2"})
    mix = music(3 * WINDOW)
    want = apply.apply_model(net, mix[None], shifts=0, split=True, overlap=overlap)[0]
    found = separated(model, mix, overlap=overlap)
    # The package moves its last windows, which are shorter, back over what was there before.
    hop = int((1 - overlap) * WINDOW)
    last = min(k * hop for k in range(9) if k * hop + WINDOW > mix.shape[-1])
    torch.testing.assert_close(found[..., :last], want[..., :last], atol=1e-4, rtol=0)
    assert last >= mix.shape[-1] - WINDOW
    assert want.abs().max() > 0.01


def test_a_bag_takes_each_stem_from_its_own_network(tmp_path):
    nets = []
    for number, name in enumerate(LABELS):
        net, small = transformer(seed=number)
        write_transformer(
            tmp_path / "bag", net, {**small, "segment": None}, f"{number}-{name}.safetensors"
        )
        nets.append(net)
    model = write_card(tmp_path / "bag", "htdemucs", LABELS, {"segment": "1/2"})
    mix = music(WINDOW)
    want = torch.stack([net(mix[None])[0, i] for i, net in enumerate(nets)])
    torch.testing.assert_close(separated(model, mix, overlap=0.0), want, atol=1e-4, rtol=0)


@pytest.mark.parametrize(("gain", "off"), [(1.0, 0), (1e-2, 1e-3), (1e-4, 2e-2)])
def test_normalising_the_track_changes_nothing_that_is_heard(hybrid, gain, off):
    """Demucs brings the track as a whole to level 1 and mean 0 first. Its networks do so with each
    window, so that it is the same but for what they add to a level before they divide, 1e-5. That
    is little against a level of 1, which our windows have; a faint track alone comes out `off`."""
    mix = music(WINDOW) * gain
    (net,) = demucs_nets(hybrid)
    mean, level = mix.mean(), mix.mean(0).std()
    want = net(((mix - mean) / level)[None])[0] * level + mean
    found = separated(hybrid, mix, overlap=0.0)
    assert (found - want).norm() < 1e-4 * want.norm()
    assert (net(mix[None])[0] - want).norm() > off * want.norm()


@pytest.mark.parametrize("batch", [None, 2, 40])
def test_so_many_windows_are_computed_at_once(hybrid, monkeypatch, batch):
    sizes = []

    def compute(self, model, windows):
        sizes.append(len(windows))
        return (windows,) * len(LABELS)

    monkeypatch.setattr(ours.Demucs, "compute", compute)
    pipeline = Pipeline([Separate(model=hybrid, batch=batch, overlap=0.25)])
    audio = Audio(torch.zeros(2, 90 * int(0.75 * WINDOW)), 44100)
    pipeline.run(audio)
    assert sum(sizes) == 90
    # A block is so long that a batch of windows becomes complete with it.
    assert pipeline.plan(audio).block == (batch or 0) * int(0.75 * WINDOW)
    assert max(sizes) == (batch or max(sizes))


def test_silence_gives_silence(hybrid):
    assert not separated(hybrid, torch.zeros(2, 50000)).any()


@pytest.mark.parametrize("length", [1, WINDOW - 1, WINDOW + 1])
def test_length_is_kept(hybrid, length):
    assert separated(hybrid, music(length)).shape == (4, 2, length)


@pytest.mark.slow
@pytest.mark.parametrize("check", [c for c in CHECKS if not c.gpu], ids=str)
def test_conformance(hybrid, check):
    check(Case(Separate(model=hybrid, stems=("vocals",)), audio_source(44100, 2), chunkings=1))


# Weights.


def checkpoint(folder, state):
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(state, folder / "weights.pt")
    name = write_card(folder, "hdemucs", LABELS, {**SMALL, "segment": SEGMENT})
    card = folder / "card.toml"
    card.write_text(
        card.read_text().replace('name = "weights.pt"', 'name = "weights.pt"\nconvert = true')
    )
    return name


def test_a_checkpoint_is_converted_once(tmp_path, hybrid, monkeypatch):
    (net,) = demucs_nets(hybrid)
    model = checkpoint(tmp_path / "foreign", net.state_dict())
    (found,) = demucs_nets(model)
    for name, weight in net.state_dict().items():
        assert torch.equal(found.state_dict()[name], weight)
    (made,) = (tmp_path / "foreign").glob("converted-*.safetensors")

    def never(path):
        raise AssertionError("read again")

    monkeypatch.setattr(ours, "read_state", never)
    demucs_nets(model)
    made.unlink()
    with pytest.raises(AssertionError, match="read again"):
        demucs_nets(model)


def test_a_checkpoint_that_names_more_than_tensors_is_refused(tmp_path):
    model = checkpoint(tmp_path / "foreign", {"weights": Fraction(1, 2)})
    with pytest.raises(CheckpointError, match=r"names fractions\.Fraction"):
        demucs_nets(model)
    assert not list((tmp_path / "foreign").glob("converted*.safetensors"))


def test_without_the_package_its_models_say_what_to_install(tmp_path, monkeypatch):
    net, small = transformer()
    write_transformer(tmp_path / "small", net, {**small, "segment": None})
    model = write_card(tmp_path / "small", "htdemucs", LABELS, {"segment": "1/2"})
    monkeypatch.setitem(__import__("sys").modules, "demucs.htdemucs", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'audiopipe\[demucs\]'"):
        demucs_nets(model)


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ({"klass": "os.system"}, "is of 'os.system'"),
        ({"kwargs": json.dumps({"sources": ["a", "b"]})}, "makes a, b"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path, metadata, told):
    net, small = transformer()
    write_transformer(tmp_path / "small", net, {**small, "segment": None}, **metadata)
    model = write_card(tmp_path / "small", "htdemucs", LABELS, {"segment": "1/2"})
    with pytest.raises(ModelError, match=told):
        demucs_nets(model)


def test_a_segment_is_needed(tmp_path, hybrid):
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "weights.safetensors").write_bytes(b"x")
    model = write_card(tmp_path / "bare", "hdemucs", LABELS, {})
    with pytest.raises(ModelError, match="must say in seconds, `segment`"):
        Pipeline([Separate(model=model)]).plan()
