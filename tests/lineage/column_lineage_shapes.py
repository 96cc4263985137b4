"""Plan shapes with their column lineage, written down by hand.

An origin is written `dataset.column SUBTYPE`, with ` masked` behind it if it is; origins are
separated by commas. An empty text means that no input takes part.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyspark.sql.functions as F
from pyspark.sql import DataFrame, SparkSession, Window

from penstock.lineage.plan.frame_lineage import mark

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from penstock.lineage.column_lineage import ColumnLineage, Origin

FLIGHTS = (
    "id long, carrier string, tail string, distance double, delay int, at timestamp, "
    "origin struct<code: string, city: string>, "
    "legs array<struct<stop: string, minutes: int>>, tags map<string, string>, payload string"
)
PLANES = "tail string, maker string, year int"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    spark: SparkSession
    flights: DataFrame
    planes: DataFrame

    def sql(self, text: str) -> DataFrame:
        return self.spark.sql(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """`from_text` says what differs when only the plan's text can be read.

    `doubted` names what is then unknown besides, for the same origins.
    """

    name: str
    build: Callable[[Inputs], DataFrame]
    fields: Mapping[str, str]
    rows: str = ""
    unknown: frozenset[str] = frozenset()
    from_text: Mapping[str, str] = field(default_factory=dict)
    doubted: frozenset[str] = frozenset()


SHAPES: list[Shape] = []


def shape(
    name: str,
    fields: Mapping[str, str],
    *,
    rows: str = "",
    unknown: str = "",
    from_text: Mapping[str, str] | None = None,
    doubted: str = "",
) -> Callable[[Callable[[Inputs], DataFrame]], Callable[[Inputs], DataFrame]]:
    def keep(build: Callable[[Inputs], DataFrame]) -> Callable[[Inputs], DataFrame]:
        SHAPES.append(
            Shape(
                name=name,
                build=build,
                fields=fields,
                rows=rows,
                unknown=frozenset(unknown.split()),
                from_text=from_text or {},
                doubted=frozenset(doubted.split()),
            )
        )
        return build

    return keep


def inputs(spark: SparkSession) -> Inputs:
    """Empty marked inputs, also as the temporary views `flights` and `planes`."""
    flights = mark(spark.createDataFrame([], FLIGHTS), "bronze.flights")
    planes = mark(spark.createDataFrame([], PLANES), "bronze.planes")
    flights.createOrReplaceTempView("flights")
    planes.createOrReplaceTempView("planes")
    return Inputs(spark=spark, flights=flights, planes=planes)


def written(origins: tuple[Origin, ...]) -> str:
    return ", ".join(
        f"{origin.dataset.removeprefix('bronze.')}.{origin.column} {origin.subtype}"
        + (" masked" if origin.masking else "")
        for origin in origins
    )


def found(lineage: ColumnLineage) -> dict[str, Any]:
    """The lineage in the notation of this file."""
    return {
        "fields": {name: written(origins) for name, origins in lineage.fields.items()},
        "rows": written(lineage.dataset),
        "unknown": sorted({entry.column or "<rows>" for entry in lineage.unknown}),
    }


def expected(wanted: Shape, *, text: bool = False) -> dict[str, Any]:
    fields = {**wanted.fields, **(wanted.from_text if text else {})}
    return {
        "fields": {name: _sorted(origins) for name, origins in fields.items()},
        "rows": _sorted(wanted.rows),
        "unknown": sorted(wanted.unknown | (wanted.doubted if text else frozenset())),
    }


def _sorted(origins: str) -> str:
    return ", ".join(sorted(part.strip() for part in origins.split(",") if part.strip()))


def _only(entry: str) -> dict[str, str]:
    return {"value": entry}


# -- projections ---------------------------------------------------------------------------


@shape(
    "select and rename", {"carrier": "flights.carrier IDENTITY", "km": "flights.distance IDENTITY"}
)
def _(i: Inputs) -> DataFrame:
    return i.flights.select("carrier", F.col("distance").alias("km"))


@shape("expression", _only("flights.delay TRANSFORMATION, flights.distance TRANSFORMATION"))
def _(i: Inputs) -> DataFrame:
    return i.flights.select((i.flights["distance"] / F.col("delay")).alias("value"))


@shape("cast", _only("flights.delay TRANSFORMATION"))
def _(i: Inputs) -> DataFrame:
    return i.flights.select(F.col("delay").cast("long").alias("value"))


@shape("literals and clocks", {"one": "", "now": "", "day": "", "chance": "", "row": ""})
def _(i: Inputs) -> DataFrame:
    return i.flights.select(
        F.lit(1).alias("one"),
        F.current_timestamp().alias("now"),
        F.current_date().alias("day"),
        F.rand().alias("chance"),
        F.monotonically_increasing_id().alias("row"),
    )


@shape(
    "literals that look like a plan",
    {"a": "", "b": "flights.carrier TRANSFORMATION", "c": "flights.tail TRANSFORMATION"},
)
def _(i: Inputs) -> DataFrame:
    return i.flights.select(
        F.lit("x, id#0 AS y#1]").alias("a"),
        F.regexp_replace("carrier", "(", ")").alias("b"),
        F.concat(F.lit("END, ["), F.col("tail")).alias("c"),
    )


@shape(
    "literals that look like calls",
    {
        **dict.fromkeys("abcdeg", "flights.carrier TRANSFORMATION"),
        "f": "flights.carrier TRANSFORMATION, flights.carrier CONDITIONAL",
        "inner": "flights.carrier IDENTITY",
        "concat(carrier, , #2)": "flights.carrier TRANSFORMATION",
    },
)
def _(i: Inputs) -> DataFrame:
    carrier = F.col("carrier")
    named = i.flights.select(
        F.concat(F.lit("sha2("), carrier, F.lit(")")).alias("a"),
        F.concat(F.lit("CASE WHEN "), carrier, F.lit(" END, ")).alias("b"),
        F.concat(F.lit("Room #2, "), carrier, F.lit("\n+- Project [")).alias("c"),
        F.expr("""concat('sha2(', carrier, ')', "it's '#3' (")""").alias("d"),
        F.named_struct(F.lit("inner"), carrier).alias("s"),
        "carrier",
    )
    return i.spark.sql(
        "SELECT a, b, c, d, concat('sha2(', carrier, r'\\) (') AS e, -- it's (\n"
        "if(carrier = 'else, (', carrier || '(', '') AS f, carrier || 'a'', (' AS g, "
        "s.*, concat(carrier, ', #2') FROM {named}",
        named=named,
    )


@shape("a column in another letter case", {"CARRIER": "flights.carrier IDENTITY"})
def _(i: Inputs) -> DataFrame:
    return i.flights.select("CARRIER")


@shape(
    "awkward column names",
    {"sum(delay)": "flights.delay TRANSFORMATION", "a AS b": "flights.delay TRANSFORMATION"},
)
def _(i: Inputs) -> DataFrame:
    named = i.flights.select((F.col("delay") + 1).alias("sum(delay)"))
    return named.select("sum(delay)", (F.col("`sum(delay)`") * 2).alias("a AS b"))


@shape(
    "a chain of withColumn",
    {
        "id": "flights.id IDENTITY",
        "a": "flights.delay TRANSFORMATION",
        "b": "flights.delay TRANSFORMATION, flights.id TRANSFORMATION",
    },
)
def _(i: Inputs) -> DataFrame:
    chained = i.flights.select("id", "delay").withColumn("a", F.col("delay") + 1)
    chained = chained.withColumn("b", F.col("a") * F.col("id"))
    return chained.withColumn("a", F.col("a") - 1).drop("delay")


@shape(
    "columns of the same select",
    {"x": "flights.id TRANSFORMATION", "y": "flights.id TRANSFORMATION"},
)
def _(i: Inputs) -> DataFrame:
    return i.sql("select id + 1 as x, x * 2 as y from flights")


@shape(
    "marked frame answers as before",
    {
        "id": "flights.id IDENTITY",
        "carrier": "flights.carrier IDENTITY",
        "delay": "flights.delay IDENTITY",
        "code": "flights.origin.code IDENTITY",
    },
)
def _(i: Inputs) -> DataFrame:
    renamed = i.flights.alias("x")
    return renamed.select(renamed["id"], F.col("carrier"), F.col("x.delay"), "x.origin.code")


@shape(
    "fillna, dropna and replace",
    _only("flights.carrier TRANSFORMATION, flights.carrier CONDITIONAL"),
    rows="flights.carrier FILTER",
)
def _(i: Inputs) -> DataFrame:
    chosen = i.flights.select(F.col("carrier").alias("value"))
    return chosen.fillna({"value": "?"}).dropna().replace("UA", "United")


# -- conditions ----------------------------------------------------------------------------


@shape(
    "case",
    _only(
        "flights.carrier TRANSFORMATION, flights.tail TRANSFORMATION, "
        "flights.delay CONDITIONAL, flights.id CONDITIONAL"
    ),
)
def _(i: Inputs) -> DataFrame:
    chosen = F.when(F.col("delay") > 0, F.col("carrier")).when(F.col("id") > 9, F.col("tail"))
    return i.flights.select(chosen.otherwise("none").alias("value"))


@shape("if", _only("flights.carrier TRANSFORMATION, flights.delay CONDITIONAL"))
def _(i: Inputs) -> DataFrame:
    return i.sql("select if(delay > 0, carrier, if(delay < 0, 'early', 'x')) as value from flights")


@shape(
    "coalesce",
    _only(
        "flights.carrier TRANSFORMATION, flights.carrier CONDITIONAL, flights.tail TRANSFORMATION"
    ),
)
def _(i: Inputs) -> DataFrame:
    return i.flights.select(F.coalesce("carrier", "tail").alias("value"))


@shape(
    "nullif and between",
    {
        "a": "flights.carrier TRANSFORMATION, flights.carrier CONDITIONAL",
        "b": "flights.delay TRANSFORMATION",
    },
)
def _(i: Inputs) -> DataFrame:
    return i.sql("select nullif(carrier, '') as a, delay between 1 and 5 as b from flights")


@shape("decode", _only("flights.carrier CONDITIONAL, flights.id TRANSFORMATION"))
def _(i: Inputs) -> DataFrame:
    return i.sql("select decode(carrier, 'UA', id, 0) as value from flights")


@shape("deeply nested case", _only("flights.delay CONDITIONAL, flights.id TRANSFORMATION"))
def _(i: Inputs) -> DataFrame:
    chosen = F.col("id")
    for limit in range(30):
        chosen = F.when(F.col("delay") > limit, F.lit(limit)).otherwise(chosen)
    return i.flights.select(chosen.alias("value"))


@shape(
    "fields of a case of structs",
    {
        "code": "flights.origin.code TRANSFORMATION, flights.carrier TRANSFORMATION, "
        "flights.delay CONDITIONAL",
        "city": "flights.tail TRANSFORMATION, flights.carrier CONDITIONAL, "
        "flights.delay CONDITIONAL",
    },
)
def _(i: Inputs) -> DataFrame:
    made = F.struct(F.col("carrier").alias("code"), F.lower("payload").alias("city"))
    other = F.struct(F.col("payload").alias("code"), F.col("tail").alias("city"))
    first = F.when(F.col("delay") > 0, F.col("origin")).otherwise(made)
    second = F.when(F.col("delay") > 0, other).when(F.col("carrier") == "UA", other)
    return i.flights.select(first.alias("a"), second.alias("b")).select("a.code", "b.city")


@shape(
    "a union of structs is by place",
    _only("flights.carrier IDENTITY, flights.origin.code IDENTITY"),
    from_text=_only("flights.carrier IDENTITY, flights.origin IDENTITY"),
)
def _(i: Inputs) -> DataFrame:
    made = F.struct(F.col("carrier").alias("x"), F.col("tail").alias("y"))
    both = i.flights.select(made.alias("s")).union(i.flights.select("origin"))
    return both.select(F.col("s.x").alias("value"))


# -- rows ----------------------------------------------------------------------------------


@shape("filter", {"id": "flights.id IDENTITY"}, rows="flights.delay FILTER, flights.carrier FILTER")
def _(i: Inputs) -> DataFrame:
    return i.flights.where("delay > 5 and carrier like 'U%'").select("id")


@shape("distinct", {"carrier": "flights.carrier IDENTITY"}, rows="flights.carrier GROUP_BY")
def _(i: Inputs) -> DataFrame:
    return i.flights.select("carrier").distinct()


@shape(
    "dropDuplicates",
    {"id": "flights.id IDENTITY", "tail": "flights.tail IDENTITY"},
    rows="flights.tail GROUP_BY",
)
def _(i: Inputs) -> DataFrame:
    return i.flights.dropDuplicates(["tail"]).select("id", "tail")


@shape("sort, limit and offset", {"id": "flights.id IDENTITY"}, rows="flights.at SORT")
def _(i: Inputs) -> DataFrame:
    return i.flights.orderBy(F.desc("at")).limit(9).offset(1).select("id")


@shape("sample, repartition, coalesce and hint", {"id": "flights.id IDENTITY"})
def _(i: Inputs) -> DataFrame:
    spread = i.flights.sample(0.5, seed=1).repartition(2, "carrier").coalesce(1)
    return spread.hint("broadcast").select("id")


@shape(
    "filter over a window",
    {"id": "flights.id IDENTITY"},
    rows="flights.carrier FILTER, flights.at FILTER",
)
def _(i: Inputs) -> DataFrame:
    place = F.row_number().over(Window.partitionBy("carrier").orderBy("at"))
    return i.flights.withColumn("place", place).where("place = 1").select("id")


# -- joins ---------------------------------------------------------------------------------

_JOINED = {"id": "flights.id IDENTITY", "maker": "planes.maker IDENTITY"}
_KEYS = "flights.tail JOIN, planes.tail JOIN"


def _join(kind: str) -> Callable[[Inputs], DataFrame]:
    def build(i: Inputs) -> DataFrame:
        on = i.flights["tail"] == i.planes["tail"]
        return i.flights.join(i.planes, on, kind).select("id", "maker")

    return build


for _kind in ("inner", "left", "right", "full"):
    shape(f"{_kind} join", _JOINED, rows=_KEYS)(_join(_kind))


@shape("semi join", {"id": "flights.id IDENTITY"}, rows=_KEYS)
def _(i: Inputs) -> DataFrame:
    return i.flights.join(i.planes, "tail", "left_semi").select("id")


@shape(
    "anti join with a filter on the right",
    {"id": "flights.id IDENTITY"},
    rows=_KEYS + ", planes.year FILTER",
)
def _(i: Inputs) -> DataFrame:
    old = i.planes.where("year < 1990")
    return i.flights.join(old, "tail", "left_anti").select("id")


@shape("cross join", _JOINED)
def _(i: Inputs) -> DataFrame:
    return i.flights.crossJoin(i.planes).select("id", "maker")


@shape(
    "full join using",
    {
        "tail": "flights.tail TRANSFORMATION, flights.tail CONDITIONAL, planes.tail TRANSFORMATION",
        "maker": "planes.maker IDENTITY",
    },
    rows=_KEYS,
)
def _(i: Inputs) -> DataFrame:
    return i.flights.select("tail").join(i.planes, "tail", "full").select("tail", "maker")


@shape(
    "self-join",
    {"id": "flights.id IDENTITY", "next": "flights.id IDENTITY"},
    rows="flights.tail JOIN, flights.at JOIN",
)
def _(i: Inputs) -> DataFrame:
    a, b = i.flights.alias("a"), i.flights.alias("b")
    on = (F.col("a.tail") == F.col("b.tail")) & (F.col("a.at") < F.col("b.at"))
    return a.join(b, on).select("a.id", F.col("b.id").alias("next"))


# -- aggregates ----------------------------------------------------------------------------


@shape(
    "groupBy and agg",
    {
        "carrier": "flights.carrier IDENTITY",
        "total": "flights.distance AGGREGATION",
        "rows": "",
        "known": "flights.tail AGGREGATION masked",
        "tails": "flights.tail AGGREGATION masked",
        "ids": "flights.id AGGREGATION",
        "worst": "flights.id AGGREGATION, flights.delay SORT",
    },
    rows="flights.carrier GROUP_BY",
)
def _(i: Inputs) -> DataFrame:
    return i.flights.groupBy("carrier").agg(
        F.sum("distance").alias("total"),
        F.count("*").alias("rows"),
        F.count("tail").alias("known"),
        F.countDistinct("tail").alias("tails"),
        F.collect_list("id").alias("ids"),
        F.max_by("id", "delay").alias("worst"),
    )


@shape("aggregate with a filter", _only("flights.distance AGGREGATION, flights.delay FILTER"))
def _(i: Inputs) -> DataFrame:
    return i.sql("select sum(distance) filter (where delay > 0) as value from flights")


@shape(
    "having",
    {"carrier": "flights.carrier IDENTITY"},
    rows="flights.carrier GROUP_BY, flights.delay FILTER",
)
def _(i: Inputs) -> DataFrame:
    return i.sql("select carrier from flights group by carrier having avg(delay) > 3")


_GROUPED = {
    "carrier": "flights.carrier IDENTITY",
    "tail": "flights.tail IDENTITY",
    "value": "flights.delay AGGREGATION",
}
_GROUP_ROWS = "flights.carrier GROUP_BY, flights.tail GROUP_BY"


@shape(
    "groups by time",
    {
        "start": "flights.at TRANSFORMATION, flights.at CONDITIONAL",
        "total": "flights.delay AGGREGATION",
    },
    rows="flights.at FILTER, flights.at GROUP_BY",
)
def _(i: Inputs) -> DataFrame:
    grouped = i.flights.groupBy(F.window("at", "5 minutes").alias("span"))
    return grouped.agg(F.sum("delay").alias("total")).select("span.start", "total")


@shape(
    "stream",
    {"at": "rate.timestamp IDENTITY", "value": "rate.value TRANSFORMATION"},
    rows="rate.value FILTER, rate.value GROUP_BY",
)
def _(i: Inputs) -> DataFrame:
    stream = mark(i.spark.readStream.format("rate").load(), "bronze.rate")
    once = stream.withWatermark("timestamp", "1 minute").dropDuplicatesWithinWatermark(["value"])
    return once.where("value > 1").select(
        F.col("timestamp").alias("at"), (F.col("value") + 1).alias("value")
    )


@shape("rollup", _GROUPED, rows=_GROUP_ROWS)
def _(i: Inputs) -> DataFrame:
    return i.flights.rollup("carrier", "tail").agg(F.avg("delay").alias("value"))


@shape(
    "cube",
    _GROUPED | {"level": "flights.carrier GROUP_BY, flights.tail GROUP_BY"},
    rows=_GROUP_ROWS,
)
def _(i: Inputs) -> DataFrame:
    averaged = F.avg("delay").alias("value")
    return i.flights.cube("carrier", "tail").agg(averaged, F.grouping_id().alias("level"))


@shape("grouping sets", _GROUPED, rows=_GROUP_ROWS)
def _(i: Inputs) -> DataFrame:
    return i.sql(
        "select carrier, tail, avg(delay) as value from flights"
        " group by grouping sets ((carrier), (carrier, tail))"
    )


@shape(
    "pivot",
    {
        "carrier": "flights.carrier IDENTITY",
        "EWR": "flights.delay AGGREGATION, flights.origin.code CONDITIONAL",
    },
    rows="flights.carrier GROUP_BY, flights.origin.code GROUP_BY",
)
def _(i: Inputs) -> DataFrame:
    flat = i.flights.select("carrier", "delay", F.col("origin.code").alias("code"))
    return flat.groupBy("carrier").pivot("code", ["EWR"]).agg(F.sum("delay"))


@shape(
    "unpivot",
    {
        "id": "flights.id IDENTITY",
        "what": "",
        "value": "flights.carrier IDENTITY, flights.tail IDENTITY",
    },
)
def _(i: Inputs) -> DataFrame:
    return i.flights.unpivot(["id"], ["carrier", "tail"], "what", "value")


# -- windows -------------------------------------------------------------------------------


@shape(
    "window functions",
    {
        "place": "flights.carrier WINDOW, flights.at WINDOW",
        "rank": "flights.carrier WINDOW, flights.at WINDOW",
        "before": "flights.delay TRANSFORMATION, flights.carrier WINDOW, flights.at WINDOW",
        "running": "flights.distance AGGREGATION, flights.carrier WINDOW, flights.at WINDOW",
    },
)
def _(i: Inputs) -> DataFrame:
    window = Window.partitionBy("carrier").orderBy(F.desc("at"))
    so_far = window.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    return i.flights.select(
        F.row_number().over(window).alias("place"),
        F.rank().over(window).alias("rank"),
        F.lag("delay", 1).over(window).alias("before"),
        F.sum("distance").over(so_far).alias("running"),
    )


# -- set operations ------------------------------------------------------------------------


@shape("union", _only("flights.tail IDENTITY, planes.maker TRANSFORMATION"))
def _(i: Inputs) -> DataFrame:
    makers = i.planes.select(F.upper("maker"))
    return i.flights.select(F.col("tail").alias("value")).union(makers)


@shape(
    "union by name with missing columns",
    {
        "tail": "flights.tail IDENTITY, planes.tail IDENTITY",
        "id": "flights.id IDENTITY",
        "year": "planes.year IDENTITY",
    },
)
def _(i: Inputs) -> DataFrame:
    years = i.planes.select("year", "tail")
    return i.flights.select("tail", "id").unionByName(years, allowMissingColumns=True)


@shape("intersect", {"tail": "flights.tail IDENTITY"}, rows=_KEYS)
def _(i: Inputs) -> DataFrame:
    return i.flights.select("tail").intersect(i.planes.select("tail"))


@shape("except", {"tail": "flights.tail IDENTITY"}, rows=_KEYS)
def _(i: Inputs) -> DataFrame:
    return i.flights.select("tail").exceptAll(i.planes.select("tail"))


# -- arrays and generators -----------------------------------------------------------------


@shape("explode", {"stop": "flights.legs.stop TRANSFORMATION"})
def _(i: Inputs) -> DataFrame:
    return i.flights.select(F.explode("legs").alias("leg")).select("leg.stop")


@shape(
    "posexplode",
    {"pos": "flights.legs TRANSFORMATION", "minutes": "flights.legs.minutes TRANSFORMATION"},
)
def _(i: Inputs) -> DataFrame:
    return i.flights.select(F.posexplode("legs")).select("pos", "col.minutes")


@shape(
    "inline in a lateral view",
    {"id": "flights.id IDENTITY", "m": "flights.legs.minutes TRANSFORMATION"},
    from_text={"m": "flights.legs TRANSFORMATION"},
)
def _(i: Inputs) -> DataFrame:
    return i.sql("select id, m from flights lateral view outer inline(legs) l as s, m")


@shape("split and explode", {"word": "flights.payload TRANSFORMATION"})
def _(i: Inputs) -> DataFrame:
    return i.flights.select(F.explode(F.split("payload", ",")).alias("word"))


@shape("stack", {"value": "flights.carrier TRANSFORMATION, flights.tail TRANSFORMATION"})
def _(i: Inputs) -> DataFrame:
    return i.sql("select stack(2, carrier, tail) as value from flights")


@shape(
    "lambdas over an array of structs",
    {
        "made": "flights.legs.minutes TRANSFORMATION",
        "kept": "flights.legs TRANSFORMATION, flights.legs.minutes FILTER",
        "sum": "flights.legs.minutes TRANSFORMATION",
        "any": "flights.legs.stop TRANSFORMATION",
    },
)
def _(i: Inputs) -> DataFrame:
    made = F.transform("legs", lambda leg, n: F.struct(leg.stop, (leg.minutes + n).alias("m")))
    return (
        i.flights.select(
            made.alias("made"),
            F.filter("legs", lambda leg: leg.minutes > 9).alias("kept"),
            F.aggregate("legs", F.lit(0), lambda total, leg: total + leg.minutes).alias("sum"),
            F.exists("legs", lambda leg: leg.stop == "EWR").alias("any"),
        )
        .select("made.m", "kept", "sum", "any")
        .withColumnRenamed("m", "made")
    )


# -- structs, maps, JSON -------------------------------------------------------------------


@shape(
    "nested field",
    {"city": "flights.origin.city IDENTITY", "code": "flights.origin.code TRANSFORMATION"},
)
def _(i: Inputs) -> DataFrame:
    return i.flights.select("origin.city", F.lower("origin.code").alias("code"))


@shape(
    "all fields of a struct",
    {"code": "flights.origin.code IDENTITY", "city": "flights.origin.city IDENTITY"},
)
def _(i: Inputs) -> DataFrame:
    return i.flights.select("origin.*")


@shape(
    "a built struct and its fields",
    {
        "pair": "flights.carrier TRANSFORMATION, flights.delay TRANSFORMATION",
        "again": "flights.carrier IDENTITY",
    },
)
def _(i: Inputs) -> DataFrame:
    pair = F.struct(F.col("carrier").alias("c"), (F.col("delay") + 1).alias("d"))
    return i.flights.select(pair.alias("pair")).select("pair", F.col("pair.c").alias("again"))


@shape(
    "a changed struct",
    {"origin": "flights.origin.code TRANSFORMATION, flights.tail TRANSFORMATION"},
    from_text={"origin": "flights.origin TRANSFORMATION, flights.tail TRANSFORMATION"},
)
def _(i: Inputs) -> DataFrame:
    return i.flights.select(
        F.col("origin").withField("tail", F.col("tail")).dropFields("city").alias("origin")
    )


@shape(
    "fields of a changed struct",
    {
        "code": "flights.tail TRANSFORMATION masked",
        "city": "flights.origin.city IDENTITY",
        "new": "flights.carrier IDENTITY",
        "origin": "flights.origin.city TRANSFORMATION, flights.carrier TRANSFORMATION, "
        "flights.tail TRANSFORMATION masked",
    },
    from_text={
        "origin": "flights.origin TRANSFORMATION, flights.carrier TRANSFORMATION, "
        "flights.tail TRANSFORMATION masked",
    },
)
def _(i: Inputs) -> DataFrame:
    changed = F.col("origin").withField("Code", F.sha2("tail", 256))
    changed = changed.withField("new", F.col("carrier")).alias("origin")
    return i.flights.select(changed).select("origin.code", "origin.city", "origin.new", "origin")


@shape(
    "names and keys with a comma",
    {
        "a": "flights.tail IDENTITY",
        "b": "flights.tail TRANSFORMATION masked",
        "c": "flights.tail TRANSFORMATION, flights.carrier TRANSFORMATION",
        "d": "flights.payload IDENTITY",
        "e": "flights.tags TRANSFORMATION",
        "f": "flights.tags TRANSFORMATION",
        "g, h": "flights.origin.code IDENTITY",
    },
)
def _(i: Inputs) -> DataFrame:
    made = F.struct(F.col("tail").alias("x, y"), F.col("carrier").alias("x"))
    made = made.withField("`k (`", F.col("payload")).alias("s")
    s = F.col("s")
    return i.flights.select(made, "tags", "origin").select(
        s["x, y"].alias("a"),
        F.sha2("s.`x, y`", 256).alias("b"),
        F.concat(s["x, y"], F.lit("y"), s["x"], F.lit("y")).alias("c"),
        s["k ("].alias("d"),
        F.col("tags")["a, sha2("].alias("e"),
        F.upper(F.col("tags").getItem("#2) AS b")).alias("f"),
        F.col("origin.code").alias("g, h"),
    )


@shape("collected structs", {"stops": "flights.tail AGGREGATION"})
def _(i: Inputs) -> DataFrame:
    gathered = i.flights.agg(F.collect_list(F.struct("tail", "carrier")).alias("all"))
    return gathered.select(F.col("all.tail").alias("stops"))


@shape(
    "map access",
    {
        "a": "flights.tags TRANSFORMATION",
        "b": "flights.tags TRANSFORMATION, flights.carrier CONDITIONAL",
    },
)
def _(i: Inputs) -> DataFrame:
    return i.sql("select tags['a'] as a, tags[carrier] as b from flights")


@shape(
    "a struct without some fields, of which the others are not named",
    {
        "some": "flights.payload TRANSFORMATION, flights.id CONDITIONAL",
        "first": "flights.payload CONDITIONAL, flights.payload TRANSFORMATION",
    },
)
def _(i: Inputs) -> DataFrame:
    left = F.from_json("payload", "x int, y string").dropFields("x")
    return i.flights.select(
        F.when(F.col("id") > 0, left).getField("y").alias("some"),
        F.coalesce(left, left).getField("y").alias("first"),
    )


@shape(
    "from_json and to_json",
    {"x": "flights.payload TRANSFORMATION", "text": "flights.origin TRANSFORMATION"},
)
def _(i: Inputs) -> DataFrame:
    parsed = F.from_json("payload", "x int, y string").alias("parsed")
    return i.flights.select(parsed, F.to_json("origin").alias("text")).select("parsed.x", "text")


# -- subqueries ----------------------------------------------------------------------------


@shape(
    "common table expression used twice",
    {"id": "flights.id IDENTITY", "carrier": "flights.carrier TRANSFORMATION"},
    rows="flights.delay FILTER, flights.id JOIN",
)
def _(i: Inputs) -> DataFrame:
    return i.sql(
        "with late as (select id, upper(carrier) as carrier from flights where delay > 9)"
        " select a.id, b.carrier from late a join late b on a.id = b.id"
    )


@shape(
    "scalar subquery",
    {"id": "flights.id IDENTITY", "newest": "planes.year AGGREGATION, planes.maker FILTER"},
)
def _(i: Inputs) -> DataFrame:
    return i.sql(
        "select id, (select max(year) from planes where maker = 'BOEING') as newest from flights"
    )


@shape(
    "correlated scalar subquery",
    {"year": "planes.year AGGREGATION, planes.tail FILTER, flights.tail FILTER"},
)
def _(i: Inputs) -> DataFrame:
    return i.sql(
        "select (select max(year) from planes p where p.tail = f.tail) as year from flights f"
    )


@shape(
    "IN subquery",
    {"id": "flights.id IDENTITY"},
    rows="flights.tail FILTER, planes.tail FILTER, planes.year FILTER",
)
def _(i: Inputs) -> DataFrame:
    return i.sql("select id from flights where tail in (select tail from planes where year > 2000)")


@shape(
    "EXISTS subquery", {"id": "flights.id IDENTITY"}, rows="flights.tail FILTER, planes.tail FILTER"
)
def _(i: Inputs) -> DataFrame:
    return i.sql(
        "select id from flights f where exists (select 1 from planes p where p.tail = f.tail)"
    )


@shape(
    "lateral join",
    {"id": "flights.id IDENTITY", "year": "planes.year AGGREGATION"},
    rows="flights.tail FILTER, planes.tail FILTER",
)
def _(i: Inputs) -> DataFrame:
    return i.sql(
        "select id, s.year from flights f"
        " left join lateral (select max(p.year) as year from planes p where p.tail = f.tail) s"
    )


@shape(
    "pipes",
    {"carrier": "flights.carrier IDENTITY", "twice": "flights.delay AGGREGATION"},
    rows="flights.delay FILTER, flights.carrier GROUP_BY, flights.delay SORT",
)
def _(i: Inputs) -> DataFrame:
    return i.sql(
        "from flights |> where delay > 3 |> aggregate sum(delay) as total group by carrier"
        " |> extend total * 2 as twice |> order by total |> drop total"
    )


@shape(
    "recursive common table expression",
    {
        "turn": "",
        "id": "flights.id IDENTITY",
        "name": "flights.carrier IDENTITY, flights.carrier TRANSFORMATION, flights.tail IDENTITY",
    },
    rows="flights.id JOIN, flights.carrier JOIN, flights.tail JOIN",
)
def _(i: Inputs) -> DataFrame:
    return i.sql(
        "with recursive r as (select 1 as turn, id, carrier as name, tail as next from flights"
        " union all select turn + 1, f.id, r.next, upper(f.carrier) from r"
        " join flights f on f.id = r.id and f.carrier = r.next) select turn, id, name from r"
    )


@shape(
    "recursive common table expression with named columns",
    {"n": "flights.id IDENTITY, flights.id TRANSFORMATION", "c": "flights.carrier TRANSFORMATION"},
    rows="flights.id FILTER",
    from_text={"c": ""},
    doubted="c",
)
def _(i: Inputs) -> DataFrame:
    return i.sql(
        "with recursive r(n, c) as (select id, upper(carrier) from flights"
        " union all select n + 1, c from r where n < 5) select n, c from r"
    )


@shape(
    "table function in SQL",
    {"id": "flights.id IDENTITY", "name": "flights.carrier TRANSFORMATION"},
    rows="flights.delay FILTER",
    doubted="name <rows>",
)
def _(i: Inputs) -> DataFrame:
    i.sql("drop temporary function if exists late")
    i.sql(
        "create temporary function late(least int) returns table(name string)"
        " return select carrier || '(late)' from flights where delay > least"
    )
    return i.sql("select f.id, l.name from flights f, lateral late(f.delay) l")


@shape(
    "function in SQL over a subquery",
    {
        "id": "flights.id IDENTITY",
        "newest": "planes.year AGGREGATION, planes.tail FILTER, flights.tail FILTER",
        "other": "flights.delay AGGREGATION",
    },
    from_text={
        "newest": "planes.year AGGREGATION, planes.tail FILTER, flights.tail FILTER, "
        "flights.tail TRANSFORMATION, flights.delay AGGREGATION",
        "other": "planes.year AGGREGATION, planes.tail FILTER, flights.tail FILTER, "
        "flights.delay AGGREGATION",
    },
    doubted="newest other",
)
def _(i: Inputs) -> DataFrame:
    i.sql("drop temporary function if exists newest")
    i.sql(
        "create temporary function newest(of string) returns int"
        " return (select max(year) from planes where tail = of)"
    )
    return i.sql(
        "select id, newest(tail) as newest, (select max(delay) from flights) as other from flights"
    )


@shape(
    "function in SQL without arguments, beside no table",
    {"newest": "planes.year AGGREGATION"},
    doubted="newest",
)
def _(i: Inputs) -> DataFrame:
    i.sql("drop temporary function if exists newest_of_all")
    i.sql(
        "create temporary function newest_of_all() returns int"
        " return (select max(year) from planes)"
    )
    return i.sql("select newest_of_all() as newest")


@shape("no column of a table", {"one": ""}, rows="flights.delay FILTER")
def _(i: Inputs) -> DataFrame:
    return i.flights.where("delay > 5").select().withColumn("one", F.lit(1))


@shape(
    "temporary view",
    {"id": "flights.id IDENTITY"},
    rows="flights.delay FILTER",
    doubted="id <rows>",
)
def _(i: Inputs) -> DataFrame:
    i.flights.where("delay > 5").select("id").createOrReplaceTempView("late_flights")
    return i.sql("select id from late_flights")


# -- masking -------------------------------------------------------------------------------


@shape(
    "hashes and masks",
    {
        "sha2": "flights.tail TRANSFORMATION masked",
        "sha1": "flights.tail TRANSFORMATION masked",
        "md5": "flights.tail TRANSFORMATION masked",
        "crc": "flights.tail TRANSFORMATION masked",
        "hash": "flights.tail TRANSFORMATION masked",
        "xx": "flights.tail TRANSFORMATION masked",
        "mask": "flights.tail TRANSFORMATION masked",
        "others": "flights.tail TRANSFORMATION",
        "open": "flights.tail TRANSFORMATION",
        "regexp": "flights.tail TRANSFORMATION",
        "upper": "flights.tail TRANSFORMATION",
    },
)
def _(i: Inputs) -> DataFrame:
    return i.sql(
        "select sha2(tail, 256) as sha2, sha1(tail) as sha1, md5(tail) as md5,"
        " crc32(tail) as crc, hash(tail) as hash, xxhash64(tail) as xx, mask(tail) as others,"
        " mask(tail, 'X', 'x', 'n', '*') as mask,"
        " mask(tail, null, null, null, null) as open,"
        " regexp_replace(tail, '[0-9]', 'n') as regexp, upper(tail) as upper from flights"
    )


@shape(
    "once masked, always masked",
    {
        "again": "flights.tail TRANSFORMATION masked",
        "both": "flights.tail TRANSFORMATION, flights.tail TRANSFORMATION masked",
        "longest": "flights.tail AGGREGATION masked",
    },
    rows="flights.tail FILTER masked, flights.tail GROUP_BY, flights.tail GROUP_BY masked",
)
def _(i: Inputs) -> DataFrame:
    hidden = i.flights.select(F.sha2("tail", 256).alias("hidden"), "tail").where("hidden > 'c'")
    both = F.concat("hidden", "tail").alias("both")
    named = hidden.select(F.upper(F.col("hidden").alias("h")).alias("again"), both)
    return named.groupBy("again", "both").agg(F.max("again").alias("longest"))


# -- Python functions ----------------------------------------------------------------------


@shape("Python UDF", _only("flights.carrier TRANSFORMATION, flights.tail TRANSFORMATION"))
def _(i: Inputs) -> DataFrame:
    joined = F.udf(lambda a, b: a + b, "string")
    return i.flights.select(joined("carrier", "tail").alias("value"))


@shape("Python UDF called as a hash is", _only("flights.tail TRANSFORMATION"))
def _(i: Inputs) -> DataFrame:
    def md5(text: str) -> str:
        return text

    md5.__annotations__ = {}
    return i.flights.select(F.udf(md5, "string")("tail").alias("value"))


@shape("pandas UDF", _only("flights.delay TRANSFORMATION"))
def _(i: Inputs) -> DataFrame:
    import pandas as pd

    def doubled(delay: pd.Series) -> pd.Series:
        return delay * 2

    # annotations are text under `from __future__ import annotations`
    doubled.__annotations__ = {"delay": pd.Series, "return": pd.Series}
    return i.flights.select(F.pandas_udf(doubled, "int")("delay").alias("value"))  # type: ignore[attr-defined]


@shape(
    "pandas aggregate UDF",
    {"carrier": "flights.carrier IDENTITY", "value": "flights.delay AGGREGATION"},
    rows="flights.carrier GROUP_BY",
)
def _(i: Inputs) -> DataFrame:
    import pandas as pd

    def middle(delay: pd.Series) -> float:
        return float(delay.median())

    middle.__annotations__ = {"delay": pd.Series, "return": float}
    median = F.pandas_udf(middle, "double")  # type: ignore[attr-defined]
    return i.flights.groupBy("carrier").agg(median("delay").alias("value"))


_MAPPED = "flights.id TRANSFORMATION, flights.carrier TRANSFORMATION"
_MAPPED_ROWS = "flights.id FILTER, flights.carrier FILTER"


@shape("mapInPandas", {"x": _MAPPED, "y": _MAPPED}, rows=_MAPPED_ROWS)
def _(i: Inputs) -> DataFrame:
    chosen = i.flights.select("id", "carrier")
    return chosen.mapInPandas(lambda frames: frames, "x long, y string")


@shape(
    "applyInPandas", {"x": _MAPPED, "y": _MAPPED}, rows=_MAPPED_ROWS + ", flights.carrier GROUP_BY"
)
def _(i: Inputs) -> DataFrame:
    grouped = i.flights.select("id", "carrier").groupBy("carrier")
    return grouped.applyInPandas(lambda frame: frame, "x long, y string")


@shape(
    "applyInPandas on a cogroup",
    {
        "x": "flights.tail TRANSFORMATION, flights.id TRANSFORMATION, planes.tail TRANSFORMATION, "
        "planes.year TRANSFORMATION",
    },
    rows="flights.tail FILTER, flights.id FILTER, planes.tail FILTER, planes.year FILTER, " + _KEYS,
)
def _(i: Inputs) -> DataFrame:
    left = i.flights.select("tail", "id").groupBy("tail")
    right = i.planes.select("tail", "year").groupBy("tail")
    return left.cogroup(right).applyInPandas(lambda left, _: left, "x long")


# -- what cannot be known ------------------------------------------------------------------


@shape("rows from the program", {"x": "", "id": "flights.id IDENTITY"}, unknown="x <rows>")
def _(i: Inputs) -> DataFrame:
    return i.spark.createDataFrame([(1,)], "x int").crossJoin(i.flights).select("x", "id")


@shape("rows in SQL", {"x": "", "y": ""})
def _(i: Inputs) -> DataFrame:
    return i.sql(
        "select x, y from values (1), (2) as v(x) cross join (values (current_user())) as w(y)"
    )


@shape("rows of a pandas frame", {"x": ""}, unknown="x <rows>")
def _(i: Inputs) -> DataFrame:
    import pandas as pd

    i.spark.createDataFrame(pd.DataFrame({"x": [1, 2]})).createOrReplaceTempView("held")
    return i.sql("select x from held cross join (values (1))")


@shape("a variable of the session", {"x": "flights.delay TRANSFORMATION"}, unknown="x")
def _(i: Inputs) -> DataFrame:
    i.sql("declare or replace variable least int default 3")
    return i.sql("select delay + least as x from flights")


@shape("a range", {"id": "", "twice": ""})
def _(i: Inputs) -> DataFrame:
    return i.spark.range(5).withColumn("twice", F.col("id") * 2)


@shape(
    "partly unknown",
    _only("flights.carrier TRANSFORMATION"),
    unknown="value <rows>",
    rows="flights.tail JOIN",
)
def _(i: Inputs) -> DataFrame:
    names = i.spark.createDataFrame([("N1", "x")], "tail string, name string")
    joined = i.flights.join(names, "tail")
    return joined.select(F.concat("carrier", "name").alias("value"))
