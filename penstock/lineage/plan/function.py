"""What Spark's expressions do to lineage, by name.

Names are in lower case: the class name, as in plan JSON, and the function name, as in plan text,
where the two differ. An expression that is not listed and has children is taken to transform all
of them; one that is not listed and has none is not understood.
"""

from __future__ import annotations

__all__ = [
    "AGGREGATES",
    "AGGREGATES_KEEPING_VALUES",
    "ELEMENT_PICKS",
    "FOLDS",
    "MASKING",
    "NO_ORIGIN",
    "PICKED_BY_ORDER",
    "RANKS",
    "SAME_VALUE",
    "VALUES_OF_ROWS",
]

# fmt: off
# The value is the child's, unchanged.
SAME_VALUE = frozenset(
    [
        "transparent", "alias", "outerreference", "outer", "sortorder", "knownnotnull",
        "knownnullable", "knownnotcontainsnull", "knownfloatingpointnormalized",
        "normalizenanandzero", "assertnotnull", "tempresolvedcolumn", "resolvedcolumn",
        "collate", "checkoverflow", "promoteprecision", "lateralcolumnaliasreference",
        "namedargumentexpression",
    ]
)

# Leaves that no input column takes part in.
NO_ORIGIN = frozenset(
    [
        "literal", "currenttimestamp", "current_timestamp", "now", "currentdate",
        "current_date", "curdate", "currenttime", "current_time", "localtimestamp",
        "currenttimezone", "current_timezone", "currentuser", "current_user", "currentdatabase",
        "current_database", "currentcatalog", "current_catalog", "currentlike", "uuid", "rand",
        "randn", "randstr", "uniform", "monotonicallyincreasingid",
        "monotonically_increasing_id", "sparkpartitionid", "spark_partition_id",
        "inputfilename", "input_file_name", "inputfileblockstart", "input_file_block_start",
        "inputfileblocklength", "input_file_block_length", "sparkversion", "version", "pi",
        "eulernumber", "e", "groupingid", "grouping_id", "rownumber", "row_number", "ntile",
        "denserank", "dense_rank", "rank", "percentrank", "percent_rank", "cumedist",
        "cume_dist", "emptyrow", "count", "unixtimestamp", "unix_timestamp", "createarray",
        "array", "createmap", "map", "createnamedstruct", "named_struct", "struct", "dropfield",
        "specifiedwindowframe", "unspecifiedframe$", "concat", "coalesce",
        "windowspecdefinition",
    ]
)

# OpenLineage's convention: hashes, masks and counts do not let the value through. Encryption is
# not here, because decrypting later in the same plan would undo it; nor is regexp_replace.
MASKING = frozenset(
    [
        "sha", "sha1", "sha2", "md5", "crc32", "hash", "murmur3hash", "xxhash64", "hivehash",
        "hive-hash", "count", "countif", "count_if", "countdistinct", "approx_count_distinct",
        "approxcountdistinct", "hyperloglogplusplus", "regr_count", "regrcount",
    ]
)

AGGREGATES = frozenset(
    [
        "any", "any_value", "approx_count_distinct", "approx_percentile", "approx_top_k",
        "array_agg", "avg", "bit_and", "bit_or", "bit_xor", "bitmap_and_agg",
        "bitmap_construct_agg", "bitmap_or_agg", "bool_and", "bool_or", "collect_list",
        "collect_set", "corr", "count", "count_if", "count_min_sketch", "covar_pop",
        "covar_samp", "every", "first", "first_value", "histogram_numeric", "hll_sketch_agg",
        "hll_union_agg", "kurtosis", "last", "last_value", "listagg", "max", "max_by", "mean",
        "measure", "median", "min", "min_by", "mode", "percentile", "percentile_approx",
        "percentile_cont", "percentile_disc", "pivotfirst", "product", "regr_avgx", "regr_avgy",
        "regr_count", "regr_intercept", "regr_r2", "regr_slope", "regr_sxx", "regr_sxy",
        "regr_syy", "schema_of_variant_agg", "skewness", "some", "std", "stddev", "stddev_pop",
        "stddev_samp", "string_agg", "sum", "theta_sketch_agg", "try_avg", "try_sum", "var_pop",
        "var_samp", "variance", "kll_sketch_agg_bigint", "kll_sketch_agg_double",
        "kll_sketch_agg_float",
    ]
)

# Aggregates and window functions whose result is some of the values themselves.
AGGREGATES_KEEPING_VALUES = frozenset(
    [
        "collect_list", "collectlist", "collect_set", "collectset", "array_agg", "arrayagg",
        "first", "first_value", "firstvalue", "last", "last_value", "lastvalue", "any_value",
        "anyvalue", "max", "min", "mode", "max_by", "maxby", "min_by", "minby",
    ]
)
PICKED_BY_ORDER = frozenset(["max_by", "maxby", "min_by", "minby"])
VALUES_OF_ROWS = frozenset(["lag", "lead", "nth_value", "nthvalue"])

# Window functions whose children repeat the ORDER BY.
RANKS = frozenset(
    [
        "rank", "dense_rank", "denserank", "percent_rank", "percentrank", "cume_dist",
        "cumedist", "ntile",
    ]
)

# The value is an element of the first child (or its children), chosen by the others.
ELEMENT_PICKS = frozenset(
    [
        "getarrayitem", "getmapvalue", "element_at", "elementat", "try_element_at", "get",
        "slice", "array_max", "arraymax", "array_min", "arraymin", "map_values", "mapvalues",
        "reverse", "shuffle", "array_distinct", "arraydistinct", "array_compact",
        "arraycompact", "flatten",
    ]
)
FOLDS = frozenset(["aggregate", "arrayaggregate", "reduce"])
# fmt: on
