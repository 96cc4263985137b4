"""Which method each column of a dataset is masked with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from penstock.errors import DefinitionError
from penstock.privacy.method import Drop, Generalise, Keep, Null, Redact, Token, document

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from penstock.privacy.method import Method
    from penstock.schemas.model import ColumnModel, Pii

__all__ = ["MaskingPolicy"]


@dataclass(frozen=True, slots=True)
class MaskingPolicy:
    """A method for each column that needs one; columns without one pass as they are.

    Example: `MaskingPolicy.of({"email": Token("email"), "remark": Redact(known=("name",))})`.
    """

    methods: tuple[tuple[str, Method], ...]

    @classmethod
    def of(cls, methods: Mapping[str, Method]) -> MaskingPolicy:
        """The policy of a mapping from column name to method. Raises DefinitionError."""
        for column, method in methods.items():
            if not isinstance(method, Token | Redact | Generalise | Null | Drop | Keep):
                raise DefinitionError(
                    "this is not a masking method",
                    where=column,
                    expected="an instance of Token, Redact, Generalise, Null, Drop or Keep",
                    found=getattr(method, "__name__", type(method).__name__),
                    next_step="write, for example, Token('email') or Null()",
                )
        return cls(methods=tuple(methods.items()))

    @property
    def needs_key(self) -> bool:
        """Whether a method makes tokens, so that masking needs the pads."""
        return any(isinstance(method, Token) for _, method in self.methods)

    def method(self, column: str) -> Method | None:
        """The method of the column, or None when it passes as it is."""
        return dict(self.methods).get(column)

    def columns(
        self, source: Iterable[ColumnModel], cleared: frozenset[Pii] = frozenset()
    ) -> tuple[ColumnModel, ...]:
        """The columns that masking `source` gives, with their types and `masked` set.

        Raises DefinitionError when a column of the policy is not in `source`, or when a personal
        column whose class is not `cleared` has no method that is adequate for the class. `Keep`
        passes, since it carries its reason, and its column is not `masked`.
        """
        models = tuple(source)
        self.refuse_unknown({model.name for model in models})
        for model in models:
            method = self.method(model.name)
            enough = method is not None and (
                isinstance(method, Keep) or model.pii in method.adequate
            )
            if model.pii is not None and model.pii not in cleared and not enough:
                raise DefinitionError(
                    "personal data would pass without adequate masking",
                    where=model.name,
                    expected=f"a method adequate for {model.pii}: {_adequate(model.pii)}",
                    found="no method" if method is None else type(method).__name__,
                    next_step="give the column such a method, or Keep(reason=...)",
                )
        return tuple(
            masked for model in models if (masked := _masked(model, self.method(model.name)))
        )

    @property
    def dropped(self) -> frozenset[str]:
        """The columns that masking leaves out."""
        return frozenset(column for column, method in self.methods if isinstance(method, Drop))

    def masks(self) -> dict[str, str]:
        """The columns whose values are masked, with the method in words."""
        return {
            column: str(method)
            for column, method in self.methods
            if not isinstance(method, Keep | Drop)
        }

    def looks_at(self) -> dict[str, tuple[str, ...]]:
        """By column, the others whose values decide what of it is masked."""
        return {
            column: method.known
            for column, method in self.methods
            if isinstance(method, Redact) and method.known
        }

    def document(self) -> dict[str, Any]:
        """The policy as JSON-ready data for events and records."""
        return {column: document(method) for column, method in self.methods}

    def __str__(self) -> str:
        width = max((len(column) for column, _ in self.methods), default=0)
        return "\n".join(f"{column:<{width}}  {method}" for column, method in self.methods)

    def refuse_unknown(self, present: set[str]) -> None:
        """DefinitionError when the policy names a column that is not `present`."""
        for column, method in self.methods:
            named = (column, *(method.known if isinstance(method, Redact) else ()))
            for name in named:
                if name not in present:
                    raise DefinitionError(
                        "the masking policy names a column that is not there",
                        where=name,
                        expected="one of " + ", ".join(sorted(present)),
                        next_step="correct the name in the policy",
                    )


def _adequate(pii: Pii) -> str:
    kinds = (Token, Redact, Generalise, Null, Drop)
    return ", ".join(kind.__name__ for kind in kinds if pii in kind.adequate)


def _masked(model: ColumnModel, method: Method | None) -> ColumnModel | None:
    match method:
        case None | Keep():
            return model
        case Drop():
            return None
        case Token():
            return replace(model, type="string", masked=True)
        case Generalise():
            return replace(model, type="int", masked=True)
        case Null():
            return replace(model, nullable=True, key=False, masked=True)
        case Redact():
            return replace(model, masked=True)
