"""What is looked for in a file of XML: that all of it is, and what its records hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from xml.parsers import expat

from penstock.assets.landing.magic import refuse_other_text
from penstock.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.assets.landing.formats import Xml

__all__ = ["XmlLook", "XmlLooker"]

_HEAD = 1 << 16
_ENCODINGS = ("UTF-8", "US-ASCII")
_NAMES_SHOWN = 5
_MOST_NAMES = 1000
_DEEPEST = 500  # Spark's parser gives up at 1,000
#: What stands in a record beside its elements.
TEXT = "#text"


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlLook:
    """What the records of a file hold.

    `columns` are the names of their elements and attributes, `@id`, and of those of elements,
    `price@currency`; `nested` the elements that hold others.
    """

    columns: tuple[str, ...]
    nested: tuple[str, ...]

    def findings(self) -> dict[str, Any]:
        """The same, JSON-ready."""
        return {"columns": list(self.columns), "nested": list(self.nested)}

    @classmethod
    def of_findings(cls, findings: Mapping[str, Any]) -> Self:
        """The look of which these are the `findings`."""
        return cls(columns=tuple(findings["columns"]), nested=tuple(findings["nested"]))


@dataclass(slots=True)
class XmlLooker:
    """Fed with the content in order, it says what the file is like."""

    name: str
    written: Xml
    _head: bytes = b""
    _parser: Any = None
    _path: list[str] = field(default_factory=list)
    _row_at: int | None = None  # how many elements the record at hand is in
    _columns: dict[str, None] = field(default_factory=dict)
    _nested: dict[str, None] = field(default_factory=dict)
    _others: dict[str, None] = field(default_factory=dict)
    _rows: int = 0
    _stray: bool = False  # whether there is text in no record

    def __post_init__(self) -> None:
        """Make the parser: of no names are namespaces looked up, as Spark looks up none."""
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.XmlDeclHandler = self._declared
        self._parser.StartDoctypeDeclHandler = self._doctype

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the file. Raises InputError for what is no XML that is read."""
        if len(self._head) < _HEAD:
            self._head += chunk[: _HEAD - len(self._head)]
        self._parse(chunk, final=False)

    def look(self) -> XmlLook:
        """What was found. Raises InputError for what is no XML, ends too early or has no record."""
        self._parse(b"", final=True)
        refuse_other_text(self.name, self._head, "XML", expected="XML in UTF-8")
        if not self._rows and (self._others or self._stray):
            raise InputError(
                "the file has no record of the name that was said",
                where=self.name,
                expected=f"elements called {self.written.row}",
                found=", ".join([*self._others][:_NAMES_SHOWN]) or "text alone",
                next_step="correct Xml(row=...), or have the file sent again",
            )
        return XmlLook(columns=tuple(sorted(self._columns)), nested=tuple(sorted(self._nested)))

    def _parse(self, chunk: bytes, *, final: bool) -> None:
        try:
            self._parser.Parse(chunk, final)
        except expat.ExpatError as error:
            refuse_other_text(self.name, self._head, "XML", expected="XML in UTF-8")
            raise InputError(
                "the file is no XML, or ends too early"
                if self._head.strip()
                else "the file is empty",
                where=self.name,
                expected="an XML document in UTF-8",
                found=f"{expat.ErrorString(error.code)} at line {error.lineno}",
                next_step="have the file sent again; nothing of it was loaded",
            ) from error

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        depth = len(self._path)
        self._path.append(name)
        if depth > _DEEPEST:
            raise self._refused("elements within elements", f"at most {_DEEPEST}", "more")
        of = ""
        if self._row_at is None:
            if name != self.written.row:
                self._beside(name, depth)
                return
            self._row_at = depth
            self._rows += 1
        elif name == self.written.row:
            raise self._refused("a record within a record", "records side by side", name)
        elif depth == self._row_at + 1:
            self._columns[name] = None
            of = name
        else:
            self._nested[self._path[self._row_at + 1]] = None
            return
        for attribute in attributes:
            plain = attribute == "xmlns" or attribute.startswith(("xmlns:", "xml:", "xsi:"))
            if not plain and not attribute.endswith(":nil"):
                self._columns[f"{of}@{attribute}"] = None
        if len(self._columns) > _MOST_NAMES:
            raise self._refused("too many names", f"at most {_MOST_NAMES} in its records", "more")

    def _beside(self, name: str, depth: int) -> None:
        """An element that is in no record. Raises InputError for one that may be meant as one."""
        if _local(name) == _local(self.written.row):
            raise self._refused("records of two names", self.written.row, name)
        if depth and len(self._others) <= _NAMES_SHOWN:
            self._others[name] = None

    def _end(self, _: str) -> None:
        self._path.pop()
        if len(self._path) == self._row_at:
            self._row_at = None

    def _text(self, text: str) -> None:
        if self._row_at is None:
            self._stray = self._stray or bool(text.strip())
        elif len(self._path) == self._row_at + 1 and text.strip():
            self._columns[TEXT] = None

    def _declared(self, version: str, encoding: str | None, _: int) -> None:
        if version != "1.0":
            raise self._refused("another version of XML", "1.0", version)
        if encoding and encoding.upper() not in _ENCODINGS:
            raise self._refused("an encoding that is not read", " or ".join(_ENCODINGS), encoding)

    def _refused(self, what: str, expected: str, found: str) -> InputError:
        return InputError(
            f"the file is XML with {what}",
            where=self.name,
            expected=expected,
            found=found,
            next_step="have the sender write it otherwise; nothing of it was loaded",
        )

    def _doctype(self, *_: Any) -> None:
        raise InputError(
            "the file declares a document type, by which texts could stand for others",
            where=self.name,
            expected="XML without <!DOCTYPE>",
            next_step="have the sender leave it out",
        )


def _local(name: str) -> str:
    """The name without its prefix and letter case."""
    return name.rpartition(":")[2].casefold()
