"""A policy says what comes out, and refuses to let a personal column through."""

from __future__ import annotations

import json

import pytest

from penstock.errors import DefinitionError
from penstock.lineage.column_lineage import ColumnLineage, Origin, Subtype, Unknown
from penstock.privacy import Drop, Generalise, Keep, MaskingPolicy, Method, Null, Redact, Token
from penstock.schemas.model import ColumnModel, Pii

SOURCE = (
    ColumnModel(name="id", type="bigint", key=True),
    ColumnModel(name="email", type="string", pii=Pii.EMAIL, nullable=True),
    ColumnModel(name="born", type="date", pii=Pii.BIRTH_DATE),
    ColumnModel(name="remark", type="string", pii=Pii.FREE_TEXT),
)
GOOD: dict[str, Method] = {"email": Token("email"), "born": Generalise(), "remark": Redact()}


def test_the_columns_after_masking() -> None:
    after = MaskingPolicy.of(GOOD).columns(SOURCE)
    assert [(c.name, c.type, c.nullable, c.masked) for c in after] == [
        ("id", "bigint", False, False),
        ("email", "string", True, True),
        ("born", "int", False, True),
        ("remark", "string", False, True),
    ]
    assert [c.pii for c in after] == [c.pii for c in SOURCE]


def test_null_and_drop() -> None:
    after = MaskingPolicy.of({**GOOD, "email": Drop(), "born": Null()}).columns(SOURCE)
    assert [(c.name, c.nullable) for c in after] == [
        ("id", False),
        ("born", True),
        ("remark", False),
    ]


@pytest.mark.parametrize(
    ("column", "method"),
    [("email", Redact()), ("born", Token("born")), ("remark", Token("remark"))],
)
def test_an_inadequate_method_is_refused(column: str, method: Method) -> None:
    with pytest.raises(DefinitionError, match="without adequate masking") as caught:
        MaskingPolicy.of({**GOOD, column: method}).columns(SOURCE)
    assert caught.value.where == column


def test_a_personal_column_without_a_method_is_refused_unless_cleared_or_kept() -> None:
    without = {name: method for name, method in GOOD.items() if name != "email"}
    with pytest.raises(DefinitionError, match="without adequate masking"):
        MaskingPolicy.of(without).columns(SOURCE)
    cleared = MaskingPolicy.of(without).columns(SOURCE, cleared=frozenset({Pii.EMAIL}))
    kept = MaskingPolicy.of({**without, "email": Keep(reason="agreed")}).columns(SOURCE)
    assert cleared == kept
    assert not kept[1].masked


def test_every_class_has_an_adequate_method_besides_removing_it() -> None:
    adequate = frozenset().union(*(kind.adequate for kind in (Token, Redact, Generalise)))
    assert adequate == frozenset(Pii)
    assert not Keep.adequate


def test_the_document_is_json_and_the_policy_prints_itself() -> None:
    policy = MaskingPolicy.of({**GOOD, "remark": Redact(known=("email",))})
    assert json.loads(json.dumps(policy.document())) == {
        "email": {"method": "token", "domain": "email"},
        "born": {"method": "generalise", "to": "year"},
        "remark": {"method": "redact", "known": ["email"]},
    }
    assert str(policy).splitlines()[0] == "email   Token(domain='email')"
    assert MaskingPolicy.of({"a": Token("x")}).needs_key
    assert not MaskingPolicy.of({"a": Null()}).needs_key


def test_mistakes_are_refused_where_they_are_written() -> None:
    for wrong in ("", "E-Mail", "a\0b", "a.b"):
        with pytest.raises(DefinitionError, match="not a token domain"):
            Token(wrong)
    with pytest.raises(DefinitionError, match="year or its decade"):
        Generalise("day")  # type: ignore[arg-type]
    with pytest.raises(DefinitionError, match="not a masking method"):
        MaskingPolicy.of({"email": Token})  # type: ignore[dict-item]


def test_what_redaction_looks_at_is_an_origin_that_only_decides() -> None:
    policy = MaskingPolicy.of({"remark": Redact(known=("phone",)), "phone": Drop()})
    same = {
        name: (Origin(dataset="bookings", column=name, subtype=Subtype.IDENTITY),)
        for name in ("remark", "phone")
    }
    doubt = Unknown(column="phone", reason="a script")
    plain = ColumnLineage(fields=same, unknown=(doubt,))
    found = plain.masked_by(policy.masks(), policy.dropped, policy.looks_at())
    assert {
        name: [(o.column, o.subtype.value, o.masking) for o in origins]
        for name, origins in found.fields.items()
    } == {"remark": [("remark", "TRANSFORMATION", True), ("phone", "CONDITIONAL", True)]}
    assert found.unknown == (Unknown(column="remark", reason="a script"),)
    assert found.inputs() == {"bookings": {"remark", "phone"}}
