"""A plan as people read it: words for formats, Mermaid and SVG for graphs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from audiopipe.plan import INPUT, Plan, Step
from audiopipe.signals import Audio, Levels, PitchTrack, Sampled, Signal, Spectrogram, Stems

COLUMN, ROW, WIDE, HIGH = 254, 84, 204, 56
GAP, LANE = COLUMN - WIDE, 18
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1d2733}.small{font-size:11px;fill:#5b6b7c}"
    "rect{fill:#f3f6fa;stroke:#8aa0b8}.inserted{stroke-dasharray:4 3;fill:#fff}"
    ".end{fill:#e5f1e8;stroke:#7fae8c}path{fill:none;stroke:#8aa0b8;stroke-width:1.5}"
)


def format_words(format: Signal) -> str:
    """A format in a few words.

    >>> format_words(Audio.empty(44100, 2))
    'audio 44100 Hz stereo'
    """
    if isinstance(format, Stems):
        return f"stems {', '.join(format)}"
    words = type(format).__name__.lower()
    if isinstance(format, Audio):
        names = {1: "mono", 2: "stereo"}
        return f"audio {format.rate} Hz {names.get(format.channels, f'{format.channels} ch')}"
    if isinstance(format, Spectrogram):
        words = f"{format.scale} {format.channels} × {format.bins}"
    if isinstance(format, PitchTrack):
        words = "pitch"
    if isinstance(format, Levels):
        words = f"levels {format.channels} ch"
    if isinstance(format, Sampled):
        words += f" every {1000 * format.hop / format.rate:.4g} ms"
    return words


def step_words(step: Step) -> str:
    """What a step gives."""
    return ", ".join(
        f"{port}: {format_words(f)}" if port else format_words(f)
        for port, f in step.outputs.items()
    )


def lateness(plan: Plan, output: str) -> str:
    """How late an output is, in words."""
    if plan.is_offline(output):
        return "at the end"
    return f"{1000 * float(plan.output_latency(output)):.1f} ms late"


def outline(plan: Plan) -> str:
    """The plan in lines: what each step takes and gives, and how late outputs are."""
    lines = [f"input: {format_words(plan.source)}"]
    for step in plan.steps:
        sources = ", ".join(map(str, step.sources))
        note = f" (inserted: {step.why})" if step.why else ""
        lines.append(f"{step.name}: {step.stage.name}({sources}) -> {step_words(step)}{note}")
    for name, references in plan.outputs.items():
        parts = ", ".join(map(str, references))
        lines.append(f"output {name}: {parts}, {lateness(plan, name)}")
    return "\n".join(lines)


def mermaid(plan: Plan) -> str:
    """The graph in Mermaid's notation, as GitHub and editors draw it."""
    names = {INPUT: "input"} | {s.name: f"s{n}" for n, s in enumerate(plan.steps)}
    lines = ["flowchart LR", f'  input(["input<br/>{format_words(plan.source)}"])']
    for step in plan.steps:
        label = step.stage.name if step.why else f"{_entities(step.name)}<br/>{step.stage.name}"
        lines.append(f'  {names[step.name]}["{label}<br/>{step_words(step)}"]')
        if step.why:
            lines.append(f"  style {names[step.name]} stroke-dasharray: 4 3")
        for source in step.sources:
            port = f"|{source.port}|" if source.port else ""
            lines.append(f"  {names[source.step]} -->{port} {names[step.name]}")
    for number, (name, references) in enumerate(plan.outputs.items()):
        lines.append(f'  o{number}(["{_entities(name)}"])')
        for reference in references:
            port = f"|{reference.port}|" if reference.port else ""
            lines.append(f"  {names[reference.step]} -->{port} o{number}")
    return "\n".join(lines)


def _entities(text: str) -> str:
    """What is markup, in Mermaid's notation."""
    return escape(text).replace("&", "#")


def svg(plan: Plan) -> str:
    """The graph as a picture."""
    places = dict(_places(plan))
    lanes = _lanes(plan, places)
    width = max(x for x, _ in places.values()) + WIDE + 30
    height = max([*lanes.values(), *(y + HIGH for _, y in places.values())]) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}"><style>{_STYLE}</style>'
    ]
    for source, target in _edges(plan):
        (x1, y1), (x2, y2) = places[source], places[target]
        x1, y1, y2 = x1 + WIDE, y1 + HIGH // 2, y2 + HIGH // 2
        path = f"M{x1} {y1}"
        if x2 - x1 > GAP:
            path += f"{_bend(x1, y1, lanes[source])}H{x2 - GAP}"
            x1, y1 = x2 - GAP, lanes[source]
        parts.append(f'<path d="{path}{_bend(x1, y1, y2)}"/>')
    parts.append(_box(places[INPUT], "input", format_words(plan.source), "end"))
    for step in plan.steps:
        title = f"{step.name} · {step.stage.name}"
        if step.why or step.name.endswith(f"/{step.stage.name}"):
            title = step.stage.name
        kind = "inserted" if step.why else ""
        parts.append(_box(places[step.name], title, step_words(step), kind))
    for name in plan.outputs:
        parts.append(_box(places[f"→{name}"], name, lateness(plan, name), "end"))
    return "\n".join([*parts, "</svg>"])


def _bend(x: int, y: int, to: int) -> str:
    """A curve over the gap between two columns."""
    return f"C{x + GAP // 2} {y} {x + GAP // 2} {to} {x + GAP} {to}"


def _box(place: tuple[int, int], title: str, below: str, kind: str) -> str:
    x, y = place
    rounded = 14 if kind == "end" else 5
    return (
        f'<rect class="{kind}" x="{x}" y="{y}" width="{WIDE}" height="{HIGH}" rx="{rounded}"/>'
        f'<text x="{x + WIDE / 2}" y="{y + 24}" text-anchor="middle">{_short(title, 26)}</text>'
        f'<text class="small" x="{x + WIDE / 2}" y="{y + 42}" text-anchor="middle">'
        f"{_short(below, 34)}</text>"
    )


def _short(text: str, length: int) -> str:
    return escape(text if len(text) <= length else text[: length - 1] + "…")


def _edges(plan: Plan) -> Iterator[tuple[str, str]]:
    for step in plan.steps:
        yield from dict.fromkeys((source.step, step.name) for source in step.sources)
    for name, references in plan.outputs.items():
        yield from dict.fromkeys((reference.step, f"→{name}") for reference in references)


def _places(plan: Plan) -> Iterator[tuple[str, tuple[int, int]]]:
    """Boxes in columns by their distance from the input, rows by their order."""
    depth = {INPUT: 0}
    for source, target in _edges(plan):
        depth[target] = max(depth.get(target, 0), depth[source] + 1)
    last = max(depth.values())
    rows: dict[int, int] = {}
    for name, column in depth.items():
        column = last if name.startswith("→") else column
        row = rows[column] = rows.get(column, -1) + 1
        yield name, (20 + column * COLUMN, 20 + row * ROW)


def _lanes(plan: Plan, places: Mapping[str, tuple[int, int]]) -> dict[str, int]:
    """The height at which edges from a box pass below those in the columns that they skip."""
    column = {name: (x - 20) // COLUMN for name, (x, _) in places.items()}
    free: dict[int, int] = {}
    for name, (_, y) in places.items():
        free[column[name]] = max(free.get(column[name], 0), y + HIGH + LANE)
    farthest: dict[str, int] = {}
    for source, target in _edges(plan):
        if column[target] > column[source] + 1:
            farthest[source] = max(farthest.get(source, 0), column[target])
    lanes = {}
    for source in sorted(farthest, key=lambda name: -column[name]):
        skipped = range(column[source] + 1, farthest[source])
        lanes[source] = max(free[each] for each in skipped)
        free |= dict.fromkeys(skipped, lanes[source] + LANE)
    return lanes
