"""The conformance kit: tests that a stage keeps what it declares.

Every registered stage goes through it, plug-ins too. One call tells all that is wrong:

>>> from audiopipe.testing import check_stage
>>> report = check_stage("tap", chunkings=2, formats=1)
>>> report.chunkings
4

With pytest, each promise is a test of its own; put this into your plug-in's tests:

    import pytest
    from audiopipe.testing import pairs

    @pytest.mark.parametrize(("check", "case"), pairs(MyStage), ids=str)
    def test_conformance(check, case):
        check(case)

A stage is tried on its `examples()`, on inputs of several formats: audio of several rates and
channels, or, for a stage that takes something else, what registered stages make of audio. A
stage that takes a kind of its own is given `sources`. What is tested is what the stage says of
itself: `output`, `reach`, `fidelity`, `retimes`, `half`. The checks are:

    chunkings   a stream cut anyhow gives what the whole recording gives
    batch       every window is computed by itself, whatever else is in the batch
    state       a saved stream goes on the same when it is restored
    streams     two streams on one engine do not touch each other
    lockstep    streams that run together give what each gives alone
    format      blocks have the declared format, and follow each other without a gap
    length      audio is as long as its input; no frame is dropped at the end
    seams       windows of an `exact` stage are joined without a trace (its halo is wide enough)
    reach       an output depends on no more input than declared
    latency     an output is out when it was promised
    finite      silence, DC and very loud input give finite output
    tiny        recordings of 0, 1 and 2 elements pass
    nan         NaN and infinity break nothing
    untouched   the input is not written to
    repeatable  the same input gives the same output, always
    loading     planning loads nothing, an engine loads once
    fidelity    what cannot stream says why, and what to use instead
    half        half precision gives nearly the same (stages with `half`)
    cuda        a CUDA device gives the same (where there is one)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audiopipe.stage import Stage
from audiopipe.testing import devices, robustness, streaming, timing
from audiopipe.testing.case import Case, Check, cases
from audiopipe.testing.compare import ConformanceError
from audiopipe.testing.inputs import Source, audio_source, sound

CHECKS: tuple[Check, ...] = (
    *streaming.CHECKS,
    *timing.CHECKS,
    *robustness.CHECKS,
    *devices.CHECKS,
)
"""All checks."""


@dataclass(frozen=True)
class Report:
    """What was checked: the case, the check, and what it measured."""

    findings: tuple[tuple[str, str, str], ...]
    chunkings: int
    """How many random ways of cutting were tried."""

    def __str__(self) -> str:
        lines, shown = [], ""
        for case, check, note in self.findings:
            lines += [case] if case != shown else []
            lines.append(f"  {check:<12}{note}")
            shown = case
        return "\n".join([*lines, f"{self.chunkings} random chunkings"])


def pairs(
    stage: Stage | type[Stage] | str,
    *,
    sources: Sequence[Source] | None = None,
    chunkings: int = 20,
    seed: int = 0,
    formats: int = 2,
) -> list[tuple[Check, Case]]:
    """Every check with every case of a stage, for `pytest.mark.parametrize`."""
    made = cases(stage, offered=sources, chunkings=chunkings, seed=seed, formats=formats)
    return [(check, case) for case in made for check in CHECKS]


def check_stage(
    stage: Stage | type[Stage] | str,
    *,
    sources: Sequence[Source] | None = None,
    chunkings: int = 20,
    seed: int = 0,
    formats: int = 2,
    checks: Sequence[str] = (),
) -> Report:
    """Check a stage: its class, its name, or one configuration of it.

    `chunkings` random ways of cutting are tried on each case, `formats` kinds of input on each
    example. `checks` names those wanted; none means all. Raises ConformanceError with all that
    failed.
    """
    findings, failures, tried = [], [], 0
    for case in cases(stage, offered=sources, chunkings=chunkings, seed=seed, formats=formats):
        for check in CHECKS:
            if checks and check.name not in checks:
                continue
            try:
                findings.append((str(case), check.name, check(case)))
            except ConformanceError as error:
                failures.append(error)
        tried += case.tried
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise ConformanceError(
            "what the stage declares",
            f"{len(failures)} checks failed:\n" + "\n".join(map(str, failures)),
        ) from failures[0]
    return Report(tuple(findings), tried)


__all__ = [
    "CHECKS",
    "Case",
    "Check",
    "ConformanceError",
    "Report",
    "Source",
    "audio_source",
    "cases",
    "check_stage",
    "pairs",
    "sound",
]
