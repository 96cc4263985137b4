"""What is wanted of each table's files, and what its readers were promised."""

from __future__ import annotations

from penstock.compaction import CompactionPolicy

WEEK_HOURS, MONTH_HOURS = 7 * 24, 30 * 24

DEFAULT = CompactionPolicy(retain_hours=MONTH_HOURS, promised_hours=WEEK_HOURS)

# what is deleted of a person must be gone from the files soon; change feeds need a week
# and each night's merge leaves a small file
PERSONAL = CompactionPolicy(
    min_files=2, deleted_row_share=0.01, retain_hours=WEEK_HOURS, promised_hours=WEEK_HOURS
)

# a model trained again must find the very rows it was trained on
TRAINING = CompactionPolicy(retain_hours=6 * MONTH_HOURS, promised_hours=6 * MONTH_HOURS)

POLICIES = {
    "bronze.bookings": PERSONAL,
    "silver.bookings": PERSONAL,
    "shared.bookings": PERSONAL,
    "features.route_delays": TRAINING,
}
