"""String literals kept apart from a plan that is only printed, whose text quotes none of them.

Where a literal could be taken for a part of the plan, the server is asked for the plan with the
literal's bytes cast to a string: the same value under the same types, printed in hexadecimal.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["apart", "inner", "odd_names", "restored", "set_apart", "set_apart_in_sql"]

_PLAIN = re.compile(r"[\w.:/%+-]+|\d+ [a-z]+")  # functions want a duration as it is
_WORDS = re.compile(r"AS|CASE|WHEN|THEN|ELSE|END|FILTER|lambda|if|else")
# comments and quoted names, then literals; X'00' and what takes no expression stay
_SQL = re.compile(
    r"--[^\n]*|/\*.*?\*/|`(?:[^`]|``)*`"
    r"|\b(?:DATE|TIMESTAMP|TIMESTAMP_NTZ|TIMESTAMP_LTZ|TIME|INTERVAL|ESCAPE|X)\s*(?:'[^']*'|\"[^\"]*\")"
    r"|(?P<raw>\bR)?(?P<text>'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\")",
    re.DOTALL | re.IGNORECASE,
)
_QUOTED = re.compile(r"`((?:[^`]|``)+)`")
_ESCAPED = re.compile(r"\\(u[0-9a-fA-F]{4}|[0-3][0-7]{2}|.)", re.DOTALL)
_CONTROL = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "0": "\0", "Z": "\x1a"}
_PRINTED = re.compile(r"cast\(0x([0-9A-F]*) as string\)|CAST\(X'([0-9A-F]*)' AS STRING\)")
_TOKEN = re.compile("\x03([0-9A-F]*)\x04")


def odd_names(plan: Any) -> frozenset[str]:
    """The names of columns and fields, and keys, in a Connect plan that its text would blur."""
    found: set[str] = set()
    waiting = [plan]
    while waiting:
        message = waiting.pop()
        match message.DESCRIPTOR.name:
            case "UnresolvedAttribute":
                found.update(_quoted(message.unparsed_identifier))
            case "UnresolvedExtractValue":
                found.add(message.extraction.literal.string)
            case "Alias":
                found.update(message.name)
            case "UpdateFields":
                found.update(_quoted(message.field_name) or [message.field_name])
            case "SQL":
                found.update(_quoted(message.query))
            case "ExpressionString":
                found.update(_quoted(message.expression))
        waiting.extend(inner(message))
    return frozenset(name for name in found if name and _confuses(name))


def _quoted(text: str) -> list[str]:
    return [name.replace("``", "`") for name in _QUOTED.findall(text)]


def set_apart(plan: Any) -> Any:
    """A copy of a Connect plan with such literals as casts of their bytes."""
    odd = odd_names(plan)
    changed = type(plan)()
    changed.CopyFrom(plan)
    waiting = [changed]
    while waiting:
        message = waiting.pop()
        match message.DESCRIPTOR.name:
            case "Expression" if message.WhichOneof("expr_type") == "literal":
                text = message.literal.string
                if message.literal.WhichOneof("literal_type") == "string" and _confuses(text, odd):
                    message.cast.expr.literal.binary = text.encode()
                    message.cast.type_str = "string"
                continue
            case "SQL":
                message.query = set_apart_in_sql(message.query, odd)
            case "ExpressionString":
                message.expression = set_apart_in_sql(message.expression, odd)
            case "UnresolvedExtractValue":
                waiting.append(message.child)  # a field's name has to be a literal
                continue
        waiting.extend(inner(message))
    return changed


def set_apart_in_sql(query: str, odd: Iterable[str] = ()) -> str:
    """The same for the text of a query or of an expression, beside names that are `odd`."""
    return _SQL.sub(lambda found: _in_sql(found, odd), query)


def apart(text: str, names: Iterable[str] = ()) -> str:
    """A printed plan with those literals, also in names made of them, as one word each.

    So are the given names, where a field, a key or a column is called so.
    """
    printed = _PRINTED.sub(lambda found: f"\x03{found[1] or found[2] or ''}\x04", text)
    if not names:
        return printed
    longest_first = sorted(names, key=len, reverse=True)
    any_name = f"(?:{'|'.join(re.escape(name) for name in longest_first)})"
    return re.sub(
        rf"(?<=\.){any_name}(?=[ ,)\].\[\n]|$)|(?<=[\w)\]\x04]\[){any_name}(?=\])"
        rf"|(?<![\w.]){any_name}(?=#\d)|(?<=, ){any_name}(?=, )"
        rf"|(?:(?<=struct\()|(?<=WithField\()){any_name}(?=, )",
        lambda found: f"\x03{found[0].encode().hex().upper()}\x04",
        printed,
    )


def restored(name: str) -> str:
    """A name or literal of such a plan, as it was."""
    return _TOKEN.sub(lambda found: bytes.fromhex(found[1]).decode(), name)


def _confuses(text: str, odd: Iterable[str] = ()) -> bool:
    if any(text in name for name in odd):
        return True  # it could be taken for the rest of that name
    return _PLAIN.fullmatch(text) is None or _WORDS.fullmatch(text) is not None


def _in_sql(found: re.Match[str], odd: Iterable[str]) -> str:
    quoted = found["text"]
    if quoted is None:
        return found[0]
    mark, text = quoted[0], quoted[1:-1].replace(quoted[0] * 2, quoted[0])
    if not found["raw"]:
        text = _ESCAPED.sub(_unescaped, quoted[1:-1].replace(mark * 2, "\\" + mark))
    return f"CAST(X'{text.encode().hex().upper()}' AS STRING)" if _confuses(text, odd) else found[0]


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    if len(code) > 1:
        return chr(int(code[1:], 16) if code[0] == "u" else int(code, 8))
    return found[0] if code in "%_" else _CONTROL.get(code, code)


def inner(message: Any) -> list[Any]:
    """The messages right within a message."""
    found: list[Any] = []
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            found += [one for one in value.values() if hasattr(one, "DESCRIPTOR")]
        else:
            found += [value] if hasattr(value, "DESCRIPTOR") else list(value)
    return found
