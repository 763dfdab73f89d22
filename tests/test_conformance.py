"""Every registered stage, plug-ins too, keeps what it declares.

On every example of a stage, on two input formats each, the check `chunkings` alone tries 20
random ways of cutting and 4 fixed ones; `test_how_much_was_tried` prints the sum.
"""

from __future__ import annotations

import sys

import pytest
import torch

from audiopipe.registry import find_stage, stage_names
from audiopipe.signals import Text
from audiopipe.testing import Case, Check, pairs

CHUNKINGS = 20
# The kit cuts and perturbs what is sampled; stages that take text have tests of their own.
# So has `clone`: it needs a recording, and consent to it (tests/test_clone_stage.py).
STAGES = [
    name
    for name in stage_names()
    if not issubclass(find_stage(name).takes, Text) and name != "clone"
]
PAIRS = [pair for name in STAGES for pair in pairs(name, chunkings=CHUNKINGS)]


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Blocks are small: threads that wait for each other cost more than they give."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def _parameter(check: Check, case: Case):
    marks = [pytest.mark.gpu] if check.gpu else []
    return pytest.param(check, case, marks=marks, id=f"{case}-{check}")


@pytest.mark.parametrize(("check", "case"), [_parameter(*pair) for pair in PAIRS])
def test_stage(check: Check, case: Case):
    if check.gpu and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    assert check(case)


def test_every_stage_has_cases():
    tested = {case.stage.name for _, case in PAIRS}
    assert tested == {find_stage(name).name for name in STAGES}


def test_how_much_was_tried(capsys, request):
    tried = {id(case): case for _, case in PAIRS}.values()
    chunkings = sum(case.tried for case in tried)
    with capsys.disabled():
        sys.stderr.write(
            f"\nconformance: {chunkings} random chunkings over {len(tried)} cases of "
            f"{len(STAGES)} stages\n"
        )
    ran = {item.name for item in request.session.items}
    if sum("-chunkings]" in name for name in ran) == len(tried):
        assert chunkings == CHUNKINGS * len(tried)
