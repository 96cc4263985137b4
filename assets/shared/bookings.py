"""Bookings for analysts."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from penstock import dataset
from penstock.privacy import Drop, Generalise, MaskingPolicy, Redact, Token
from schemas import shared, silver

MASKING = MaskingPolicy.of(
    {
        "passenger_id": Token("passenger"),
        "email": Token("email"),
        "passport_number": Token("passport"),
        "birth_year": Generalise("year"),
        "remarks": Redact(known=("name", "email", "phone", "passport_number", "passenger_id")),
        "name": Drop(),
        "phone": Drop(),
    }
)


# the whole table each time: a stricter policy must reach the rows that are already shared
@dataset(shared.Bookings, inputs={"bookings": silver.Bookings}, masking=MASKING)
def bookings(bookings: DataFrame) -> DataFrame:
    """Every booking as it stands; Penstock masks the result by the policy."""
    return bookings.withColumn("birth_year", F.col("birth_date")).drop("birth_date")
