"""A plan in words: what is said of a dataset, and all of it as Markdown for a pull request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock.schemas.evolution import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from penstock.plan.plan import DatasetPlan, Plan
    from penstock.schemas.evolution import Judgement, Reader

__all__ = ["LABELS", "Said", "markdown", "read_by", "said_of", "summary", "title"]

#: What verdicts are called.
LABELS = {Verdict.FINE: "fine", Verdict.AGREED: "to be agreed", Verdict.BLOCKED: "blocked"}
_SIGNS = {Verdict.FINE: "✅", Verdict.AGREED: "🖊️", Verdict.BLOCKED: "⛔"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One thing that is said of a dataset: the label of its verdict, and what belongs to it."""

    label: str
    what: str
    more: tuple[str, ...] = ()


def title(one: DatasetPlan) -> str:
    """`silver.flights 1.0.0 → 1.1.0`, or that it is new or gone."""
    if one.version is None:
        return f"{one.dataset} {one.before}, gone"
    if one.before is None:
        return f"{one.dataset} {one.version}, new"
    if one.before == one.version:
        return f"{one.dataset} {one.version}"
    return f"{one.dataset} {one.before} → {one.version}"


def said_of(one: DatasetPlan) -> Iterator[Said]:
    """All that is said of a dataset, the worst first."""
    for problem in one.problems:
        where = f"at {problem.where}" if problem.where else None
        more = filter(None, (where, problem.found, f"next: {problem.next_step}"))
        yield Said(label=LABELS[Verdict.BLOCKED], what=problem.what, more=tuple(more))
    for each in sorted(one.judgements, key=lambda each: -each.verdict):
        yield Said(label=LABELS[each.verdict], what=str(each.operation), more=tuple(_more(each)))
    if one.unknown:
        yield Said(label=LABELS[Verdict.AGREED], what="not tried", more=(one.unknown,))
    if one.doubts:
        yield Said(label=LABELS[Verdict.FINE], what="not followed to its end", more=(one.doubts,))


def _more(one: Judgement) -> Iterator[str]:
    if one.why:
        yield one.why
    if readers := read_by(one.readers):
        yield f"read by {readers}"
    snapshots = one.operation.meaning.snapshots
    if snapshots and one.verdict is not Verdict.FINE:
        yield f"older versions {snapshots}"


def summary(plan: Plan) -> str:
    """All of it in a line."""
    counts = dict.fromkeys(("as before", "new", *LABELS.values()), 0)
    for one in plan.datasets:
        label = LABELS[one.verdict]
        if one.verdict is Verdict.FINE and not one.judgements:
            label = "new" if one.before is None else "as before"
        counts[label] += 1
    told = ", ".join(f"{count} {label}" for label, count in counts.items() if count)
    number = len(plan.datasets)
    return f"{number} dataset{'' if number == 1 else 's'}: {told}" if number else "no datasets"


def read_by(readers: Sequence[Reader]) -> str:
    """Who reads it, by dataset; empty where nobody does."""
    near = _grouped([r for r in readers if r.depth == 1 and not r.unknown])
    far = _grouped([r for r in readers if r.depth > 1 and not r.unknown])
    doubtful = sorted({r.dataset for r in readers if r.unknown})
    parts = [near] if near else []
    if far:
        parts.append(f"through them {far}")
    if doubtful:
        parts.append(f"perhaps {', '.join(doubtful)}, of whom nobody knows what they read")
    return "; ".join(parts)


def _grouped(readers: Sequence[Reader]) -> str:
    names = dict.fromkeys(reader.dataset for reader in readers)
    columns = {
        name: ", ".join(dict.fromkeys(r.column for r in readers if r.dataset == name))
        for name in names
    }
    return ", ".join(f"{name} ({columns[name]})" for name in names)


def markdown(plan: Plan) -> str:
    """The plan as a comment on a pull request. What code says of itself is shown as code."""
    return "\n".join(_markdown(plan)) + "\n"


def _markdown(plan: Plan) -> Iterator[str]:
    yield f"## {_SIGNS[plan.verdict]} penstock plan: {LABELS[plan.verdict]}"
    yield ""
    yield f"{summary(plan)}."
    for note in plan.unseen:
        yield f"- **{LABELS[Verdict.AGREED]}**: {_code(note)}"
    for one in plan.datasets:
        if not one.says_something:
            continue
        yield ""
        yield f"### {_SIGNS[one.verdict]} {_code(title(one))}"
        for said in said_of(one):
            yield f"- **{said.label}**: {_code(said.what)}"
            for line in said.more:
                yield f"  - {_code(line)}"


def _code(text: str) -> str:
    """The text as code, in one line, whatever is in it: nobody is mentioned, nothing is a link."""
    line = " ".join(text.split())
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line}{space}{fence}"
