import os
import time
from contextlib import contextmanager
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def lexicons(tmp_path_factory):
    """The indexed lexicons are made once, and not in the user's cache."""
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    yield Path(os.environ["XDG_CACHE_HOME"]) / "audiopipe" / "lexicons"
    if before is None:
        del os.environ["XDG_CACHE_HOME"]
    else:
        os.environ["XDG_CACHE_HOME"] = before


@pytest.fixture
def swift():
    """A limit for the processor's time: patterns that back-track without end would pass it."""

    @contextmanager
    def watch(seconds):
        begin = time.process_time()
        yield
        assert time.process_time() - begin < seconds

    return watch
