"""`audiopipe models …`, from outside."""

import json
import subprocess
import sys
from hashlib import sha256

import pytest
from typer.testing import CliRunner

from audiopipe.cli.models import app
from audiopipe.errors import LicenceError, ModelError, ModelVerificationError

from .conftest import CONTENT, GATED

FILE = "weights.safetensors"


def call(*arguments):
    result = CliRunner().invoke(app, arguments)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


@pytest.fixture
def three(server, shelf):
    (shelf.add("at-hand") / FILE).write_bytes(CONTENT)
    shelf.add("far", urls=[server.url("/w")])
    shelf.add("gated", urls=[server.url("/w")], licence=GATED)


def test_list(three):
    lines = [line.split() for line in call("list").splitlines()]
    assert lines == [
        ["model", "task", "size", "licence", "commercial", "use", "state"],
        ["at-hand", "test", "200.0", "kB", "MIT", "yes", "embedded"],
        ["far", "test", "200.0", "kB", "MIT", "yes", "not", "downloaded"],
        ["gated", "test", "200.0", "kB", "CC-BY-NC-4.0", "no", "not", "downloaded"],
    ]


def test_list_json(three):
    assert json.loads(call("list", "--json"))[1] == {
        "name": "far",
        "task": "test",
        "bytes": 200_000,
        "licence": "MIT",
        "commercial": True,
        "state": "not downloaded",
    }


def test_pull_verify_path(three, tmp_path):
    place = tmp_path / "store" / "far" / FILE
    assert call("pull", "far", "at-hand") == (
        "far: complete and verified\nat-hand: complete and verified\n"
    )
    assert call("path", "far", FILE) == call("path", "far") == f"{place}\n"
    assert call("verify") == "at-hand: verified\nfar: verified\n"
    place.write_bytes(CONTENT[:-1])
    with pytest.raises(ModelVerificationError) as refused:
        call("verify")
    assert str(refused.value) == (
        f"{place}: has 199999 bytes, the card says 200000; run: audiopipe models pull far"
    )
    assert refused.value.exit_code == 6
    assert call("verify", "at-hand") == "at-hand: verified\n"


def test_wrong_name_is_found_before_the_first_download(three, server):
    with pytest.raises(ModelError) as refused:
        call("pull", "far", "gatde")
    assert str(refused.value) == "there is no model 'gatde'; did you mean 'gated'?"
    assert server.requests == []


def test_licence(three):
    with pytest.raises(LicenceError):
        call("pull", "gated")
    assert call("pull", "gated", "--accept-licence") == "gated: complete and verified\n"


def test_show(server, shelf):
    url = server.url("/w")
    extra = """
labels = ["yes", "no"]
settings = {channels = 8}
recipe = "training/tiny"
figures = {accuracy = "96 %"}
requires = {no-such-engine = ">=2"}
citation = "Nobody, 2026"
"""
    shelf.add(urls=[url], licence=GATED, extra=extra)
    assert (
        call("show", "tiny")
        == f"""\
tiny: A tiny model.
task         test
network      none
  channels = 8
sample rate  16000 Hz
labels       yes, no
state        not downloaded
size         200.0 kB
  {FILE}: 200000 bytes, SHA-256 {sha256(CONTENT).hexdigest()}
    {url}
licence      CC-BY-NC-4.0, https://creativecommons.org/licenses/by-nc/4.0
  commercial use: no
  forbids: commercial use
  has to be accepted: audiopipe models pull tiny --accept-licence
trained on
  nothing: CC0-1.0, made for the test
recipe       training/tiny
measured
  accuracy: 96 %
requires     no-such-engine>=2 (here: not installed)
cite         Nobody, 2026
"""
    )


def test_help_shows_examples():
    for command in ("list", "show", "pull", "verify", "path"):
        assert f"audiopipe models {command}" in " ".join(call(command, "--help").split())


def test_starts_without_torch():
    code = "import sys, audiopipe.cli.models, audiopipe.models; print('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"
