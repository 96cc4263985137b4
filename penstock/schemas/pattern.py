r"""Regular expressions with one meaning: read as Python reads them, written as Spark's Java does.

The two languages look alike and differ: `{,5}` is a repetition to one and an error to the other,
`.` and `$` know other line breaks, `^a|b` begins only its first branch. So a pattern is taken apart
by Python's own parser and written anew, and what cannot be said the same in Java is refused. `\d`,
`\w`, `\s` and `\b` are those of ASCII, as under `re.ASCII`, and `(?i)` folds ASCII letters only.
"""

from __future__ import annotations

import re
import warnings
from re import _constants as c  # type: ignore[attr-defined, unused-ignore]
from re import _parser  # type: ignore[attr-defined, unused-ignore]
from typing import Any, NamedTuple

__all__ = ["UnportablePatternError", "java_pattern"]

# Java looks for a pattern in the middle of a letter that is two halves in UTF-16, too
_HALVES = (0xD800, 0xDFFF)
_WHOLE_LETTER = r"(?![\x{dc00}-\x{dfff}])"
_MOST_REPEATS = 2**31 - 1
_CATEGORY = {
    c.CATEGORY_DIGIT: r"\d",
    c.CATEGORY_NOT_DIGIT: r"\D",
    c.CATEGORY_WORD: r"\w",
    c.CATEGORY_NOT_WORD: r"\W",
    c.CATEGORY_SPACE: r"\s",
    c.CATEGORY_NOT_SPACE: r"\S",
}
_OF_ASCII = (c.CATEGORY_DIGIT, c.CATEGORY_WORD, c.CATEGORY_SPACE)
_GREED = {c.MAX_REPEAT: "", c.MIN_REPEAT: "?", c.POSSESSIVE_REPEAT: "+"}
_NOT_IN_JAVA = {
    c.GROUPREF: "Java does not look behind for what a group has found",
    c.GROUPREF_EXISTS: "Java knows no (?(1)...|...); write both cases as alternatives",
}
# one unit already, so that a repetition needs no group around it
_UNITS = (c.LITERAL, c.NOT_LITERAL, c.ANY, c.IN, c.SUBPATTERN)


class UnportablePatternError(ValueError):
    """A pattern is none, or means in Java what it does not mean in Python; says what and why."""


def java_pattern(pattern: str | re.Pattern[str]) -> str:
    """The Java pattern that finds in a text what `pattern` finds under `re.ASCII`.

    Raises UnportablePatternError.
    """
    text = pattern.pattern if isinstance(pattern, re.Pattern) else pattern
    if not isinstance(text, str):
        raise UnportablePatternError(f"a pattern is text, not {type(text).__name__}")
    flags = pattern.flags & ~re.UNICODE if isinstance(pattern, re.Pattern) else 0
    try:
        text.encode()
        with warnings.catch_warnings():
            # a set in a set, [[:alpha:]] or [a&&b], which Java would take for what it looks like
            warnings.simplefilter("error", FutureWarning)
            tree = _parser.parse(text, flags | re.ASCII)
    except UnicodeEncodeError:
        raise UnportablePatternError("it holds half of a surrogate pair") from None
    except (re.error, ValueError, OverflowError, RecursionError, FutureWarning) as error:
        raise UnportablePatternError(f"not a regular expression: {error}") from None
    written = _sequence(tree, _Around(tree.state.flags))
    if tree.state.flags & re.IGNORECASE:
        written = f"(?i:{written})"
    return written if _begins_with_a_letter(tree) else f"{_WHOLE_LETTER}(?:{written})"


def _begins_with_a_letter(items: Any) -> bool:
    """Whether it is found only where a letter of its own stands, or the text begins."""
    first = next(iter(items), None)
    match first:
        case (c.LITERAL, _) | (c.AT, c.AT_BEGINNING_STRING):
            return True
        case (c.IN, members):
            return all(
                op is c.LITERAL
                or (op is c.RANGE and (argument[1] < _HALVES[0] or argument[0] > _HALVES[1]))
                or (op is c.CATEGORY and argument in _OF_ASCII)
                for op, argument in members
            )
        case (c.SUBPATTERN, (_, _, _, inner)) | (c.ATOMIC_GROUP, inner):
            return _begins_with_a_letter(inner)
        case (c.MAX_REPEAT | c.MIN_REPEAT | c.POSSESSIVE_REPEAT, (least, _, inner)):
            return least > 0 and _begins_with_a_letter(inner)
        case _:
            return False


class _Around(NamedTuple):
    """What holds where a construct stands: flags of `re`, and whether it is in a look-behind."""

    flags: int
    behind: bool = False


def _sequence(items: Any, around: _Around) -> str:
    return "".join(_item(op, argument, around) for op, argument in items)


def _item(op: Any, argument: Any, around: _Around) -> str:
    """One construct of the parser's tree."""
    match op:
        case c.LITERAL:
            return _literal(argument)
        case c.NOT_LITERAL:
            return f"[^{_literal(argument)}]"
        case c.ANY:
            return r"[\s\S]" if around.flags & re.DOTALL else r"[^\n]"
        case c.IN:
            return _class(argument)
        case c.BRANCH:
            return f"(?:{'|'.join(_sequence(branch, around) for branch in argument[1])})"
        case c.SUBPATTERN:
            return _group(argument, around)
        case c.ATOMIC_GROUP:
            return f"(?>{_sequence(argument, around)})"
        case c.ASSERT | c.ASSERT_NOT:
            direction, inner = argument
            sign = ("<" if direction < 0 else "") + ("=" if op is c.ASSERT else "!")
            inside = _Around(around.flags, around.behind or direction < 0)
            return f"(?{sign}{_sequence(inner, inside)})"
        case c.MAX_REPEAT | c.MIN_REPEAT | c.POSSESSIVE_REPEAT:
            return _repeat(argument, around) + _GREED[op]
        case c.AT:
            return _place(argument, around.flags)
        case c.GROUPREF if not around.behind:
            return rf"(?:\{argument})"
        case _:
            raise UnportablePatternError(_NOT_IN_JAVA.get(op, f"{str(op).lower()} is not in Java"))


def _literal(code: int) -> str:
    letter = chr(code)
    if letter.isascii():
        if letter.isalnum():
            return letter
        return f"\\{letter}" if letter.isprintable() else f"\\x{code:02x}"
    return letter if letter.isprintable() else f"\\x{{{code:x}}}"


def _class(items: list[tuple[Any, Any]]) -> str:
    written = []
    for op, argument in items:
        match op:
            case c.NEGATE:
                written.append("^")
            case c.LITERAL:
                written.append(_literal(argument))
            case c.RANGE:
                written.append(f"{_literal(argument[0])}-{_literal(argument[1])}")
            case c.CATEGORY:
                written.append(_CATEGORY[argument])
            case _:
                raise UnportablePatternError(f"{str(op).lower()} has no Java form in [...]")
    if [op for op, _ in items] == [c.CATEGORY]:
        return written[0]
    return f"[{''.join(written)}]"


def _group(argument: tuple[int | None, int, int, Any], around: _Around) -> str:
    number, added, removed, items = argument
    if added & re.UNICODE:
        raise UnportablePatternError("(?u:...) is not offered: letters and digits are ASCII's")
    inner = _sequence(items, _Around((around.flags | added) & ~removed, around.behind))
    if added & re.IGNORECASE:
        inner = f"(?i:{inner})"
    elif removed & re.IGNORECASE:
        inner = f"(?-i:{inner})"
    return f"(?:{inner})" if number is None else f"({inner})"


def _repeat(argument: tuple[Any, Any, Any], around: _Around) -> str:
    low, high, items = argument
    least, most = int(low), None if high is c.MAXREPEAT else int(high)
    if max(least, most or 0) > _MOST_REPEATS:
        raise UnportablePatternError(f"Java repeats at most {_MOST_REPEATS} times")
    inner = _sequence(items, around)
    if len(items) != 1 or items[0][0] not in _UNITS:
        inner = f"(?:{inner})"
    match least, most:
        case 0, None:
            return f"{inner}*"
        case 1, None:
            return f"{inner}+"
        case 0, 1:
            return f"{inner}?"
        case _ if least == most:
            return f"{inner}{{{least}}}"
        case _:
            return f"{inner}{{{least},{'' if most is None else most}}}"


def _place(place: Any, flags: int) -> str:
    match place:
        case c.AT_BEGINNING if flags & re.MULTILINE:
            return r"(?:\A|(?<=\n))"
        case c.AT_BEGINNING | c.AT_BEGINNING_STRING:
            return r"\A"
        case c.AT_END if flags & re.MULTILINE:
            return r"(?=\n|\z)"
        case c.AT_END:
            return r"(?=\n?\z)"
        case c.AT_END_STRING:
            return r"\z"
        case c.AT_BOUNDARY:
            # Java's own \b counts other letters than its \w, by version
            return r"(?:(?<=\w)(?!\w)|(?<!\w)(?=\w))"
        case _:
            raise UnportablePatternError(r"\B finds nothing in an empty text, in Python alone")
