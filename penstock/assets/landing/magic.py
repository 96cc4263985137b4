"""What a file is by its first bytes, whatever it is called."""

from __future__ import annotations

import codecs
import json
import re

from penstock.errors import InputError

__all__ = ["refuse_other_text"]

_CONTROL = re.compile(rb"[\0-\x08\x0e-\x1f]")
_UNZIP = "send the text itself, compressed only with gzip, bzip2, Zstandard or zip"
_MAGIC = {
    b"PK\x03\x04": (
        "a zip archive or an Excel workbook",
        "end its name in .zip, where it is an archive of one file, or write {}",
    ),
    b"\x1f\x8b": ("compressed with gzip", "end its name in .gz"),
    b"PAR1": ("Parquet", "write {}, or say landing(format=Parquet())"),
    b"Obj\x01": ("Avro", "write {}, or say landing(format=Avro())"),
    b"ORC": ("ORC", "write {}, or say landing(format=Orc())"),
    b"\x28\xb5\x2f\xfd": ("compressed with Zstandard", "end its name in .zst"),
    b"BZh": ("compressed with bzip2", "end its name in .bz2"),
    b"\xfd7zXZ\0": ("compressed with xz", _UNZIP),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", _UNZIP),
    b"%PDF": ("a PDF", "send {} itself"),
}
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def refuse_other_text(
    name: str, head: bytes, title: str, *, expected: str, wide: bool = False
) -> None:
    """Raise InputError for a file that is no text of the format `title`, and say what it is.

    `wide`: UTF-16 is what was agreed on.
    """
    if found := _binary(head, wide=wide) or (_other_text(head) if title == "CSV" else None):
        what, step = found
        raise InputError(
            f"the file is {what}, not {title}",
            where=name,
            expected=expected,
            found=what,
            next_step=f"have the sender {step.format(title)}",
        )


def _binary(head: bytes, *, wide: bool) -> tuple[str, str] | None:
    """(What the file is, what its sender should do), None for what may be text."""
    binary = _CONTROL.search(head[:1024]) is not None
    for magic, found in _MAGIC.items():
        # a column may be called PAR1
        if head.startswith(magic) and (binary or not magic.isalnum()):
            return found
    if wide:
        return None
    if head.startswith(_UTF_16):
        return "text in UTF-16", "write it as text in UTF-8"
    if b"\0" in head[:1024]:
        return "binary, or text in UTF-16 or UTF-32", "write it as text in UTF-8"
    return None


def _other_text(head: bytes) -> tuple[str, str] | None:
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if text.startswith((b"{", b"[")) and _is_json(text.splitlines()[0]):
        step = "say landing(format=JsonLines()) where each line is an object, else JsonDocument()"
        return "JSON", f"write {{}}, or {step}"
    if text.startswith(b"<"):
        step = "say landing(format=Xml(row=...)), or see whether it is an error page"
        return "XML or HTML", f"write it as CSV, or {step}"
    return None


def _is_json(line: bytes) -> bool:
    """Whether the line is JSON, or the beginning of such as stands on several lines."""
    try:
        json.loads(line)
    except ValueError:
        return line.strip() in (b"{", b"[")
    except RecursionError:
        pass
    return True
