"""What personal data looks like in free text, and its replacement by native expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import Column

__all__ = ["PATTERNS", "redacted"]

_LETTER_OR_DIGIT = r"[\p{L}\p{N}]"
# Scripts that put no space between words, and Hangul, which puts none before a particle: where a
# word begins or ends there nothing says.
_UNSPACED = (
    r"[\p{IsHan}\p{IsHiragana}\p{IsKatakana}\u30fc\uff70\p{IsBopomofo}\p{IsHangul}"
    r"\p{IsThai}\p{IsLao}\p{IsKhmer}\p{IsMyanmar}\p{IsTibetan}]"
)
_BEFORE = rf"(?:(?<!{_LETTER_OR_DIGIT})|(?<={_UNSPACED})|(?={_UNSPACED}))"
_AFTER = rf"(?:(?!{_LETTER_OR_DIGIT})|(?={_UNSPACED})|(?<={_UNSPACED}))"
_NEVER = "(?!)"
_MAIL_CHARACTER = r"""[^\s@<>(),;:"]"""
_SPELT_AT = r"\s?[(\[{]\s?at\s?[)\]}]\s?"
_SPELT_DOT = r"\s?[(\[{]\s?dot\s?[)\]}]\s?"
_SPELT_DOMAIN = rf"{_MAIL_CHARACTER}++(?:{_SPELT_DOT}{_MAIL_CHARACTER}++)*"
_IBAN_GROUPS = r"(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?"
_PHONE_SEPARATOR = r"[\s().\-/\u2010-\u2015]"
_EXTENSION = r"(?:\s?(?:x|ext\.?)\s?\d{1,6})?"

# Order matters: the longer and more telling shapes first, since what is replaced is not seen again.
# Matching starts at the boundary of a run only, which keeps the time linear in the text.
_SHAPES: dict[str, tuple[str, ...]] = {
    "email": (
        rf"(?<!{_MAIL_CHARACTER}){_MAIL_CHARACTER}++@+{_MAIL_CHARACTER}++",
        rf"(?i)(?<!{_MAIL_CHARACTER}){_MAIL_CHARACTER}++{_SPELT_AT}{_SPELT_DOMAIN}",
    ),
    "iban": (
        rf"{_BEFORE}[A-Z]{{2}}\d{{2}}{_IBAN_GROUPS}{_AFTER}",
        rf"(?i){_BEFORE}[A-Z]{{2}}\d{{2}}[A-Z0-9]{{11,30}}{_AFTER}",
    ),
    "card": (rf"(?U){_BEFORE}\d(?:[ -]?\d){{12,18}}{_AFTER}",),
    "date": (
        rf"(?U){_BEFORE}\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}(?!\d)",
        rf"(?U){_BEFORE}\d{{1,2}}[-/.] ?\d{{1,2}}[-/.] ?(?:\d{{4}}|\d{{2}})(?!\d)",
    ),
    "passport": (
        rf"(?iU){_BEFORE}[A-Z]{{1,2}}[ -]?\d{{6,9}}{_AFTER}",
        rf"(?iU){_BEFORE}(?<!\d[-.])(?=(?:[A-Z0-9]*?\d){{4}})(?=\d*[A-Z])[A-Z0-9]{{7,10}}{_AFTER}",
    ),
    "phone": (
        rf"(?U){_BEFORE}(?:\+\s?)?\(?\d(?:{_PHONE_SEPARATOR}{{0,3}}\d){{6,18}}{_EXTENSION}(?!\d)",
    ),
    "number": (r"(?U)\d{6,}",),
}
PATTERNS: tuple[tuple[str, str], ...] = tuple(
    (shape, pattern) for shape, patterns in _SHAPES.items() for pattern in patterns
)
# Characters that nobody sees: soft hyphen, zero width space, word joiner, byte order mark.
_UNSEEN = "\u00ad\u200b\u2060\ufeff"
_APOSTROPHES = "['\u2018\u2019\u201b\u02bc\u02b9\u2032\uff07`\u00b4]"

# Letters composed of a letter and marks: Latin, Greek, Cyrillic; or the letter and its marks.
_COMPOSED = (
    "\u00c0-\u024f\u1e00-\u1eff\u0386-\u0390\u03aa-\u03b0\u03ca-\u03ce\u1f00-\u1fff"
    "\u0400\u0401\u0403\u0407\u040c-\u040e\u0419\u0439\u0450\u0451\u0453\u0457\u045c-\u045e"
    "\u0476\u0477\u04c1\u04c2\u04d0-\u04f9"
)
_LETTERS = rf"(?:[\p{{L}}\p{{M}}]|{_APOSTROPHES})+"
_HYPHEN = "[-\u2010\u2011]"
_HYPHENATED = rf"(?<![^\s,;]){_LETTERS}(?:{_HYPHEN}{_LETTERS})+(?![^\s,;])"
# of several languages, and written without an apostrophe: Silvas, Müllers
_GENITIVE = r"(?:(?<=\p{L})s)?"
_ACCENTED = rf"(?:[{_COMPOSED}]|\p{{L}}\p{{M}})\p{{M}}*"


def redacted(text: Column, known: Sequence[tuple[str, Column]]) -> Column:
    """`text` with shapes and `known` values replaced by `[shape]` and `[column]`; NULL stays.

    Known values go first, whole, so that a shape cannot break one up; their words go last, so
    that they cannot break up an e-mail address. Values are quoted: none is read as a pattern.
    A value ends where its word does, or with an s; in scripts without spaces anywhere.
    Apostrophes count as one another, and so do accented letters, composed or not. Characters
    that nobody sees (soft hyphens) are left out of the text.
    """
    text = _seen(text)
    for name, value in known:
        text = _without(text, _whole(value), name)
    for name, pattern in PATTERNS:
        text = F.regexp_replace(text, F.lit(pattern), F.lit(f"[{name}]"))
    for name, value in known:
        text = _without(text, _words(value), name)
    return text


def _without(text: Column, alternatives: Column, name: str) -> Column:
    label = "[" + name.replace("\\", "\\\\").replace("$", "\\$") + "]"
    end = F.lit(f"){_GENITIVE}{_AFTER}")
    pattern = F.concat(F.lit(f"(?iu){_BEFORE}(?:"), alternatives, end)
    # the text is named once: a branch for "nothing known" would double the plan at every step
    searched = F.when(alternatives != "", pattern).otherwise(_NEVER)
    return F.regexp_replace(text, searched, F.lit(label))


def _whole(value: Column) -> Column:
    trimmed = F.trim(_seen(value.cast("string")))
    return F.when(trimmed != "", _quoted(trimmed))


def _words(value: Column) -> Column:
    lone = r"(?<![^\s,;])[^\s,;](?![^\s,;])"
    value = _seen(value.cast("string"))
    # parts of a double name are names, those of a number or an address are not
    doubles = F.array_join(F.regexp_extract_all(value, F.lit(_HYPHENATED), F.lit(0)), " ")
    value = F.concat_ws(" ", value, F.regexp_replace(doubles, _HYPHEN, " "))
    words = F.regexp_replace(value, lone, "")
    words = F.regexp_replace(words, r"^[\s,;]+|[\s,;]+$", "")
    return F.when(words != "", F.regexp_replace(_quoted(words), r"[\s,;]+", r"\\E|\\Q"))


def _seen(value: Column) -> Column:
    return F.translate(value, _UNSEEN, "")


def _quoted(value: Column) -> Column:
    """Java's Pattern.quote, natively, less what is written in more than one way."""
    quoted = F.concat(
        F.lit("\\Q"), F.replace(value, F.lit("\\E"), F.lit("\\E\\\\E\\Q")), F.lit("\\E")
    )
    for alike in (_APOSTROPHES, _ACCENTED):
        outside = "\\E" + alike + "\\Q"
        escaped = F.lit(outside.replace("\\", "\\\\"))
        # the Q of a quote is no letter for a mark that comes after it
        quoted = F.regexp_replace(quoted, F.lit(rf"(?<!\\){alike}"), escaped)
    return quoted
