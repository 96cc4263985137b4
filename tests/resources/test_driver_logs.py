"""Logs of drivers: the newest are kept, whoever else starts and tidies at the same time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from penstock.resources import driver

if TYPE_CHECKING:
    from pathlib import Path


def test_a_log_that_another_driver_has_just_removed_stops_nobody(tmp_path: Path) -> None:
    for number in range(30):
        log = tmp_path / f"spark-driver-{number}x.log"
        log.write_bytes(b"")
        os.utime(log, (number, number))
    # listed, and gone when it is looked at
    gone = tmp_path / "spark-driver-gone.log"
    gone.symlink_to(tmp_path / "nowhere")
    mine = driver._new_log(tmp_path)
    kept = {file.name for file in tmp_path.iterdir()}
    assert kept == {mine.name, *(f"spark-driver-{number}x.log" for number in range(11, 30))}
