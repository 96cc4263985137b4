"""The column graph as an SVG that needs nothing else: text, lines, no script, no font, no link."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["drawing"]

_WIDTH, _GAP, _LINE, _HEAD, _SPACE, _TOP = 260, 170, 20, 30, 26, 96
_LONGEST = 34
_ROWS = "(which rows)"
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1c2733 }
.title { font-weight: 600 } .small { font-size: 11px; fill: #5a6775 }
.box { fill: #fff; stroke: #8a97a5 } .asked { fill: #fff6d6; stroke: #b58900; stroke-width: 2 }
.mark { fill: #ffe08a } path { fill: none; stroke-width: 1.4 }
.clear { stroke: #b3261e } .masked { stroke: #1b7f4b; stroke-width: 2 }
.decides { stroke: #8a97a5; stroke-dasharray: 4 3 } .read { stroke: #c3cbd4 }
.ended { opacity: .4 }
"""
_LEGEND = (
    ("clear", "made of it, not masked"),
    ("masked", "made of it, masked"),
    ("decides", "decides it (join, filter, sort)"),
    ("read", "read, no column of it told"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Box:
    id: str
    label: str
    columns: tuple[str, ...]
    x: int
    y: int

    @property
    def height(self) -> int:
        return _HEAD + _LINE * len(self.columns) + 6

    def line(self, column: str) -> int:
        return self.y + _HEAD + _LINE * self.columns.index(column) + 10


def drawing(graph: Mapping[str, Any]) -> bytes:
    """The SVG of a `graph_document`: sources on the left, what is made of them on the right."""
    boxes = _placed(graph)
    width = max((b.x + _WIDTH for b in boxes.values()), default=_WIDTH) + 30
    height = max((b.y + b.height for b in boxes.values()), default=_TOP) + 30
    width = max(width, len(_LEGEND) * 230)
    asked = graph["asked"]
    body = [*_legend(), *_reads(graph, boxes), *_edges(graph, boxes)]
    for box in boxes.values():
        body += _drawn(box, asked)
    parts = (_label(graph, asked["dataset"]), asked["column"])
    title = " of ".join(filter(None, ("Column lineage", ".".join(filter(None, parts)))))
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img">',
        f"<title>{_text(title)}</title>",
        f"<style>{_STYLE}</style>",
        '<rect width="100%" height="100%" fill="#f6f8fa"/>',
        f'<text class="title" x="20" y="28">{_text(title)}</text>',
        *body,
        "</svg>",
    ]
    return "\n".join(lines).encode() + b"\n"


def _placed(graph: Mapping[str, Any]) -> dict[str, _Box]:
    pairs = {(e["source"], e["target"]) for e in graph["edges"] if e["target"]}
    pairs |= {(e["source"], e["target"]) for e in graph["column_edges"]}
    labels = {d["id"]: d["label"] for d in graph["datasets"]}
    shown = _columns(graph)
    layers = _layers(sorted(labels, key=lambda i: (not shown[i], labels[i], i)), pairs)
    below: dict[int, int] = {}
    boxes = {}
    for dataset, layer in layers.items():
        box = _Box(
            id=dataset,
            label=labels[dataset],
            columns=tuple(shown[dataset]),
            x=20 + layer * (_WIDTH + _GAP),
            y=below.get(layer, _TOP),
        )
        below[layer] = box.y + box.height + _SPACE
        boxes[dataset] = box
    return boxes


def _layers(datasets: list[str], pairs: set[tuple[str, str]]) -> dict[str, int]:
    """How far right each stands: right of all it is made of. A circle is cut somewhere."""
    sources: dict[str, set[str]] = {dataset: set() for dataset in datasets}
    for source, target in pairs:
        if source != target:
            sources[target].add(source)
    layers: dict[str, int] = {}
    waiting = list(datasets)
    while waiting:
        ready = [d for d in waiting if sources[d] <= layers.keys()] or waiting[:1]
        placed = {
            d: 1 + max((layers[s] for s in sources[d] if s in layers), default=-1) for d in ready
        }
        layers |= placed
        waiting = [d for d in waiting if d not in placed]
    return layers


def _columns(graph: Mapping[str, Any]) -> dict[str, list[str]]:
    """The columns that an edge touches, in the order of the schema; the rows come last."""
    touched: dict[str, set[str]] = {}
    asked = graph["asked"]
    if asked["column"]:
        touched.setdefault(asked["dataset"], set()).add(asked["column"])
    for edge in graph["column_edges"]:
        touched.setdefault(edge["source"], set()).add(edge["source_column"] or _ROWS)
        touched.setdefault(edge["target"], set()).add(edge["target_column"] or _ROWS)
    found = {}
    for dataset in graph["datasets"]:
        names = touched.get(dataset["id"], set())
        schema = [c["name"] for c in dataset["columns"] if c["name"] in names]
        others = sorted(names - {*schema, _ROWS})
        found[dataset["id"]] = [*schema, *others, *([_ROWS] if _ROWS in names else [])]
    return found


def _edges(graph: Mapping[str, Any], boxes: Mapping[str, _Box]) -> Iterable[str]:
    kinds: dict[tuple[str, str, str, str, str], bool] = {}
    for edge in graph["column_edges"]:
        source, target = edge["source_column"] or _ROWS, edge["target_column"] or _ROWS
        decides = edge["type"] == "INDIRECT" or not edge["target_column"]
        kind = "decides" if decides else "masked" if edge["masking"] else "clear"
        key = (kind, edge["source"], source, edge["target"], target)
        kinds[key] = kinds.get(key, False) or edge["valid_to"] is None
    # what decides lies below what is made
    for (kind, source, column, target, into), holds in sorted(kinds.items(), reverse=True):
        begin, end = boxes[source], boxes[target]
        said = f"{begin.label}.{column} → {end.label}.{into}: {dict(_LEGEND)[kind]}"
        ended = "" if holds else " ended"
        said += "" if holds else ", no more"
        yield _curve(kind + ended, begin, begin.line(column), end, end.line(into), said)


def _reads(graph: Mapping[str, Any], boxes: Mapping[str, _Box]) -> Iterable[str]:
    told = {(e["source"], e["target"]) for e in graph["column_edges"]}
    pairs = {(e["source"], e["target"]) for e in graph["edges"] if e["target"]}
    for source, target in sorted(pairs - told):
        begin, end = boxes[source], boxes[target]
        said = f"{begin.label} → {end.label}: {dict(_LEGEND)['read']}"
        yield _curve("read", begin, begin.y + 15, end, end.y + 15, said)


def _curve(style: str, begin: _Box, y: int, end: _Box, to_y: int, said: str) -> str:
    x, to_x = begin.x + _WIDTH, end.x
    bend = max(40, abs(to_x - x) // 2)
    line = f"M{x} {y} C{x + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}"
    return f'<path class="{style}" d="{line}"><title>{_text(said)}</title></path>'


def _drawn(box: _Box, asked: Mapping[str, Any]) -> Iterable[str]:
    own = box.id == asked["dataset"]
    yield f'<g><title>{_text(box.id)}</title><rect class="{"asked" if own else "box"}" '
    yield f'x="{box.x}" y="{box.y}" width="{_WIDTH}" height="{box.height}" rx="5"/>'
    yield f'<text class="title" x="{box.x + 10}" y="{box.y + 20}">{_text(_short(box.label))}</text>'
    for column in box.columns:
        y = box.line(column)
        if own and column == asked["column"]:
            yield f'<rect class="mark" x="{box.x + 4}" y="{y - 10}" width="{_WIDTH - 8}" '
            yield 'height="20"/>'
        style = "small" if column == _ROWS else "name"
        yield f'<text class="{style}" x="{box.x + 10}" y="{y + 4}">{_text(_short(column))}'
        yield f"<title>{_text(column)}</title></text>"
    yield "</g>"


def _legend() -> Iterable[str]:
    for number, (kind, said) in enumerate(_LEGEND):
        x = 20 + number * 230
        yield f'<path class="{kind}" d="M{x} 52 L{x + 36} 52"/>'
        yield f'<text class="small" x="{x + 44}" y="56">{said}</text>'
    yield '<text class="small" x="20" y="78">Pale: held in the period and holds no more.</text>'


def _label(graph: Mapping[str, Any], dataset: str | None) -> str | None:
    return next((d["label"] for d in graph["datasets"] if d["id"] == dataset), None)


def _short(name: str) -> str:
    if len(name) <= _LONGEST:
        return name
    # of a path the end tells more
    return f"…{name[1 - _LONGEST :]}" if "/" in name else f"{name[: _LONGEST - 1]}…"


def _text(text: str) -> str:
    """As XML: what it has no character for is replaced, what it would read as markup is escaped."""
    allowed = _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)
    return escape(allowed, {'"': "&quot;"})
