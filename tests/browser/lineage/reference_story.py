"""What the ledger of a deployment with landing, bronze, silver, gold and shared layers is told.

The reference deployment's shape, without Spark: bookings with personal data, flights, a share that
masks, two ways in which masking is missed, a run that failed, and a lineage that changed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from penstock.schemas.model import CheckModel, ColumnModel, ContractModel, Pii, Severity
from tests.ledger.told_events import AT, FACET, dataset, identity, lineage, run_event, symlinks

if TYPE_CHECKING:
    from collections.abc import Iterator

SPACE = "file"
PENSTOCK = "penstock"
OWNER = "Bookings team"
HOSTILE = "<script>alert(1)</script>"
HOSTILE_COLUMN = '"><img src=x onerror=alert(2)>'
UNKNOWN_FACET = "acme_thermometer"
ERROR = "silver.bookings: column email is of type binary, and the contract 2.0.0 says string"
REPOSITORY = "https://git.example.com/penstock"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
PARENT = identity("nightly")
SILVER_RUNS = tuple(identity(f"silver.bookings {number}") for number in (1, 2, 3))
# minutes after the story's beginning
SECOND_DAY = 1440
# when it is looked at, by the clock of the server that was told it
NOW = AT + timedelta(days=4, hours=10, minutes=39, seconds=45)

_TYPES = {
    "amount": "decimal(10,2)",
    "delay_minutes": "int",
    "arrival_delay": "int",
    "departure_delay": "int",
    "delayed_share": "double",
    "day": "date",
}
_UNITS = {"amount": "EUR", "delayed_share": "fraction", "delay_minutes": "minutes"}


def id_of(label: str) -> str:
    """The API's id of a dataset of the lake."""
    return f"{SPACE}|{_path(label)}"


def story() -> list[dict[str, Any]]:
    """All events, in the order in which they happened."""
    return [*_first_day(), *_second_day()]


def contracts() -> tuple[ContractModel, ...]:
    """Two versions of silver.bookings, cleared for e-mail; shared.bookings, cleared for none."""
    fare = CheckModel(
        id="amount:ge",
        column="amount",
        name="greater_than_or_equal_to",
        arguments={"min_value": 0},
        sql="amount >= 0",
    )
    first = ContractModel(
        name="silver.bookings",
        version="1.0.0",
        owner=OWNER,
        description="One row a booking.",
        columns=(
            ColumnModel(name="booking_id", type="string", key=True),
            ColumnModel(name="email", type="string", pii=Pii.EMAIL),
            ColumnModel(name="amount", type="decimal(10,2)", unit="EUR"),
            ColumnModel(name="channel", type="string"),
        ),
        checks=(fare,),
        freshness=timedelta(days=1),
        cleared=frozenset({Pii.EMAIL, Pii.NAME, Pii.PHONE}),
    )
    columns = (
        *(column for column in first.columns if column.name != "channel"),
        ColumnModel(name="phone", type="string", nullable=True, pii=Pii.PHONE),
    )
    late = replace(fare, id="amount:lt", name="less_than", sql="amount < 100000")
    second = replace(
        first,
        version="2.0.0",
        columns=columns,
        checks=(fare, replace(late, severity=Severity.WARN)),
        retention=timedelta(days=30),
    )
    shared = ContractModel(
        name="shared.bookings",
        version="1.0.0",
        owner="Partners",
        description="What partners may see.",
        columns=(
            ColumnModel(name="booking_id", type="string", key=True),
            ColumnModel(name="email", type="string", pii=Pii.EMAIL, masked=True),
        ),
    )
    return first, second, shared


def many(count: int) -> list[dict[str, Any]]:
    """A tree of `count` datasets in layers: each is made of one and read by up to three."""
    return [
        run_event(
            "COMPLETE",
            number / 100,
            f"job_{number}",
            inputs=(_table((number - 1) // 3),),
            outputs=(_table(number),),
        )
        for number in range(1, count)
    ]


def _table(number: int) -> str:
    parent, depth = number, 0
    while parent > 0:
        parent, depth = (parent - 1) // 3, depth + 1
    return f"layer_{depth}.table_{number}"


def _first_day() -> Iterator[dict[str, Any]]:
    yield from _run("bronze.bookings", 10, inputs=(_landed("bookings"),), outputs=(_bronze(),))
    yield from _run(
        "bronze.flights",
        12,
        inputs=(_landed("flights"),),
        outputs=(
            _told(
                "bronze.flights",
                ("flight_id", "day", "arrival_delay", "departure_delay"),
                lineage(
                    *(
                        f"{_path('landing.flights')}.{name} > {name}"
                        for name in ("flight_id", "day", "arrival_delay", "departure_delay")
                    )
                ),
            ),
        ),
    )
    yield from _silver_bookings(20, 1)
    yield from _silver_flights(22, "arrival_delay", "1")
    yield from _punctuality(30, "1")
    yield from _shared(40)


def _second_day() -> Iterator[dict[str, Any]]:
    yield from _silver_bookings(SECOND_DAY + 20, 2)
    # what the delay is made of has changed
    yield from _silver_flights(SECOND_DAY + 22, "departure_delay", "2")
    yield from _punctuality(SECOND_DAY + 30, "2")
    yield from _run(
        "gold.contacts",
        SECOND_DAY + 32,
        inputs=("silver.bookings",),
        outputs=(
            _told(
                "gold.contacts",
                ("mail", "phone"),
                lineage(
                    f"{_path('silver.bookings')}.email > mail",
                    f"{_path('silver.bookings')}.phone > phone",
                ),
                tags=_tags(phone={"pii": "phone", "masked": "true"}),
            ),
        ),
    )
    yield from _run(
        "export",
        SECOND_DAY + 50,
        inputs=("shared.bookings",),
        outputs=(
            dataset(
                HOSTILE,
                namespace="kafka://broker:9092",
                schema={"fields": [{"name": HOSTILE_COLUMN, "type": HOSTILE}]},
                documentation={"description": f"Read by {HOSTILE} and others."},
                ownership={"owners": [{"name": HOSTILE}]},
                columnLineage=lineage(f"{_path('shared.bookings')}.email > {HOSTILE}"),
            ),
        ),
    )
    yield from _silver_bookings(SECOND_DAY + 60, 3, end="FAIL")


def _landed(name: str) -> dict[str, Any]:
    columns = {
        "bookings": ("booking_id", "email", "phone", "name", "amount", "status"),
        "flights": ("flight_id", "day", "arrival_delay", "departure_delay"),
    }[name]
    return _told(f"landing.{name}", columns)


def _bronze() -> dict[str, Any]:
    columns = ("booking_id", "email", "phone", "name", "amount", "status")
    source = _path("landing.bookings")
    return _told(
        "bronze.bookings",
        columns,
        lineage(*(f"{source}.{name} > {name}" for name in columns)),
        tags=_tags(email={"pii": "email"}, phone={"pii": "phone"}, name={"pii": "name"}),
        **{UNKNOWN_FACET: {"celsius": 21, "note": "nobody here knows this facet"}},
    )


def _silver_bookings(minutes: float, number: int, end: str = "COMPLETE") -> list[dict[str, Any]]:
    source = _path("bronze.bookings")
    columns = ("booking_id", "email", "phone", "amount")
    failed = end == "FAIL"
    told = {
        "dataset": "silver.bookings",
        "attempt": 1,
        "slice": "2013-02-08",
        "dagsterRunId": PARENT,
        "codeVersion": f"code-{number}",
        "contractName": "silver.bookings",
        "contractVersion": f"{min(number, 2)}.0.0",
        "rowsIn": 1000,
        "rowsCommitted": None if failed else 1000 - number,
        "rowsQuarantined": None if failed else number,
    }
    job = {"namespace": PENSTOCK, "name": "nightly"}
    facets: dict[str, Any] = {
        "penstock_run": {key: value for key, value in told.items() if value is not None},
        "parent": {"run": {"runId": PARENT}, "job": job},
    }
    if failed:
        facets["errorMessage"] = {"message": ERROR, "programmingLanguage": "python"}
    checks = [
        {"assertion": "amount:ge", "column": "amount", "success": True, "severity": "error"},
        {
            "assertion": "amount:lt",
            "column": "amount",
            "success": number == 1,
            "severity": "warn",
            "params": {"failedRows": number},
        },
    ]
    made = _told(
        "silver.bookings",
        columns,
        lineage(*(f"{source}.{name} > {name}" for name in columns), rows=(f"{source}.status",)),
        tags=_tags(booking_id={"key": "true"}, email={"pii": "email"}, phone={"pii": "phone"}),
        ownership={"owners": [{"name": OWNER, "type": "OWNER"}]},
        documentation={"description": "One row a booking."},
        version={"datasetVersion": str(number)},
        dataQualityAssertions={"assertions": checks},
    )
    if failed:
        del made["facets"]["dataQualityAssertions"], made["facets"]["version"]
    else:
        made["outputFacets"] = {
            "outputStatistics": {**FACET, "rowCount": 1000 - number, "size": 4096, "fileCount": 2}
        }
    read = _told("bronze.bookings", (), version={"datasetVersion": str(10 + number)})
    events = _run(
        "silver.bookings",
        minutes,
        run=f"silver.bookings {number}",
        inputs=(read,),
        outputs=(made,),
        run_facets=facets,
        end=end,
    )
    place = {
        "type": "git",
        "url": f"{REPOSITORY}/blob/{COMMIT}/assets/silver/bookings.py#L7",
        "repoUrl": REPOSITORY,
        "path": "assets/silver/bookings.py",
        "version": COMMIT,
    }
    kind = {"processingType": "BATCH", "integration": "PENSTOCK", "jobType": "MATERIALIZE"}
    for event in events:
        event["job"]["facets"] = {
            "sourceCodeLocation": {**FACET, **place},
            "jobType": {**FACET, **kind},
        }
    return events


def _silver_flights(minutes: float, delay: str, run: str) -> list[dict[str, Any]]:
    source = _path("bronze.flights")
    made = lineage(
        f"{source}.flight_id > flight_id",
        f"{source}.day > day",
        f"{source}.{delay} > delay_minutes",
    )
    columns = ("flight_id", "day", "delay_minutes")
    return _run(
        "silver.flights",
        minutes,
        run=f"silver.flights {run}",
        inputs=("bronze.flights",),
        outputs=(_told("silver.flights", columns, made),),
    )


def _punctuality(minutes: float, run: str) -> list[dict[str, Any]]:
    source = _path("silver.flights")
    made = lineage(
        f"{source}.day > day",
        f"{source}.delay_minutes > delayed_share",
        rows=(f"{source}.flight_id",),
    )
    return _run(
        "gold.daily_punctuality",
        minutes,
        run=f"gold.daily_punctuality {run}",
        inputs=("silver.flights",),
        outputs=(_told("gold.daily_punctuality", ("day", "delayed_share"), made),),
    )


def _shared(minutes: float) -> list[dict[str, Any]]:
    source = _path("silver.bookings")
    made = _told(
        "shared.bookings",
        ("booking_id", "email"),
        lineage(
            f"{source}.booking_id > booking_id",
            f"{source}.email ~ email",
            rows=(f"{source}.amount",),
        ),
        tags=_tags(email={"pii": "email", "masked": "true"}),
        ownership={"owners": [{"name": "Partners", "type": "OWNER"}]},
    )
    return _run("shared.bookings", minutes, inputs=("silver.bookings",), outputs=(made,))


def _run(
    job: str,
    minutes: float,
    *,
    inputs: tuple[Any, ...],
    outputs: tuple[Any, ...],
    run: str | None = None,
    run_facets: dict[str, Any] | None = None,
    end: str = "COMPLETE",
) -> list[dict[str, Any]]:
    read = tuple(_told(item, ()) if isinstance(item, str) else item for item in inputs)
    both: dict[str, Any] = {"run": run or job, "namespace": PENSTOCK, "run_facets": run_facets}
    return [
        run_event("START", minutes, job, inputs=read, outputs=outputs, **both),
        run_event(end, minutes + 1, job, inputs=read, outputs=outputs, **both),
    ]


def _told(
    label: str, columns: tuple[str, ...], made: dict[str, Any] | None = None, **facets: Any
) -> dict[str, Any]:
    """A dataset of the lake by its asset key; a name with dots tells its layer."""
    if columns:
        facets["schema"] = {
            "fields": [{"name": name, "type": _TYPES.get(name, "string")} for name in columns]
        }
        units = [
            {"key": "unit", "value": _UNITS[name], "field": name, "source": "CONTRACT"}
            for name in columns
            if name in _UNITS
        ]
        tags = [*facets.get("tags", {}).get("tags", ()), *units]
        if tags:
            facets["tags"] = {"tags": tags}
    if made:
        facets["columnLineage"] = made
    return dataset(_path(label), namespace=SPACE, symlinks=symlinks((PENSTOCK, label)), **facets)


def _tags(**columns: dict[str, str]) -> dict[str, Any]:
    return {
        "tags": [
            {"key": key, "value": value, "field": column, "source": "CONTRACT"}
            for column, told in columns.items()
            for key, value in told.items()
        ]
    }


def _path(label: str) -> str:
    return "/lake/" + label.replace(".", "/")
