"""Reads one expression out of the text that Spark prints for an analyzed plan.

The text quotes nothing, so it is read leniently: whatever is not an attribute, a call or one of a
few forms counts as words. An attribute is never overlooked, because every one carries its id.
Nesting is kept on a list, not on the call stack.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from penstock.lineage.plan.literals import restored
from penstock.lineage.plan.tree import Expression, Node

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ATTRIBUTE", "read_expression"]

# An attribute whose id is known stands in the text as its id between these two marks.
ATTRIBUTE = re.compile("\x01(\\d+)\x02")
_SUBQUERY = re.compile(
    r"(exists|scalar-subquery|list|lateral-subquery|[a-z-]*subquery|"
    r"table-argument)#\d+$"
)
_VARIABLE = re.compile(r"\w+?#(\d+)L?((?:\.\w+)*)$")
_IDENTIFIED = re.compile(r"#(\d+)L?(?=\W|$)")
_WORD_END = re.compile(r"[ ,()\[\]\x01]|$")
_KINDS = {"scalar-subquery": "scalarsubquery", "exists": "exists"}


@dataclass(slots=True, kw_only=True)
class _Frame:
    """What is open: a call, parentheses, an index, brackets, a CASE, or the whole text."""

    closer: str
    name: str | None = None
    done: list[Expression] = field(default_factory=list)
    items: list[Expression | str] = field(default_factory=list)
    indexed: Expression | None = None
    ignored: bool = False

    def end_argument(self) -> None:
        if self.items:
            self.done.append(_reduce(self.items))
            self.items = []


def read_expression(
    text: str,
    *,
    names: dict[int, str],
    subqueries: list[Node],
    aggregates: bool = False,
) -> Expression | None:
    """The expression, or None when brackets do not match.

    Known attributes are marked in the text (`ATTRIBUTE`) and called as `names` says. Subqueries
    are taken from the front of `subqueries`. `aggregates` says that a Python function met here
    is an aggregate.
    """
    stack = [_Frame(closer="")]
    place, length = 0, len(text)
    while place < length:
        letter, top = text[place], stack[-1]
        if letter == "\x01":
            match = ATTRIBUTE.match(text, place)
            assert match is not None  # the marks are written in pairs
            number = int(match[1])
            top.items.append(
                Expression(
                    kind="attributereference", id=number, name=restored(names.get(number, ""))
                )
            )
            place = _fields(text, match.end(), top.items)
        elif letter in "([":
            follows = place > 0 and text[place - 1] in "\x02)]" and top.items
            frame = _Frame(closer=")" if letter == "(" else "]")
            if letter == "[" and follows and isinstance(top.items[-1], Expression):
                frame.indexed = top.items.pop()  # type: ignore[assignment]
            elif letter == "[" and top.items and _is_subquery(top.items[-1]):
                frame.ignored = True
            stack.append(frame)
            place += 1
        elif letter in ")]":
            while len(stack) > 1 and stack[-1].closer == "END":
                _close(stack)  # a word END was part of a literal
            if len(stack) == 1 or stack[-1].closer != letter:
                return None
            _close(stack)
            place = _fields(text, place + 1, stack[-1].items)
        elif letter == ",":
            top.end_argument()
            place += 1
        elif letter == " ":
            place += 1
        else:
            end = _WORD_END.search(text, place + 1)
            stop = end.start() if end else length
            place = _word(text, place, stop, stack, subqueries, aggregates=aggregates)
    while len(stack) > 1 and stack[-1].closer == "END":
        _close(stack)
    if len(stack) > 1:
        return None
    stack[0].end_argument()
    if len(stack[0].done) == 1:
        return stack[0].done[0]
    return Expression(kind="several", children=tuple(stack[0].done))


def _word(
    text: str,
    start: int,
    stop: int,
    stack: list[_Frame],
    subqueries: list[Node],
    *,
    aggregates: bool,
) -> int:
    word, top = text[start:stop], stack[-1]
    if stop < len(text) and text[stop] == "(" and re.fullmatch(r"[\w$<>.-]+", word):
        stack.append(_Frame(closer=")", name=word))
        return stop + 1
    if word.startswith("#") and top.items and text[start - 1] == ")":
        top.items[-1] = _numbered(top.items[-1], word, aggregates=aggregates)
    elif _SUBQUERY.match(word) and subqueries:
        kind = word.rsplit("#", 1)[0]
        top.items.append(Expression(kind=_KINDS.get(kind, "listquery"), plan=subqueries.pop(0)))
    elif top.items and top.items[-1] == "lambda" and (variable := _VARIABLE.match(word)):
        bound = Expression(kind="namedlambdavariable", id=int(variable[1]))
        for name in variable[2].split(".")[1:]:
            bound = Expression(kind="getstructfield", children=(bound,), name=name)
        top.items[-1] = bound
    elif word == "CASE":
        stack.append(_Frame(closer="END"))
    elif top.closer == "END" and word in ("WHEN", "THEN", "ELSE"):
        top.end_argument()
    elif top.closer == "END" and word == "END":
        _close(stack)
        return _fields(text, stop, stack[-1].items)
    elif unknown := _IDENTIFIED.search(word):
        # a column that nothing read so far gives: never to be taken for a word
        top.items.append(
            Expression(kind="attributereference", id=int(unknown[1]), name=word[: unknown.start()])
        )
    else:
        top.items.append(word)
    return stop


def _numbered(called: Expression | str, word: str, *, aggregates: bool) -> Expression:
    """A Python function, whatever it is called, with the id of its result.

    What is given no column is one itself, of which nothing read so far says where it is from.
    """
    if not isinstance(called, Expression) or not _has_attribute(called):
        found = _IDENTIFIED.match(word)
        return Expression(kind="attributereference", id=int(found[1]) if found else None)
    function = replace(called, kind="pythonudf")
    if not aggregates:
        return function
    return Expression(kind="aggregateexpression", children=(function,))


def _has_attribute(expression: Expression) -> bool:
    waiting = [expression]
    while waiting:
        part = waiting.pop()
        if part.kind in ("attributereference", "namedlambdavariable") or part.plan is not None:
            return True
        waiting += part.children
    return False


def _close(stack: list[_Frame]) -> None:
    frame = stack.pop()
    items = stack[-1].items
    if frame.name is None and frame.closer == ")" and not frame.done:
        frame.items = frame.items or [""]
        items.append(_reduce(frame.items))
        return
    frame.end_argument()
    children = tuple(frame.done)
    if frame.ignored:
        return
    if frame.indexed is not None:
        items.append(Expression(kind="getarrayitem", children=(frame.indexed, *children)))
    elif frame.closer == "END":
        items.append(Expression(kind="casewhen", children=children))
    elif frame.name is None:
        items.append(Expression(kind="several", children=children))
    else:
        items.append(_call(frame.name, children))


def _call(name: str, children: tuple[Expression, ...]) -> Expression:
    kind = name.lower()
    match kind:
        case "withfield" if len(children) == 2:  # noqa: PLR2004 - a name and a value
            return Expression(kind=kind, name=children[0].name, children=children[1:])
        case "dropfield" if len(children) == 1:
            return Expression(kind=kind, name=children[0].name)
        case "withfield" | "dropfield":
            reason = "a struct's field whose name holds a comma"
            return Expression(kind="opaque", children=children, name=reason)
        case "variablereference":
            return Expression(kind="opaque", name="a variable of the session")
        # a lambda ends with whether it is hidden, a window specification with its frame
        case "lambdafunction" | "windowspecdefinition":
            return Expression(kind=kind, children=children[:-1])
    return Expression(kind=kind, children=children, name=name)


def _fields(text: str, place: int, items: list[Expression | str]) -> int:
    """Struct fields that follow what was read last, as in `address#2.city`."""
    while items and place < len(text) and text[place] == ".":
        last = items[-1]
        stop = re.compile(r"[ ,()\[\].\x01]|$").search(text, place + 1)
        end = stop.start() if stop else len(text)
        if not isinstance(last, Expression) or end == place + 1:
            break
        items[-1] = Expression(
            kind="getstructfield", children=(last,), name=restored(text[place + 1 : end])
        )
        place = end
    return place


def _is_subquery(item: Expression | str) -> bool:
    return isinstance(item, Expression) and item.plan is not None


def _reduce(items: Sequence[Expression | str]) -> Expression:
    """One argument out of the expressions and words that make it up."""
    if "if" in items and "else" in items and (chosen := _if(items)) is not None:
        return chosen
    found = [item for item in items if isinstance(item, Expression)]
    words = [item for item in items if isinstance(item, str)]
    if not found:
        return Expression(kind="literal", name=restored(" ".join(words)))
    if len(found) > 1 and found[-1].kind == "windowspecdefinition":
        rest = items[: items.index(found[-1])]
        return Expression(kind="windowexpression", children=(_reduce(rest), found[-1]))
    if "FILTER" in words and len(found) == 2:  # noqa: PLR2004 - the function and its condition
        return Expression(kind="aggregateexpression", children=tuple(found))
    if len(items) == 1:
        return found[0]
    return Expression(kind="operation", children=tuple(found))


def _if(items: Sequence[Expression | str]) -> Expression | None:
    """`if (condition) value else value`, where either value may be another one."""
    start = items.index("if")
    if start + 1 >= len(items) or not isinstance(items[start + 1], Expression):
        return None
    open_ifs, split = 0, None
    for place in range(start + 2, len(items)):
        if items[place] == "if":
            open_ifs += 1
        elif items[place] == "else":
            if open_ifs == 0:
                split = place
                break
            open_ifs -= 1
    if start != 0 or split is None or split in (2, len(items) - 1):
        return None
    condition = items[1]
    assert isinstance(condition, Expression)  # looked at above
    values = (_reduce(items[2:split]), _reduce(items[split + 1 :]))
    return Expression(kind="if", children=(condition, *values))
