"""Short queries in the shapes of TPC-DS, each with its origins, written down by hand.

An origin is a column and its subtype, with ` masked` behind it if it is: `ss_price AGGREGATION`.
The first letters of a column say its table. `rows` is left out where it would be long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock.lineage.plan.frame_lineage import mark

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import SparkSession

    from penstock.lineage.column_lineage import ColumnLineage, Origin

TABLES = {
    "store_sales": "ss_date int, ss_item int, ss_customer int, ss_store int, ss_ticket int, "
    "ss_quantity int, ss_price double, ss_profit double",
    "web_sales": "ws_date int, ws_item int, ws_customer int, ws_quantity int, ws_price double",
    "store_returns": "sr_date int, sr_item int, sr_customer int, sr_ticket int, sr_amount double",
    "date_dim": "d_key int, d_day date, d_year int, d_month int",
    "item": "i_key int, i_brand string, i_category string, i_class string, i_price double",
    "customer": "c_key int, c_name string, c_address int, c_birth_year int",
    "address": "ca_key int, ca_city string, ca_state string",
    "store": "s_key int, s_name string, s_state string",
}
_TABLE_OF = {columns.partition("_")[0]: name for name, columns in TABLES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    text: str
    fields: Mapping[str, str]
    rows: str | None = None


QUERIES: dict[str, Query] = {}


def query(name: str, text: str, fields: Mapping[str, str], rows: str | None = None) -> None:
    QUERIES[name] = Query(text=text, fields=fields, rows=rows)


def tables(spark: SparkSession) -> None:
    """Every table, empty and marked, as a temporary view of the session."""
    for name, columns in TABLES.items():
        mark(spark.createDataFrame([], columns), name).createOrReplaceTempView(name)


def seen(lineage: ColumnLineage) -> dict[str, object]:
    """The lineage in the notation of this file."""
    return {
        "fields": {name: _written(origins) for name, origins in lineage.fields.items()},
        "rows": _written(lineage.dataset),
        "unknown": [[doubt.column, doubt.reason] for doubt in lineage.unknown],
    }


def stated(query: Query, found: Mapping[str, object]) -> dict[str, object]:
    """What is said of the query; its rows are taken as found where nothing is."""
    return {
        "fields": {name: _sorted(text.split(",")) for name, text in query.fields.items()},
        "rows": found["rows"] if query.rows is None else _sorted(query.rows.split(",")),
        "unknown": [],
    }


def _written(origins: tuple[Origin, ...]) -> str:
    return _sorted([_one(origin) for origin in origins])


def _one(origin: Origin) -> str:
    known = _TABLE_OF[origin.column.partition("_")[0]] == origin.dataset
    named = origin.column if known else f"{origin.dataset}.{origin.column}"
    return f"{named} {origin.subtype}{' masked' * origin.masking}"


def _sorted(parts: list[str]) -> str:
    return ", ".join(sorted(part.strip() for part in parts if part.strip()))


# -- star joins and groups -----------------------------------------------------------------

query(
    "star join",
    """
    SELECT d_year, i_brand, sum(ss_price) AS total
    FROM store_sales JOIN date_dim ON ss_date = d_key JOIN item ON ss_item = i_key
    WHERE i_category = 'Books' AND d_month = 11
    GROUP BY d_year, i_brand ORDER BY d_year, total DESC LIMIT 100
    """,
    {
        "d_year": "d_year IDENTITY",
        "i_brand": "i_brand IDENTITY",
        "total": "ss_price AGGREGATION",
    },
    "ss_date JOIN, d_key JOIN, ss_item JOIN, i_key JOIN, i_category FILTER, d_month FILTER, "
    "d_year GROUP_BY, i_brand GROUP_BY, d_year SORT, ss_price SORT",
)
query(
    "star join with commas",
    """
    SELECT s_name, avg(ss_quantity * ss_price) AS mean, count(*) AS sales
    FROM store_sales, store, date_dim
    WHERE ss_store = s_key AND ss_date = d_key AND d_year = 2001 GROUP BY s_name
    """,
    {
        "s_name": "s_name IDENTITY",
        "mean": "ss_quantity AGGREGATION, ss_price AGGREGATION",
        "sales": "",
    },
    "ss_store FILTER, s_key FILTER, ss_date FILTER, d_key FILTER, d_year FILTER, s_name GROUP_BY",
)
query(
    "snowflake with a role twice",
    """
    SELECT c_name, h.ca_city AS home, count(DISTINCT ss_ticket) AS tickets
    FROM store_sales JOIN customer ON ss_customer = c_key
    JOIN address h ON c_address = h.ca_key
    JOIN date_dim sold ON ss_date = sold.d_key JOIN date_dim other ON other.d_key = sold.d_key
    GROUP BY c_name, h.ca_city
    """,
    {
        "c_name": "c_name IDENTITY",
        "home": "ca_city IDENTITY",
        "tickets": "ss_ticket AGGREGATION masked",
    },
    "ss_customer JOIN, c_key JOIN, c_address JOIN, ca_key JOIN, ss_date JOIN, d_key JOIN, "
    "c_name GROUP_BY, ca_city GROUP_BY",
)
query(
    "group by an expression and by place",
    """
    SELECT substr(i_brand, 1, 2) AS short, i_price > 9 AS dear, max(i_class) AS last
    FROM item GROUP BY 1, 2
    """,
    {
        "short": "i_brand TRANSFORMATION",
        "dear": "i_price TRANSFORMATION",
        "last": "i_class AGGREGATION",
    },
    "i_brand GROUP_BY, i_price GROUP_BY",
)
query(
    "group by all",
    "SELECT i_brand, upper(i_class) AS class, min(i_price) AS least FROM item GROUP BY ALL",
    {
        "i_brand": "i_brand IDENTITY",
        "class": "i_class TRANSFORMATION",
        "least": "i_price AGGREGATION",
    },
    "i_brand GROUP_BY, i_class GROUP_BY",
)
query(
    "having over another aggregate",
    """
    SELECT ss_customer FROM store_sales GROUP BY ss_customer
    HAVING sum(ss_price) > 100 AND count(ss_ticket) BETWEEN 2 AND 5
    """,
    {"ss_customer": "ss_customer IDENTITY"},
    "ss_customer GROUP_BY, ss_price FILTER, ss_ticket FILTER masked",
)
query(
    "distinct aggregates",
    """
    SELECT count(DISTINCT ss_customer) AS customers, sum(DISTINCT ss_price) AS prices,
      count(DISTINCT ss_item, ss_store) AS pairs, approx_count_distinct(ss_item) AS about
    FROM store_sales
    """,
    {
        "customers": "ss_customer AGGREGATION masked",
        "prices": "ss_price AGGREGATION",
        "pairs": "ss_item AGGREGATION masked, ss_store AGGREGATION masked",
        "about": "ss_item AGGREGATION masked",
    },
    "",
)
query(
    "aggregates with FILTER",
    """
    SELECT sum(ss_price) FILTER (WHERE d_month = 1) AS january,
      count(*) FILTER (WHERE ss_quantity > 3) AS many
    FROM store_sales JOIN date_dim ON ss_date = d_key
    """,
    {"january": "ss_price AGGREGATION, d_month FILTER", "many": "ss_quantity FILTER"},
    "ss_date JOIN, d_key JOIN",
)
query(
    "sums of CASE",
    """
    SELECT i_class, sum(CASE WHEN d_month = 1 THEN ss_price ELSE 0 END) AS january,
      sum(if(d_month = 2, ss_price, 0)) / nullif(count(ss_item), 0) AS february
    FROM store_sales JOIN date_dim ON ss_date = d_key JOIN item ON ss_item = i_key
    GROUP BY i_class
    """,
    {
        "i_class": "i_class IDENTITY",
        "january": "ss_price AGGREGATION, d_month CONDITIONAL",
        "february": "ss_price AGGREGATION, d_month CONDITIONAL, ss_item AGGREGATION masked, "
        "ss_item CONDITIONAL masked",
    },
)
query(
    "first, last and picked by order",
    """
    SELECT ss_item, first(ss_store) AS one, max_by(ss_store, ss_date) AS newest,
      collect_set(ss_customer) AS who, percentile_approx(ss_price, 0.5) AS middle
    FROM store_sales GROUP BY ss_item
    """,
    {
        "ss_item": "ss_item IDENTITY",
        "one": "ss_store AGGREGATION",
        "newest": "ss_store AGGREGATION, ss_date SORT",
        "who": "ss_customer AGGREGATION",
        "middle": "ss_price AGGREGATION",
    },
    "ss_item GROUP_BY",
)

# -- grouping sets and pivot ---------------------------------------------------------------

query(
    "rollup with grouping",
    """
    SELECT i_category, i_class, sum(ss_profit) AS profit,
      grouping(i_category) + grouping(i_class) AS level
    FROM store_sales JOIN item ON ss_item = i_key GROUP BY ROLLUP (i_category, i_class)
    """,
    {
        "i_category": "i_category IDENTITY",
        "i_class": "i_class IDENTITY",
        "profit": "ss_profit AGGREGATION",
        "level": "i_category GROUP_BY, i_class GROUP_BY",
    },
    "ss_item JOIN, i_key JOIN, i_category GROUP_BY, i_class GROUP_BY",
)
query(
    "rank within a level of a rollup",
    """
    SELECT i_category, i_class, rank() OVER (
      PARTITION BY grouping(i_category) + grouping(i_class),
        CASE WHEN grouping(i_class) = 0 THEN i_category END ORDER BY sum(ss_profit) DESC) AS place
    FROM store_sales JOIN item ON ss_item = i_key GROUP BY ROLLUP (i_category, i_class)
    """,
    {
        "i_category": "i_category IDENTITY",
        "i_class": "i_class IDENTITY",
        "place": "i_category WINDOW, i_class WINDOW, ss_profit WINDOW",
    },
    "ss_item JOIN, i_key JOIN, i_category GROUP_BY, i_class GROUP_BY",
)
query(
    "cube with grouping_id",
    """
    SELECT i_brand, grouping_id() AS id, grouping_id(i_brand, upper(i_class)) AS same,
      count(i_price) AS prices
    FROM item GROUP BY CUBE (i_brand, upper(i_class))
    """,
    {
        "i_brand": "i_brand IDENTITY",
        "id": "i_brand GROUP_BY, i_class GROUP_BY",
        "same": "i_brand GROUP_BY, i_class GROUP_BY",
        "prices": "i_price AGGREGATION masked",
    },
    "i_brand GROUP_BY, i_class GROUP_BY",
)
query(
    "grouping sets, one of them twice",
    """
    SELECT i_brand, grouping_id() AS id, sum(i_price) AS total FROM item
    GROUP BY GROUPING SETS ((i_brand, i_class), (i_brand), (i_brand))
    """,
    {
        "i_brand": "i_brand IDENTITY",
        "id": "i_brand GROUP_BY, i_class GROUP_BY",
        "total": "i_price AGGREGATION",
    },
    "i_brand GROUP_BY, i_class GROUP_BY",
)
query(
    "grouping sets chosen by grouping",
    """
    SELECT i_brand, i_class, sum(i_price) AS total FROM item
    GROUP BY GROUPING SETS ((i_brand, i_class), (i_brand)) HAVING grouping(i_class) = 1
    """,
    {
        "i_brand": "i_brand IDENTITY",
        "i_class": "i_class IDENTITY",
        "total": "i_price AGGREGATION",
    },
    "i_brand GROUP_BY, i_class GROUP_BY, i_brand FILTER, i_class FILTER",
)
query(
    "pivot",
    """
    SELECT * FROM (SELECT i_class, d_month, ss_price FROM store_sales
      JOIN date_dim ON ss_date = d_key JOIN item ON ss_item = i_key)
    PIVOT (sum(ss_price) FOR d_month IN (1 AS january, 2 AS february))
    """,
    {
        "i_class": "i_class IDENTITY",
        "january": "ss_price AGGREGATION, d_month CONDITIONAL",
        "february": "ss_price AGGREGATION, d_month CONDITIONAL",
    },
    "ss_date JOIN, d_key JOIN, ss_item JOIN, i_key JOIN, i_class GROUP_BY, d_month GROUP_BY",
)
query(
    "pivot of two aggregates over two columns",
    """
    SELECT i_brand, x_s, x_n FROM (SELECT i_brand, i_class, i_category, i_price FROM item)
    PIVOT (sum(i_price) AS s, count(i_price) AS n
      FOR (i_class, i_category) IN (('a', 'b') AS x, ('c', 'd') AS y))
    """,
    {
        "i_brand": "i_brand IDENTITY",
        "x_s": "i_price AGGREGATION, i_class CONDITIONAL, i_category CONDITIONAL",
        "x_n": "i_price AGGREGATION masked, i_class CONDITIONAL, i_category CONDITIONAL",
    },
)
query(
    "unpivot",
    """
    SELECT ss_ticket, what, amount FROM (SELECT ss_ticket, ss_price, ss_profit FROM store_sales)
    UNPIVOT (amount FOR what IN (ss_price, ss_profit))
    """,
    {
        "ss_ticket": "ss_ticket IDENTITY",
        "what": "",
        "amount": "ss_price IDENTITY, ss_profit IDENTITY",
    },
    "ss_price FILTER, ss_profit FILTER",
)

# -- windows -------------------------------------------------------------------------------

query(
    "an aggregate over a window over an aggregate",
    """
    SELECT i_class, sum(ss_price) AS total,
      sum(ss_price) * 100 / sum(sum(ss_price)) OVER (PARTITION BY i_class) AS ratio
    FROM store_sales JOIN item ON ss_item = i_key GROUP BY i_class, i_brand
    """,
    {
        "i_class": "i_class IDENTITY",
        "total": "ss_price AGGREGATION",
        "ratio": "ss_price AGGREGATION, i_class WINDOW",
    },
    "ss_item JOIN, i_key JOIN, i_class GROUP_BY, i_brand GROUP_BY",
)
query(
    "moving mean, lag and lead",
    """
    SELECT d_month, avg(sum(ss_price)) OVER year AS mean,
      lag(sum(ss_price)) OVER (PARTITION BY s_name ORDER BY d_month) AS before
    FROM store_sales JOIN date_dim ON ss_date = d_key JOIN store ON ss_store = s_key
    GROUP BY s_name, d_year, d_month WINDOW year AS (PARTITION BY s_name, d_year)
    """,
    {
        "d_month": "d_month IDENTITY",
        "mean": "ss_price AGGREGATION, s_name WINDOW, d_year WINDOW",
        "before": "ss_price AGGREGATION, s_name WINDOW, d_month WINDOW",
    },
)
query(
    "the newest row of each with QUALIFY",
    """
    SELECT ss_customer, ss_price FROM store_sales
    QUALIFY row_number() OVER (PARTITION BY ss_customer ORDER BY ss_date DESC) = 1
    """,
    {"ss_customer": "ss_customer IDENTITY", "ss_price": "ss_price IDENTITY"},
    "ss_customer FILTER, ss_date FILTER",
)
query(
    "cumulated sums of two channels",
    """
    WITH web AS (SELECT ws_item AS item, ws_date AS day,
        sum(sum(ws_price)) OVER (PARTITION BY ws_item ORDER BY ws_date) AS total
      FROM web_sales GROUP BY ws_item, ws_date),
    shop AS (SELECT ss_item AS item, ss_date AS day,
        sum(sum(ss_price)) OVER (PARTITION BY ss_item ORDER BY ss_date) AS total
      FROM store_sales GROUP BY ss_item, ss_date)
    SELECT coalesce(web.item, shop.item) AS item, greatest(web.total, shop.total) AS most
    FROM web FULL OUTER JOIN shop ON web.item = shop.item AND web.day = shop.day
    """,
    {
        "item": "ws_item TRANSFORMATION, ss_item TRANSFORMATION, ws_item CONDITIONAL",
        "most": "ws_price AGGREGATION, ws_item WINDOW, ws_date WINDOW, "
        "ss_price AGGREGATION, ss_item WINDOW, ss_date WINDOW",
    },
    "ws_item GROUP_BY, ws_date GROUP_BY, ss_item GROUP_BY, ss_date GROUP_BY, "
    "ws_item JOIN, ws_date JOIN, ss_item JOIN, ss_date JOIN",
)

# -- subqueries ----------------------------------------------------------------------------

query(
    "more than the mean of its own kind",
    """
    SELECT i_brand FROM item i
    WHERE i_price > 1.2 * (SELECT avg(j.i_price) FROM item j WHERE j.i_category = i.i_category)
    """,
    {"i_brand": "i_brand IDENTITY"},
    "i_price FILTER, i_category FILTER",
)
query(
    "EXISTS and NOT EXISTS",
    """
    SELECT c_name FROM customer
    WHERE EXISTS (SELECT * FROM store_sales JOIN date_dim ON ss_date = d_key
                  WHERE ss_customer = c_key AND d_year = 2002)
      AND NOT EXISTS (SELECT 1 FROM web_sales WHERE ws_customer = c_key)
    """,
    {"c_name": "c_name IDENTITY"},
    "ss_date FILTER, d_key FILTER, ss_customer FILTER, c_key FILTER, d_year FILTER, "
    "ws_customer FILTER",
)
query(
    "IN and NOT IN",
    """
    SELECT i_brand FROM item WHERE i_key IN (SELECT ss_item FROM store_sales WHERE ss_price > 9)
      AND (i_key, i_class) NOT IN (SELECT ws_item, 'x' FROM web_sales)
    """,
    {"i_brand": "i_brand IDENTITY"},
    "i_key FILTER, ss_item FILTER, ss_price FILTER, i_class FILTER, ws_item FILTER",
)
query(
    "scalar subqueries chosen by a CASE",
    """
    SELECT CASE WHEN (SELECT count(*) FROM store_sales WHERE ss_quantity < 9) > 3
      THEN (SELECT avg(ss_price) FROM store_sales) ELSE (SELECT avg(ws_price) FROM web_sales)
      END AS bucket
    FROM store WHERE s_key = 1
    """,
    {"bucket": "ss_quantity CONDITIONAL, ss_price AGGREGATION, ws_price AGGREGATION"},
    "s_key FILTER",
)
query(
    "a subquery in FROM with a correlated one in SELECT",
    """
    SELECT name, (SELECT max(ws_price) FROM web_sales WHERE ws_customer = k) AS best
    FROM (SELECT c_key AS k, upper(c_name) AS name FROM customer) AS c
    """,
    {
        "name": "c_name TRANSFORMATION",
        "best": "ws_price AGGREGATION, ws_customer FILTER, c_key FILTER",
    },
    "",
)
query(
    "lateral subquery of the best three",
    """
    SELECT i_category, t.ss_ticket, t.total FROM item,
    LATERAL (SELECT ss_ticket, ss_price * ss_quantity AS total FROM store_sales
             WHERE ss_item = i_key ORDER BY ss_price DESC LIMIT 3) AS t
    """,
    {
        "i_category": "i_category IDENTITY",
        "ss_ticket": "ss_ticket IDENTITY",
        "total": "ss_price TRANSFORMATION, ss_quantity TRANSFORMATION",
    },
    "ss_item FILTER, i_key FILTER, ss_price SORT",
)
query(
    "semi and anti join",
    """
    SELECT c_name FROM customer LEFT SEMI JOIN store_sales ON c_key = ss_customer
    LEFT ANTI JOIN (SELECT ws_customer FROM web_sales WHERE ws_quantity > 2) ON c_key = ws_customer
    """,
    {"c_name": "c_name IDENTITY"},
    "c_key JOIN, ss_customer JOIN, ws_customer JOIN, ws_quantity FILTER",
)

# -- common table expressions --------------------------------------------------------------

query(
    "a common table expression against itself",
    """
    WITH year_total AS (
      SELECT c_key AS customer, d_year AS year, sum(ss_price) AS total
      FROM customer JOIN store_sales ON c_key = ss_customer JOIN date_dim ON ss_date = d_key
      GROUP BY c_key, d_year)
    SELECT a.customer, b.total / a.total AS growth
    FROM year_total a JOIN year_total b ON a.customer = b.customer
    WHERE a.year = 2001 AND b.year = 2002
    """,
    {"customer": "c_key IDENTITY", "growth": "ss_price AGGREGATION"},
    "c_key JOIN, ss_customer JOIN, ss_date JOIN, d_key JOIN, c_key GROUP_BY, d_year GROUP_BY, "
    "d_year FILTER",
)
query(
    "returns above the mean of their store, by nested common table expressions",
    """
    WITH returned AS (SELECT sr_customer AS customer, sum(sr_amount) AS total
                      FROM store_returns GROUP BY sr_customer),
    mean AS (SELECT avg(total) * 1.2 AS bound FROM returned)
    SELECT c_name, md5(c_name) AS hidden FROM returned JOIN customer ON customer = c_key, mean
    WHERE total > bound
    """,
    {"c_name": "c_name IDENTITY", "hidden": "c_name TRANSFORMATION masked"},
    "sr_customer GROUP_BY, sr_customer JOIN, c_key JOIN, sr_amount FILTER",
)
query(
    "recursive years",
    """
    WITH RECURSIVE years(year, label) AS (
      SELECT d_year, 'first' FROM date_dim
      UNION ALL SELECT year + 1, concat(label, '+') FROM years WHERE year < 2010)
    SELECT year, label, i_brand FROM years JOIN item ON i_key = year
    """,
    {"year": "d_year IDENTITY, d_year TRANSFORMATION", "label": "", "i_brand": "i_brand IDENTITY"},
    "d_year FILTER, d_year JOIN, i_key JOIN",
)

# -- set operations ------------------------------------------------------------------------

query(
    "three channels in one",
    """
    SELECT channel, item, sum(amount) AS amount FROM (
      SELECT 'store' AS channel, ss_item AS item, ss_price AS amount FROM store_sales
      UNION ALL SELECT 'web', ws_item, ws_price * ws_quantity FROM web_sales
      UNION ALL SELECT 'returned', sr_item, -sr_amount FROM store_returns)
    GROUP BY channel, item
    """,
    {
        "channel": "",
        "item": "ss_item IDENTITY, ws_item IDENTITY, sr_item IDENTITY",
        "amount": "ss_price AGGREGATION, ws_price AGGREGATION, ws_quantity AGGREGATION, "
        "sr_amount AGGREGATION",
    },
    "ss_item GROUP_BY, ws_item GROUP_BY, sr_item GROUP_BY",
)
query(
    "union without repeats",
    "SELECT c_key AS k FROM customer UNION SELECT ws_customer FROM web_sales",
    {"k": "c_key IDENTITY, ws_customer IDENTITY"},
    "c_key GROUP_BY, ws_customer GROUP_BY",
)
query(
    "intersect and except",
    """
    SELECT count(*) AS customers FROM (
      SELECT ss_customer FROM store_sales INTERSECT SELECT ws_customer FROM web_sales
      EXCEPT SELECT sr_customer FROM store_returns)
    """,
    {"customers": ""},
    "ss_customer JOIN, ws_customer JOIN, sr_customer JOIN",
)
query(
    "except all",
    "SELECT ss_item AS item FROM store_sales EXCEPT ALL SELECT sr_item FROM store_returns",
    {"item": "ss_item IDENTITY"},
    "ss_item JOIN, sr_item JOIN",
)

# -- joins of facts ------------------------------------------------------------------------

query(
    "full outer join with coalesce",
    """
    SELECT coalesce(ss_customer, ws_customer) AS who, coalesce(ss_price, 0) AS paid,
      ss_price IS NOT NULL AND ws_price IS NULL AS only_store
    FROM store_sales FULL OUTER JOIN web_sales ON ss_customer = ws_customer AND ss_item = ws_item
    """,
    {
        "who": "ss_customer TRANSFORMATION, ss_customer CONDITIONAL, ws_customer TRANSFORMATION",
        "paid": "ss_price TRANSFORMATION, ss_price CONDITIONAL",
        "only_store": "ss_price TRANSFORMATION, ws_price TRANSFORMATION",
    },
    "ss_customer JOIN, ws_customer JOIN, ss_item JOIN, ws_item JOIN",
)
query(
    "sales less their returns",
    """
    SELECT ss_item, sum(ss_price - nvl(sr_amount, 0)) AS net FROM store_sales
    LEFT JOIN store_returns ON ss_ticket = sr_ticket AND ss_item = sr_item
    WHERE sr_date IS NULL OR sr_date > ss_date GROUP BY ss_item
    """,
    {
        "ss_item": "ss_item IDENTITY",
        "net": "ss_price AGGREGATION, sr_amount AGGREGATION, sr_amount CONDITIONAL",
    },
    "ss_ticket JOIN, sr_ticket JOIN, ss_item JOIN, sr_item JOIN, sr_date FILTER, ss_date FILTER, "
    "ss_item GROUP_BY",
)
query(
    "join by a range with a lookup in VALUES",
    """
    SELECT i_brand, band, rate * i_price AS tax FROM item
    JOIN (VALUES (0, 9, 'low', 0.1), (9, 99, 'high', 0.2)) AS b(least, most, band, rate)
    ON i_price >= least AND i_price < most
    """,
    {"i_brand": "i_brand IDENTITY", "band": "", "tax": "i_price TRANSFORMATION"},
    "i_price JOIN",
)
query(
    "a field of a CASE of structs",
    """
    SELECT chosen.name AS name, chosen.place AS place FROM (
      SELECT CASE WHEN c_birth_year > 1990 THEN struct(c_name AS name, ca_city AS place)
        ELSE struct(upper(c_name) AS name, ca_state AS place) END AS chosen
      FROM customer JOIN address ON c_address = ca_key)
    """,
    {
        "name": "c_name TRANSFORMATION, c_birth_year CONDITIONAL",
        "place": "ca_city TRANSFORMATION, ca_state TRANSFORMATION, c_birth_year CONDITIONAL",
    },
    "c_address JOIN, ca_key JOIN",
)
query(
    "the best as a struct",
    """
    SELECT ss_item, best.price, best.ticket FROM (
      SELECT ss_item, max(struct(ss_price AS price, ss_ticket AS ticket)) AS best
      FROM store_sales GROUP BY ss_item)
    """,
    {
        "ss_item": "ss_item IDENTITY",
        "price": "ss_price AGGREGATION",
        "ticket": "ss_ticket AGGREGATION",
    },
    "ss_item GROUP_BY",
)
query(
    "pipes",
    """
    FROM store_sales |> JOIN item ON ss_item = i_key |> WHERE ss_quantity > 1
    |> AGGREGATE sum(ss_price) AS total GROUP BY i_brand |> EXTEND total * 2 AS twice
    |> SET total = total + 1 |> ORDER BY twice |> SELECT i_brand, total, twice
    """,
    {
        "i_brand": "i_brand IDENTITY",
        "total": "ss_price AGGREGATION",
        "twice": "ss_price AGGREGATION",
    },
    "ss_item JOIN, i_key JOIN, ss_quantity FILTER, i_brand GROUP_BY, ss_price SORT",
)
