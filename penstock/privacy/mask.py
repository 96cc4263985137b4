"""Masking a DataFrame by native Spark expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from pyspark.sql import functions as F
from pyspark.sql import types as T

from penstock.errors import DefinitionError
from penstock.privacy.method import Drop, Generalise, Keep, Null, Redact, Token
from penstock.privacy.redaction import redacted

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from penstock.privacy.method import Method
    from penstock.privacy.policy import MaskingPolicy

__all__ = ["mask"]

# Values whose text does not hang on a session setting or on rounding, so that tokens stay equal.
_TOKEN_TYPES = (T.StringType, T.CharType, T.VarcharType, T.IntegralType, T.DateType, T.BooleanType)
_PAD_NAMES = {"key_id": "__pads_key_id", "ipad": "__pads_ipad", "opad": "__pads_opad"}


def mask(frame: DataFrame, policy: MaskingPolicy, pads: DataFrame | None = None) -> DataFrame:
    """`frame` masked by `policy`: same rows, same column order, `Drop`ped columns left out.

    `pads` is what `read_pads` gives; needed only when the policy has tokens. The token of value v
    in domain d is `<key id>.` and hex(HMAC-SHA256(key, d || 0x00 || v)), v as UTF-8 text. No key
    material is in the plan. When the pads file is empty at run time the job fails; it never
    gives NULL tokens or loses rows. Works in a classic session and over Spark Connect.

    Raises DefinitionError when a column is missing, or of a type its method cannot take.
    """
    policy.refuse_unknown(set(frame.columns))
    types = {field.name: field.dataType for field in frame.schema}
    for name, wanted in policy.methods:
        _refuse_type(name, types[name], wanted)
    source = frame
    if policy.needs_key:
        if pads is None:
            raise DefinitionError(
                "the masking policy makes tokens, which need the key's pads",
                where="mask",
                next_step="pass pads=read_pads(spark, pads_file(secrets, 'masking'))",
            )
        hidden = pads.select(*(F.col(name).alias(new) for name, new in _PAD_NAMES.items()))
        # a left join keeps every row even without pads: then _pad fails instead of losing data
        source = frame.join(F.broadcast(hidden), F.lit(True), "left")
    return source.select(
        *(
            _masked(name, types[name], method).alias(name)
            if (method := policy.method(name))
            else _column(name)
            for name in frame.columns
            if not isinstance(policy.method(name), Drop)
        )
    )


def _masked(name: str, kind: T.DataType, method: Method) -> Column:
    column = _column(name)
    match method:
        case Token(domain=domain):
            return _token(column, domain)
        case Redact(known=known):
            return redacted(column, [(other, _column(other)) for other in known])
        case Generalise(to="decade"):
            return (F.floor(F.year(column) / 10) * 10).cast("int")
        case Generalise():
            return F.year(column)
        case Null():
            return F.lit(None).cast(kind)
        case Keep() | Drop():
            return column
        case _:
            assert_never(method)


def _token(value: Column, domain: str) -> Column:
    # a cast to binary gives the bytes as they are; encode() would fail on malformed UTF-8
    message = F.concat(
        F.lit(domain).cast("binary"), F.lit(b"\0"), value.cast("string").cast("binary")
    )
    inner = F.unhex(F.sha2(F.concat(_pad("ipad"), message), 256))
    digest = F.sha2(F.concat(_pad("opad"), inner), 256)
    return F.when(value.isNotNull(), F.concat(_pad("key_id"), F.lit("."), digest))


def _pad(name: str) -> Column:
    missing = F.raise_error(F.lit("penstock: the pads file of the masking key is empty"))
    return F.coalesce(F.col(_PAD_NAMES[name]), missing)


def _column(name: str) -> Column:
    return F.col("`" + name.replace("`", "``") + "`")


def _refuse_type(name: str, kind: T.DataType, method: Method) -> None:
    match method:
        case Token():
            good, expected = isinstance(kind, _TOKEN_TYPES), "text, whole number, date or boolean"
        case Redact():
            good, expected = isinstance(kind, T.StringType), "string"
        case Generalise():
            good = isinstance(kind, T.DateType | T.TimestampType | T.TimestampNTZType)
            expected = "date or timestamp"
        case _:
            return
    if not good:
        raise DefinitionError(
            f"{type(method).__name__} cannot mask a column of this type",
            where=name,
            expected=expected,
            found=kind.simpleString(),
            next_step="cast the column before it is masked, or give it another method",
        )
