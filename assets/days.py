"""The days the deployment's daily datasets are cut into: those the source has."""

from __future__ import annotations

from datetime import date

from penstock import Daily

FIRST, AFTER_LAST = date(2013, 1, 1), date(2014, 1, 1)

FLIGHT_DAYS = Daily(column="flight_date", start=FIRST, end=AFTER_LAST)
OBSERVATION_DAYS = Daily(column="observation_date", start=FIRST, end=AFTER_LAST)
