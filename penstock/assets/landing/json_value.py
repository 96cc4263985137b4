"""A scalar of JSON as the text of a cell: what a CSV file would have in its place."""

from __future__ import annotations

__all__ = ["MICROS", "MICRO_FORMATS", "cell_sql", "is_text_sql", "wrong_kind_sql"]

#: Options of `to_json` by which it cuts no time: unless told it writes milliseconds.
MICRO_FORMATS = {
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss[.SSSSSS]XXX",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss[.SSSSSS]",
}
#: The same in SQL, keys and values of a map.
MICROS = ", ".join(f"'{name}', \"{said}\"" for name, said in MICRO_FORMATS.items())


def is_text_sql(value: str, json: str) -> str:
    """SQL, whether the variant `value`, whose JSON is `json`, is a string."""
    return f"(startswith({json}, '\"') AND NOT {_beyond_sql(value, json)})"


def _beyond_sql(value: str, json: str) -> str:
    """SQL, whether it is a number too large for a double, of which Spark makes a quoted word."""
    words = """'"Infinity"', '"-Infinity"'"""
    return f"({json} IN ({words}) AND schema_of_variant({value}) = 'DOUBLE')"


def cell_sql(json: str) -> str:
    """SQL, the text of a number, boolean or string without escapes; NULL for null."""
    return (
        f"CASE WHEN {json} = 'null' THEN NULL WHEN startswith({json}, '\"') "
        f"THEN substring({json}, 2, length({json}) - 2) ELSE {json} END"
    )


def wrong_kind_sql(value: str, json: str, wanted: str) -> str:
    """SQL, true for a JSON value that is none of the type, however its text reads.

    `value` is the variant, `json` its JSON; neither is NULL.
    """
    if wanted == "string":
        return f"{json} <> 'null' AND NOT {is_text_sql(value, json)}"
    if wanted in ("float", "double"):
        return _beyond_sql(value, json)
    if wanted.startswith("decimal"):
        # with more digits than a decimal has, it was rounded
        return f"contains({json}, '.') AND schema_of_variant({value}) = 'DOUBLE'"
    return "false"
