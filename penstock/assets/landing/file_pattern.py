"""Patterns of landing files, such as `orders/country={country}/orders-{day}*.csv`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

__all__ = ["DAY", "FilePattern"]

DAY = "day"
_ANY_DAY = "????-??-??"
_PART = re.compile(r"\{([a-z][a-z0-9_]*)\}|(\*+)|(\?)|\[(!?)(\]?[^\]]*)\]")


@dataclass(frozen=True)
class FilePattern:
    """A glob of names below landing, with placeholders.

    `{day}` is a date as YYYY-MM-DD. Any other placeholder is a text without a slash. What could be
    parted in several ways is parted so that what stands first is as long as can be. A placeholder
    that is there twice is the same text both times.
    """

    text: str

    @cached_property
    def placeholders(self) -> tuple[str, ...]:
        """Their names, each once, in the order of their first place."""
        found = (match[1] for match in _PART.finditer(self.text))
        return tuple(dict.fromkeys(name for name in found if name))

    @property
    def by_day(self) -> bool:
        """Whether names say the day they are of."""
        return DAY in self.placeholders

    def is_folder(self, placeholder: str) -> bool:
        """Whether it is what a partition folder is called after, as in `country={country}/`."""
        return re.search(rf"(^|/)\w+=\{{{placeholder}\}}/", self.text) is not None

    def glob(self, day: date | None = None) -> str:
        """The glob of the files of the day, without one of those of all days."""
        text = self.text.replace(f"{{{DAY}}}", str(day) if day else _ANY_DAY)
        return re.sub(r"\*+", "*", re.sub(r"\{[a-z][a-z0-9_]*\}", "*", text))

    def regex(self, day: date | None = None) -> str:
        """Of whole names, for Python and for Java; the n-th group is the n-th placeholder.

        Of those of one day if it is given: a name may hold two.
        """
        one_day = re.escape(day.isoformat()) if day else "[0-9]{4}-[0-9]{2}-[0-9]{2}"
        parts, end = [], 0
        seen: list[str] = []
        for match in _PART.finditer(self.text):
            parts.append(re.escape(self.text[end : match.start()]))
            end = match.end()
            name, stars, one, negated, letters = match.groups()
            if name in seen:
                parts.append(rf"(?:\{seen.index(name) + 1})")
            elif name:
                seen.append(name)
                parts.append(f"({one_day})" if name == DAY else "([^/]*)")
            elif stars:
                parts.append("[^/]*")
            elif one:
                parts.append("[^/]")
            else:
                inside = re.sub(r"([\\\[\]&^~|])", r"\\\1", letters)
                parts.append(f"[{'^' if negated else ''}{inside}]")
        return "".join((*parts, re.escape(self.text[end:])))

    def values(self, name: str, day: date | None = None) -> dict[str, str] | None:
        """What each placeholder stands for in the name (of the day); None where it is no such."""
        found = _compiled(self, day).fullmatch(name)
        return None if found is None else dict(zip(self.placeholders, found.groups(), strict=True))

    def said(self, name: str, day: date | None = None) -> str | None:
        """What the name says besides its day, as one text; None where it says nothing."""
        values = self.values(name, day) or {}
        return " ".join(f"{key}={value}" for key, value in values.items() if key != DAY) or None


@lru_cache(maxsize=1024)
def _compiled(pattern: FilePattern, day: date | None) -> re.Pattern[str]:
    """Thousands of names are held against it at each run."""
    return re.compile(pattern.regex(day))
