from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from penstock.resources.settings import (
    Profile,
    SessionShape,
    java_options,
    session_options,
    settings,
)
from penstock.resources.spark_listener import listener_conf

SHAPE = SessionShape(
    app_name="penstock",
    cores=4,
    driver_memory="2g",
    profile=Profile.STANDARD,
    warehouse=Path("/w"),
    logs=Path("/logs"),
    log_config=Path("/l/log4j2.properties"),
    class_path=(Path("/j/a.jar"), Path("/j/b.jar")),
)


def test_times_are_utc_and_arithmetic_is_ansi() -> None:
    assert settings(SHAPE)["spark.sql.session.timeZone"] == "UTC"
    assert settings(SHAPE)["spark.sql.ansi.enabled"] == "true"


def test_nothing_is_resolved_at_start_up() -> None:
    assert not any("packages" in name for name in settings(SHAPE))
    assert settings(SHAPE)["spark.driver.extraClassPath"] == "/j/a.jar:/j/b.jar"


def test_the_small_profile_compiles_once_and_shuffles_into_one_partition() -> None:
    small = replace(SHAPE, profile=Profile.SMALL)
    assert "-XX:TieredStopAtLevel=1" in java_options(small)
    assert all("-Duser.timezone=UTC" in java_options(shape) for shape in (small, SHAPE))
    assert "TieredStopAtLevel" not in java_options(SHAPE)
    # with C1 alone Java would reserve less than Spark and Delta compile
    assert "-XX:ReservedCodeCacheSize=240m" in java_options(small)
    assert settings(small)["spark.sql.shuffle.partitions"] == "1"
    assert settings(SHAPE)["spark.sql.shuffle.partitions"] == "4"


def test_an_archive_may_not_fit_and_then_is_ignored() -> None:
    options = java_options(replace(SHAPE, archive=Path("/a b/c.jsa")))
    assert '-Xshare:auto "-XX:SharedArchiveFile=/a b/c.jsa"' in options


def test_extra_settings_win_and_fit_a_running_session_too() -> None:
    extra = {"spark.hadoop.fs.s3a.endpoint": "http://e", "spark.sql.shuffle.partitions": "9"}
    assert settings(replace(SHAPE, extra=extra))["spark.sql.shuffle.partitions"] == "9"
    assert session_options(extra)["fs.s3a.endpoint"] == "http://e"


def test_a_listener_is_for_the_start_and_no_setting_of_a_running_session() -> None:
    extra = listener_conf("http://127.0.0.1:3100", "listener.jar")
    started = settings(replace(SHAPE, extra=extra))
    assert started["spark.sql.extensions"] == "io.delta.sql.DeltaSparkSessionExtensionV1"
    assert started["spark.openlineage.transport.url"] == "http://127.0.0.1:3100"
    assert session_options(extra | {"spark.sql.shuffle.partitions": "9"}) == {
        "spark.sql.shuffle.partitions": "9"
    }
