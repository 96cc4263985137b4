"""The algebra of column lineage: what is known about where one value comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

from penstock.lineage.column_lineage import Influence, Subtype

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from penstock.lineage.plan.tree import Shape

__all__ = ["Source", "Trace", "Value"]

_DEEPEST_STRUCT = 12


class Source:
    """An input column, a field inside one, or (dataset None) a reason for not knowing.

    Compared by identity: ask the parent for a field and the same object comes back.
    """

    __slots__ = ("_fields", "dataset", "path", "shape")

    def __init__(self, dataset: str | None, path: str, shape: Shape = None) -> None:
        self.dataset = dataset
        self.path = path
        self.shape = shape
        self._fields: dict[str, Source] = {}

    def field(self, name: str | None, ordinal: int | None) -> Source | None:
        """The struct field by position where the type is known, otherwise by name."""
        if self.dataset is None:
            return self
        shape: Shape = None
        if self.shape is not None and ordinal is not None and ordinal < len(self.shape):
            name, shape = self.shape[ordinal]
        elif self.shape is not None:
            shape = next((inner for known, inner in self.shape if known == name), None)
        if name is None:
            return None
        if name not in self._fields:
            self._fields[name] = Source(self.dataset, f"{self.path}.{name}", shape)
        return self._fields[name]


class Trace(NamedTuple):
    """One way from a source to a value. `whole` is true while its fields are the source's."""

    source: Source
    subtype: Subtype = Subtype.IDENTITY
    masking: bool = False
    whole: bool = True
    note: str = ""

    def then(self, subtype: Subtype, *, masking: bool, whole: bool, note: str) -> Trace:
        """The same way with one more step at its end."""
        return Trace(
            self.source,
            subtype.after(self.subtype),
            self.masking or masking,
            self.whole and whole,
            self.note or note,
        )


class Value:
    """Everything known of one value: its own traces and, for a struct built here, its parts.

    An array or map is described by its elements. Where a struct's fields are not all known,
    `rest` has those that are not among the parts. Values are immutable and shared freely.
    """

    __slots__ = ("_flat", "own", "parts", "rest")

    def __init__(
        self,
        own: frozenset[Trace] = frozenset(),
        parts: tuple[tuple[str, Value], ...] | None = None,
        rest: Value | None = None,
    ) -> None:
        self.own = own
        self.parts = parts
        self.rest = rest
        self._flat: frozenset[Trace] | None = None

    @classmethod
    def of(cls, source: Source) -> Self:
        """The source, unchanged."""
        return cls(frozenset((Trace(source),)))

    @classmethod
    def struct(cls, parts: Iterable[tuple[str, Value]], rest: Value | None = None) -> Value:
        """A struct built of these; one nested very deeply is taken as a whole."""
        built = Value(parts=tuple(parts), rest=rest)
        return built if built._depth() <= _DEEPEST_STRUCT else Value(built.flat)

    @classmethod
    def merge(cls, values: Iterable[Value]) -> Value:
        """Any of the values, or all of them."""
        given = [value for value in values if value.own or value.parts or value.rest]
        if not given:
            return NOTHING
        if len(given) == 1 or all(value is given[0] for value in given):
            return given[0]
        built = [value.parts for value in given if value.parts is not None]
        if any(_names(parts) != _names(built[0]) for parts in built) or any(v.rest for v in given):
            return Value(frozenset().union(*(value.flat for value in given)))
        own = frozenset[Trace]().union(*(value.own for value in given))
        columns = list(zip(*built, strict=True))
        parts = tuple((c[0][0], cls.merge(part for _, part in c)) for c in columns)
        return Value(own, parts if built else None)

    @property
    def flat(self) -> frozenset[Trace]:
        """All traces of the value taken as a whole."""
        if self._flat is None:
            if self.parts is None:
                self._flat = self.own
            else:
                packed = (
                    trace.then(Subtype.TRANSFORMATION, masking=False, whole=False, note="")
                    for part in self._inner()
                    for trace in part.flat
                )
                self._flat = self.own.union(packed)
        return self._flat

    def then(
        self,
        subtype: Subtype,
        *,
        masking: bool = False,
        whole: bool = False,
        note: str = "",
    ) -> Value:
        """The value after one more step; `whole` keeps struct fields apart."""
        if whole and self.parts is not None:
            seen: dict[int, Value] = {}
            return self._map(
                lambda trace: trace.then(subtype, masking=masking, whole=True, note=note), seen
            )
        return Value(
            frozenset(
                trace.then(subtype, masking=masking, whole=whole, note=note)
                for trace in (self.own if whole else self.flat)
            )
        )

    def indirect(self, subtype: Subtype) -> Value:
        """The value as a mere influence of the given kind."""
        return self.then(subtype)

    def field(self, name: str | None, ordinal: int | None) -> Value:
        """One struct field; the whole value where its fields are not known apart."""
        own = frozenset(_field(trace, name, ordinal) for trace in self.own)
        if self.parts is None:
            return Value(own)
        if self.rest is None and ordinal is not None and ordinal < len(self.parts):
            part = self.parts[ordinal][1]
        else:
            part = self._part(name or "")
        return Value.merge((Value(own), part)) if own else part

    def _part(self, name: str) -> Value:
        named = {known.lower(): value for known, value in self.parts or ()}
        named |= dict(self.parts or ())
        found = named.get(name, named.get(name.lower()))
        if found is not None:
            return found
        return Value(self.flat) if self.rest is None else self.rest.field(name, None)

    def fields(self) -> tuple[tuple[str, Value], ...] | None:
        """All struct fields with their values, None where they are not known."""
        if self.rest is not None:
            return None
        if self.parts is not None:
            names = [name for name, _ in self.parts]
        else:
            shapes = {trace.source.shape for trace in self.own if trace.whole}
            shape = shapes.pop() if len(shapes) == 1 else None
            if shape is None or not all(trace.whole for trace in self.own):
                return None
            names = [name for name, _ in shape]
        return tuple((name, self.field(name, place)) for place, name in enumerate(names))

    def placed(self) -> Value:
        """The value where its fields are known by place only, as in a later side of a union."""
        own = (t if t.source.shape else t._replace(whole=False) for t in self.own)
        return Value(frozenset(own), self.parts, self.rest and self.rest.placed())

    def same(self, other: Value) -> bool:
        """Whether both are made of the same, field by field."""
        pending, seen = [(self, other)], set()
        while pending:
            one, two = pending.pop()
            if one is two or (id(one), id(two)) in seen:
                continue
            seen.add((id(one), id(two)))
            parts = (one.parts or (), two.parts or ())
            if one.own != two.own or _names(parts[0]) != _names(parts[1]):
                return False
            pending += [(a, b) for (_, a), (_, b) in zip(*parts, strict=True)]
            pending.append((one.rest or NOTHING, two.rest or NOTHING))
        return True

    def _inner(self) -> list[Value]:
        return [part for _, part in self.parts or ()] + ([self.rest] if self.rest else [])

    def _map(self, change: Callable[[Trace], Trace], seen: dict[int, Value]) -> Value:
        if id(self) not in seen:
            parts = self.parts and tuple(
                (name, part._map(change, seen))  # noqa: SLF001 - a value of the same class
                for name, part in self.parts
            )
            rest = self.rest and self.rest._map(change, seen)  # noqa: SLF001 - as above
            seen[id(self)] = Value(frozenset(change(trace) for trace in self.own), parts, rest)
        return seen[id(self)]

    def _depth(self) -> int:
        level, depth = [self], 0
        while level and depth <= _DEEPEST_STRUCT:
            inner = {id(part): part for value in level for part in value._inner()}  # noqa: SLF001
            level, depth = list(inner.values()), depth + 1
        return depth


NOTHING = Value()


def _names(parts: tuple[tuple[str, Value], ...]) -> list[str]:
    return [name for name, _ in parts]


def _field(trace: Trace, name: str | None, ordinal: int | None) -> Trace:
    if not trace.whole or trace.subtype.type is Influence.INDIRECT:
        return trace
    inner = trace.source.field(name, ordinal)
    return trace if inner is None else trace._replace(source=inner)
