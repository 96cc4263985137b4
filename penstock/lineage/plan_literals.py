"""String literals kept apart from a plan that is only printed, whose text quotes none of them.

Where a literal could be taken for a part of the plan, the server is asked for the plan with the
literal's bytes cast to a string: the same value under the same types, printed in hexadecimal.
"""

from __future__ import annotations

import re
from typing import Any

__all__ = ["apart", "inner", "restored", "set_apart", "set_apart_in_sql"]

_PLAIN = re.compile(r"[\w.:/%+-]+")
_WORDS = re.compile(r"AS|CASE|WHEN|THEN|ELSE|END|FILTER|lambda|if|else")
# comments and quoted names, then literals; X'00' and what takes no expression stay
_SQL = re.compile(
    r"--[^\n]*|/\*.*?\*/|`(?:[^`]|``)*`"
    r"|\b(?:DATE|TIMESTAMP|TIMESTAMP_NTZ|TIMESTAMP_LTZ|TIME|INTERVAL|ESCAPE|X)\s*(?:'[^']*'|\"[^\"]*\")"
    r"|(?P<raw>\bR)?(?P<text>'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\")",
    re.DOTALL | re.IGNORECASE,
)
_ESCAPED = re.compile(r"\\(u[0-9a-fA-F]{4}|[0-3][0-7]{2}|.)", re.DOTALL)
_CONTROL = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "0": "\0", "Z": "\x1a"}
_PRINTED = re.compile(r"cast\(0x([0-9A-F]*) as string\)|CAST\(X'([0-9A-F]*)' AS STRING\)")
_TOKEN = re.compile("\x03([0-9A-F]*)\x04")


def set_apart(plan: Any) -> Any:
    """A copy of a Connect plan with such literals as casts of their bytes."""
    changed = type(plan)()
    changed.CopyFrom(plan)
    waiting = [changed]
    while waiting:
        message = waiting.pop()
        match message.DESCRIPTOR.name:
            case "Expression" if message.WhichOneof("expr_type") == "literal":
                text = message.literal.string
                if message.literal.WhichOneof("literal_type") == "string" and _confuses(text):
                    message.cast.expr.literal.binary = text.encode()
                    message.cast.type_str = "string"
                continue
            case "SQL":
                message.query = set_apart_in_sql(message.query)
            case "ExpressionString":
                message.expression = set_apart_in_sql(message.expression)
            case "UnresolvedExtractValue":
                waiting.append(message.child)  # a field's name has to be a literal
                continue
        waiting.extend(inner(message))
    return changed


def set_apart_in_sql(query: str) -> str:
    """The same for the text of a query or of an expression."""
    return _SQL.sub(_in_sql, query)


def apart(text: str) -> str:
    """A printed plan with those literals, also in names made of them, as one word each."""
    return _PRINTED.sub(lambda found: f"\x03{found[1] or found[2] or ''}\x04", text)


def restored(name: str) -> str:
    """A name or literal of such a plan, as it was."""
    return _TOKEN.sub(lambda found: bytes.fromhex(found[1]).decode(), name)


def _confuses(text: str) -> bool:
    return _PLAIN.fullmatch(text) is None or _WORDS.fullmatch(text) is not None


def _in_sql(found: re.Match[str]) -> str:
    quoted = found["text"]
    if quoted is None:
        return found[0]
    mark, text = quoted[0], quoted[1:-1].replace(quoted[0] * 2, quoted[0])
    if not found["raw"]:
        text = _ESCAPED.sub(_unescaped, quoted[1:-1].replace(mark * 2, "\\" + mark))
    return f"CAST(X'{text.encode().hex().upper()}' AS STRING)" if _confuses(text) else found[0]


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
