"""What is told of a live run when it has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from audiopipe.run.live import LiveReport


def tell(console: Console, report: LiveReport) -> None:
    """Print the report of a live run."""
    console.print(f"heard {report.seconds:.1f} s; p50 / p95 / p99 in the following")
    console.print(f"computing a block: {report.processing}")
    for name, latency in report.latency.items():
        declared = 1000 * report.declared[name]
        console.print(f"latency of {name}: {latency} (declared by its stages: {declared:.1f} ms)")
    tell_losses(console, report)


def tell_losses(console: Console, report: LiveReport) -> None:
    """Print what was not heard."""
    queue = report.queue
    dropped = queue.dropped / max(1, queue.put) * report.seconds
    console.print(
        f"dropped {queue.drops} blocks ({dropped:.2f} s), {report.overruns} overruns; "
        f"at most {queue.fullest:.2f} s waited"
    )


def as_data(report: LiveReport) -> dict[str, object]:
    """The same for programs."""
    return {
        "seconds": report.seconds,
        "processing_s": vars(report.processing),
        "latency_s": {name: vars(value) for name, value in report.latency.items()},
        "declared_s": dict(report.declared),
        "drops": report.queue.drops,
        "dropped_samples": report.queue.dropped,
        "overruns": report.overruns,
        "queue_fullest_s": report.queue.fullest,
    }
