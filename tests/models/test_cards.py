"""Cards: what is read, and what is refused with which words."""

import pytest

from audiopipe.cards import read_card
from audiopipe.errors import MissingDependencyError, ModelError

from .conftest import CONTENT, FREE, card_text


def refusal(tmp_path, text):
    (tmp_path / "card.toml").write_text(text)
    with pytest.raises(ModelError) as refused:
        read_card(tmp_path)
    assert refused.value.exit_code == 6
    return str(refused.value).replace(str(tmp_path / "card.toml"), "card.toml").splitlines()


def test_whole_card(tmp_path):
    extra = """
labels = ["yes", "no"]
recipe = "training/tiny"
citation = "Nobody, 2026"
settings = {channels = [8, 16], heads = 2}
figures = {"accuracy, unseen speakers" = "96.3 %", "parameters" = 1234}
requires = {numpy = ">=1"}
"""
    (tmp_path / "card.toml").write_text(card_text(urls=["https://a/b"], extra=extra))
    card = read_card(tmp_path)
    assert (card.name, card.rate, card.labels) == ("tiny", 16000, ("yes", "no"))
    assert card.settings == {"channels": [8, 16], "heads": 2}
    assert card.size == card.file("weights.safetensors").size == len(CONTENT)
    assert card.file("weights.safetensors").urls == ("https://a/b",)
    assert not card.licence.gated
    assert card.data[0].licence == "CC0-1.0"
    card.check_engine()


def test_all_problems_at_once_with_their_lines(tmp_path):
    text = """\
name = "tiny"
abuot = "A typing mistake."
task = "test"
network = "none"
rate = "16 kHz"

[[files]]
name = "weights.safetensors"
size = 10
sha256 = "abc"

[[files]]
name = "../weights.safetensors"
urls = ["file:///etc/passwd"]
size = 0
sha265 = "abc"

[licence]
name = "MIT"
url = "https://opensource.org/license/mit"
comercial = true

[[data]]
name = "nothing"
licence = "CC0-1.0"
source = "made for the test"

[requires]
coqui-tts = "0.27"
"""
    assert sorted(refusal(tmp_path, text)) == sorted(
        [
            "card.toml:1:1: about is missing",
            "card.toml:2:1: unknown key 'abuot'; did you mean 'about'?",
            "card.toml:5:1: rate: Input should be a valid integer",
            "card.toml:10:1: files.sha256 is not a SHA-256: 64 digits, 0 to 9 and a to f",
            "card.toml:13:1: files.name: String should match pattern "
            "'^[A-Za-z0-9][A-Za-z0-9._+-]*(/[A-Za-z0-9][A-Za-z0-9._+-]*)*$'",
            "card.toml:14:1: files.urls: 'file:///etc/passwd' is not an http(s) address",
            "card.toml:15:1: files.size: Input should be greater than 0",
            "card.toml:16:1: unknown key 'files.sha265'; did you mean 'sha256'?",
            "card.toml:12:1: files.sha256 is missing",
            "card.toml:18:1: licence.commercial is missing",
            "card.toml:21:1: unknown key 'licence.comercial'; did you mean 'commercial'?",
            "card.toml:29:1: requires.coqui-tts: '0.27' is not a version window such as "
            "'>=0.27,<0.29'",
        ]
    )


@pytest.mark.parametrize("suffix", ["pt", "pth", "pkl", "ckpt", "bin", "PTH"])
def test_pickles_are_refused(tmp_path, suffix):
    assert refusal(tmp_path, card_text(file=f"weights.{suffix}")) == [
        f"card.toml:8:1: files: 'weights.{suffix}' is refused: .{suffix.lower()} files are "
        "pickles, and unpickling runs code that comes with the file; convert it to .safetensors"
    ]


def test_other_files_are_refused(tmp_path):
    assert refusal(tmp_path, card_text(file="weights.npz")) == [
        "card.toml:8:1: files: 'weights.npz' is refused: only .safetensors, .onnx, .toml, "
        ".json, .txt, .yaml files are loaded"
    ]


def test_checkpoints_to_convert_are_allowed(tmp_path):
    text = card_text(file="model.data-00000-of-00001")
    (tmp_path / "card.toml").write_text(text.replace("size =", "convert = true\nsize ="))
    assert read_card(tmp_path).files[0].convert


def test_one_name_twice(tmp_path):
    text = card_text()
    files = text[text.index("[[files]]") : text.index("[licence]")]
    assert refusal(tmp_path, text.replace("[licence]", files + "[licence]")) == [
        "card.toml:1:1: listed twice in files: weights.safetensors"
    ]


def test_no_files(tmp_path):
    text = card_text(extra="files = []")
    files = text[text.index("[[files]]") : text.index("[licence]")]
    assert refusal(tmp_path, text.replace(files, "")) == [
        "card.toml:6:1: files: at least one is needed"
    ]


def test_not_toml(tmp_path):
    assert refusal(tmp_path, "name = tiny") == [
        "card.toml: not TOML: Invalid value (at line 1, column 8)"
    ]


def test_not_utf8(tmp_path):
    (tmp_path / "card.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(ModelError, match="cannot be read"):
        read_card(tmp_path)


def test_no_card(tmp_path):
    with pytest.raises(ModelError) as refused:
        read_card(tmp_path)
    assert str(refused.value) == f"{tmp_path}: not a model, as there is no card.toml in it"


def test_unknown_file(tmp_path):
    (tmp_path / "card.toml").write_text(card_text())
    with pytest.raises(ModelError) as refused:
        read_card(tmp_path).file("weight.safetensors")
    assert str(refused.value) == (
        "model 'tiny' has no file 'weight.safetensors'; did you mean 'weights.safetensors'?"
    )


def test_engine_outside_of_its_window(tmp_path):
    extra = 'requires = {numpy = "<1", no-such-engine = ">=2,<3"}'
    (tmp_path / "card.toml").write_text(card_text(extra=extra))
    with pytest.raises(MissingDependencyError) as refused:
        read_card(tmp_path).check_engine()
    from numpy import __version__

    assert str(refused.value) == (
        f"model 'tiny' was tested with numpy<1, but {__version__} is installed; and with "
        "no-such-engine>=2,<3, which is not installed; run: pip install 'numpy<1' "
        "'no-such-engine>=2,<3'"
    )


def test_what_a_licence_forbids(tmp_path):
    (tmp_path / "card.toml").write_text(
        card_text(licence=FREE.replace("true", 'false\nforbids = "cloning without consent"'))
    )
    licence = read_card(tmp_path).licence
    assert licence.gated
    assert licence.forbidden == "commercial use, cloning without consent"


@pytest.mark.parametrize("label", ["", r"stop\u001b[2J"])
def test_labels_can_be_printed(tmp_path, label):
    text = card_text(extra=f'labels = ["yes", "{label}"]')
    (told,) = refusal(tmp_path, text)
    assert "is no label: it is empty, or holds what cannot be printed" in told
