"""What an exception of Spark is, classic or over Connect: conditions, causes, words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["NO_CLIENT", "call_site", "conditions", "java_class", "signs", "words"]

#: What Spark says where the jars of Avro or Kafka are not on the class path.
NO_CLIENT = frozenset({"_LEGACY_ERROR_TEMP_1139", "_LEGACY_ERROR_TEMP_1140"})
_DEPTH = 8  # deeper causes repeat the same
_CAUSE = re.compile(r"^Caused by: (?!org\.apache\.spark\.|io\.delta\.).*", re.MULTILINE)


def conditions(error: BaseException) -> list[str]:
    """Names of Spark's error conditions, from the outermost to its root; structured, not read."""
    for link in _chain(error):
        names = [name for part in (link, *_java(link)) if (name := _condition(part))]
        if names:
            return list(dict.fromkeys(names))
    return []


def call_site(error: BaseException) -> str | None:
    """`file:line` where the part of a Connect frame was made that Spark refuses."""
    try:
        site = str(error.getQueryContext()[0].callSite())  # type: ignore[attr-defined]
    except Exception:  # noqa: BLE001 - SQL has none, and some errors have no context
        return None
    return site if re.search(r"\.py:\d+$", site) else None


def java_class(error: BaseException) -> str | None:
    """The class of the JVM's root cause, None without one."""
    roots = _java(error)
    return str(roots[-1].getClass().getName()) if roots else None


def signs(error: BaseException) -> str:
    """What an error and its causes are, to search for a kind: not what they quote.

    That is the class of each, its condition and SQLSTATE; and the words of the root alone, where
    that has no condition and so is not Spark's: the storage's or Python's. A condition's own words
    hold plans, paths and values of rows, which say nothing of what went wrong.
    """
    found = []
    for link in _chain(error):
        java = _java(link)
        parts = [link, *java]
        for part in parts:
            kind = type(part).__name__ if part is link else part.getClass().getName()
            condition, state = _condition(part), _asked(part, "getSqlState")
            found.append(f"{kind} [{condition}] SQLSTATE: {state}" if condition else kind)
        root = parts[-1]
        if _condition(root) is None:
            found.append(str(root))
        elif not java:  # over Connect: what lies below the condition is in the server's words only
            found += _CAUSE.findall(_asked(root, "getStackTrace") or "")
    return "\n".join(found)


def _condition(part: Any) -> str | None:
    return _asked(part, "getCondition")


def _asked(part: Any, question: str) -> str | None:
    """What an exception of Python or Java answers; None where it does not know such a text."""
    try:
        answer = getattr(part, question)()
    except Exception:  # noqa: BLE001 - not all know the question, and their JVM may be gone
        return None
    return answer if isinstance(answer, str) else None


def words(error: BaseException) -> str:
    """All that is said by an error and its causes, Java's included. Quotes rows: only to search."""
    return "\n".join(str(part) for link in _chain(error) for part in (link, *_java(link)))


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    for _ in range(_DEPTH):
        if link is None:
            return
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _java(link: BaseException) -> list[Any]:
    """The JVM's exception behind a Python one, and its causes."""
    java = getattr(link, "_origin", None) or getattr(link, "java_exception", None)
    found: list[Any] = []
    while java is not None and len(found) < _DEPTH:
        found.append(java)
        java = java.getCause()
    return found
