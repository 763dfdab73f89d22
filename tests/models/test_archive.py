"""Files that come in an archive: what is taken out, and what is refused."""

import gzip
import io
import tarfile
from hashlib import sha256

import pytest
from typer.testing import CliRunner

from audiopipe import archive as unpacking
from audiopipe.cli import app
from audiopipe.errors import ModelDownloadError, ModelError, ModelVerificationError
from audiopipe.models import Store, embedded

from .conftest import FREE, Answer

FILES = {"model.index": b"names" * 100, "model.data": b"numbers" * 5000}


def packed(files=None, prefix="./", links=(), members=()):
    """A `.tar.gz`, as bytes."""
    found = io.BytesIO()
    with tarfile.open(fileobj=found, mode="w:gz") as tar:
        for name, target in links:
            member = tarfile.TarInfo(prefix + name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            tar.addfile(member)
        for name, content in [*members, *(FILES if files is None else files).items()]:
            member = tarfile.TarInfo(name if "/" in name else prefix + name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return found.getvalue()


@pytest.fixture
def add(shelf, server):
    """Put a card on the shelf whose files come in an archive."""

    def add(content=None, name="packed", shares="", files=FILES):
        content = packed() if content is None else content
        server.script["/some.tar.gz"] = [Answer(body=content), Answer(body=content)]
        home = shelf.folder / name
        home.mkdir()
        listed = "".join(
            f'[[files]]\nname = "{file}"\narchive = "some.tar.gz"\nconvert = true\n'
            f'size = {len(inside)}\nsha256 = "{sha256(inside).hexdigest()}"\n'
            for file, inside in files.items()
        )
        (home / "card.toml").write_text(
            f'name = "{name}"\nabout = "Packed."\ntask = "test"\nnetwork = "none"\nrate = 16000\n'
            f'shares = "{shares}"\n{listed}[[archives]]\nname = "some.tar.gz"\n'
            f'urls = ["{server.url("/some.tar.gz")}"]\nsha256 = "{sha256(content).hexdigest()}"\n'
            f'[licence]\n{FREE}\n[[data]]\nname = "x"\nlicence = "CC0-1.0"\nsource = "x"\n'
        )

    return add


def test_files_are_taken_out_and_the_archive_is_removed(store, add):
    add()
    places = store.pull("packed")
    assert {name: place.read_bytes() for name, place in places.items()} == FILES
    assert sorted(path.name for path in (store.root / "packed").iterdir()) == [
        ".lock",
        "model.data",
        "model.index",
    ]
    assert store.state("packed") == "installed"
    assert len(store.verify("packed")) == 2


def test_pull_from_the_command_line(add):
    add()
    result = CliRunner().invoke(app, ["models", "pull", "packed"])
    assert result.exit_code == 0, result.output
    assert "packed: complete and verified" in result.output
    assert Store().path("packed", "model.data").read_bytes() == FILES["model.data"]


def test_what_is_there_is_not_downloaded_again(store, add, server):
    add()
    store.pull("packed")
    asked = len(server.requests)
    store.pull("packed")
    assert len(server.requests) == asked


def test_an_interrupted_download_goes_on(store, add, server):
    content = packed()
    add(content)
    server.script["/some.tar.gz"] = [
        Answer(body=content),
        Answer(body=content, stop_after=100),
        Answer(body=content),
    ]
    store.pull("packed")
    assert server.requests[-1] == ("/some.tar.gz", "bytes=100-")
    assert store.state("packed") == "installed"


def test_nothing_is_written_outside(store, add, tmp_path):
    """Other members, paths that climb, links: none of them becomes a path."""
    before = {path.name for path in tmp_path.iterdir()}
    members = [("../../escaped", b"x"), ("/tmp/escaped", b"x"), ("model.meta", b"y")]
    add(packed(links=[("link", "/etc")], members=members))
    store.pull("packed")
    assert {path.name for path in tmp_path.iterdir()} - before <= {"store"}
    assert {path.name for path in (store.root / "packed").iterdir()} == {*FILES, ".lock"}


def test_a_link_is_no_file(store, add):
    add(packed({"model.index": FILES["model.index"]}, links=[("model.data", "/etc/passwd")]))
    with pytest.raises(ModelVerificationError, match=r"there is no model\.data in it"):
        store.pull("packed")
    assert store.state("packed") == "incomplete"


@pytest.mark.parametrize("wrong", [b"numbers" * 4999, b"numbers" * 5001, b"Numbers" * 5000])
def test_wrong_members_are_refused(store, add, wrong):
    add(packed({**FILES, "model.data": wrong}))
    with pytest.raises(ModelVerificationError, match="not the one that the card describes"):
        store.pull("packed")
    assert not (store.root / "packed" / "model.data").exists()
    assert not (store.root / "packed" / "model.data.part").exists()


def test_another_archive_is_refused(store, add, server):
    add()
    other = packed(members=[("more", b"z")])
    server.script["/some.tar.gz"] = [Answer(body=other), Answer(body=other)]
    with pytest.raises(ModelVerificationError, match="wrong bytes"):
        store.pull("packed")
    assert store.state("packed") == "not downloaded"


def test_what_unpacks_to_too_much_is_refused(store, add, monkeypatch):
    monkeypatch.setattr(unpacking, "OTHERS", 1 << 20)
    add(packed(members=[("zeros", bytes(1 << 22))]))
    with pytest.raises(ModelVerificationError, match="holds more than it should"):
        store.pull("packed")


def test_what_is_too_long_is_not_downloaded(store, add, server, monkeypatch):
    monkeypatch.setattr(unpacking, "OTHERS", -sum(map(len, FILES.values())) + 10)
    add()
    with pytest.raises(ModelVerificationError, match="too many for what it is to hold"):
        store.pull("packed")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "content", [b"no archive", gzip.compress(b"no tar", mtime=0), packed()[:-30]]
)
def test_what_is_no_archive(store, add, content):
    add(content)
    with pytest.raises(ModelVerificationError):
        store.pull("packed")


def test_an_address_that_does_not_say_how_long(store, add, server):
    add()
    server.script["/some.tar.gz"] = [Answer(status=404)]
    with pytest.raises(ModelDownloadError, match="404"):
        store.pull("packed")


def test_a_model_that_shares_anothers_files(store, add, server):
    add()
    add(name="wide", shares="packed")
    store.pull("packed")
    assert store.state("wide") == "installed"
    assert store.path("wide", "model.data") == store.path("packed", "model.data")


def test_a_file_of_an_unknown_archive(store, shelf):
    shelf.add("tiny", extra="")
    card = shelf.folder / "tiny" / "card.toml"
    card.write_text(card.read_text().replace("urls = []", 'archive = "lost.tar.gz"'))
    with pytest.raises(ModelError, match=r"not in archives: lost\.tar\.gz"):
        store.card("tiny")


def test_from_a_mirror(add, server):
    add()
    server.script["/mirror/packed/some.tar.gz"] = [Answer(body=packed())] * 2
    mirrored = Store(mirror=server.url("/mirror"))
    mirrored.pull("packed")
    assert {path for path, _ in server.requests} == {"/mirror/packed/some.tar.gz"}


@pytest.mark.parametrize("stems", [2, 4, 5])
def test_the_cards_of_spleeter(stems, monkeypatch):
    monkeypatch.undo()
    plain = Store().card(f"spleeter-{stems}stems")
    assert (embedded() / plain.name).is_dir()
    assert len(plain.labels) == stems
    for ending, setting in (("16kHz", {"bins": 1536}), ("deezer", {"engine": "spleeter"})):
        other = Store().card(f"{plain.name}-{ending}")
        assert other.shares == plain.name
        assert (other.files, other.archives) == (plain.files, plain.archives)
        assert (other.labels, other.licence) == (plain.labels, plain.licence)
        assert other.settings == {**plain.settings, **setting}
