"""The page of what is refused, made from the code: every DefinitionError that a file raises.

Write it anew with `python -m tests.docs.refusals`.
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "refused.md"
HEAD = """# What Penstock refuses, and when

A definition is refused when its module is imported, unless a heading says otherwise; the error is a
[DefinitionError](errors.md#definitionerror) that names class, column and mend. This page is made
from the code (`…` stands for a name), and a test holds it to that.

SQL rules are parsed at import, and their columns looked up. Functions and types are Spark's to
judge: the gate asks it at the run, before any row is read. What a *row* may be is in
[concepts](concepts.md).
"""
PLACES = {
    "A contract": ("schemas/contract.py", "schemas/definition.py"),
    "A column's type": ("schemas/column_type.py",),
    "A rule": ("schemas/rule.py",),
    "A dataset": (
        "assets/definition.py",
        "assets/mode_definition.py",
        "assets/dataset.py",
        "assets/modes.py",
        "assets/slice.py",
        "assets/layout.py",
        "assets/closed.py",
    ),
    "Partitions, and a slice that is asked for": (
        "assets/partitions/windows.py",
        "assets/partitions/values.py",
        "assets/partitions/grid.py",
        "assets/partitions/dagster.py",
    ),
    "An input": (
        "assets/inputs/tables.py",
        "assets/inputs/snapshot.py",
        "assets/inputs/changes.py",
        "assets/inputs/files.py",
        "assets/inputs/query.py",
        "assets/inputs/external.py",
        "assets/inputs/topic.py",
        "assets/inputs/topic_schemas.py",
        "assets/landing/formats.py",
        "assets/landing/slice_files.py",
        "assets/landing/declared.py",
        "assets/landing/envelope.py",
        "assets/time_zone.py",
    ),
    "Masking": ("privacy/policy.py", "privacy/method.py"),
    "A deployment, when it is made": (
        "assets/deployment.py",
        "assets/agreement.py",
        "assets/automation/automation.py",
    ),
}


def refusals(file: Path) -> list[str]:
    """What the errors of the file say happened, in the order of the file, each once."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "DefinitionError"
    ]
    calls.sort(key=lambda node: node.lineno)
    texts = [text for call in calls for text in _texts(call.args[0])]
    return list(dict.fromkeys(texts))


def _texts(node: ast.expr) -> list[str]:
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=parts):
            return ["".join(_words(part) for part in parts)]
        case ast.IfExp(body=one, orelse=other):
            return [*_texts(one), *_texts(other)]
        case _:
            return []  # another error's words, told again


def _words(part: ast.expr) -> str:
    return str(part.value) if isinstance(part, ast.Constant) else "…"


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for title, files in PLACES.items():
        lines = [text for file in files for text in refusals(ROOT / "penstock" / file)]
        listed = "\n".join(f"- {text}" for text in lines)
        parts.append(f"## {title}\n{listed}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
