"""Settings that a session has for the statements of one thread."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyspark.sql import SparkSession

__all__ = ["session_settings"]

_guard = threading.Lock()
_locks: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()


@contextmanager
def session_settings(spark: SparkSession, wanted: Mapping[str, str]) -> Iterator[None]:
    """The session has these settings in the block; what it had comes back.

    A SQL statement has no options, so whose commit it makes is said by settings, which every thread
    of the session heeds: a second thread waits for the block of the first. So does one that wants
    nothing set, and is not to heed the other's.
    """
    with _lock_of(spark):
        before = {name: spark.conf.get(name, None) for name in wanted}
        try:
            for name, value in wanted.items():
                spark.conf.set(name, value)
            yield
        finally:
            for name, old in before.items():
                if old is None:
                    spark.conf.unset(name)
                else:
                    spark.conf.set(name, old)


def _lock_of(spark: SparkSession) -> threading.Lock:
    """One for each session, by whichever object it is known."""
    session: Any = spark
    classic = getattr(session, "_jsparkSession", None)
    key: str = classic.sessionUUID() if classic else session.session_id
    with _guard:
        return _locks.setdefault(key, threading.Lock())
