"""Folders to read from and to write to."""

import pytest


@pytest.fixture
def three(sound, write, tmp_path):
    """A folder of three files."""
    for number, name in enumerate(("a.wav", "b.wav", "sub/c.wav")):
        write(f"in/{name}", sound(0.2, seed=number))
    return tmp_path / "in"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"
