"""The pages that are made from the code are what the code says now."""

from __future__ import annotations

import pytest

from tests.docs import options, refusals

#: What refuses a definition where it is run, for what can be seen there alone.
AT_THE_RUN = {
    "assets/fault.py",
    "assets/gate.py",
    "assets/resolve.py",
    "assets/threaded_executor.py",
    "privacy/mask.py",
}


@pytest.mark.parametrize("made", [options, refusals], ids=lambda made: made.PAGE.name)
def test_the_page_is_what_the_code_says(made: object) -> None:
    name = made.__name__  # type: ignore[attr-defined]
    current = made.PAGE.read_text(encoding="utf-8")  # type: ignore[attr-defined]
    assert current == made.page(), f"write it anew: python -m {name}"  # type: ignore[attr-defined]


def test_every_file_that_refuses_a_definition_is_on_the_page() -> None:
    listed = {file for files in refusals.PLACES.values() for file in files}
    folder = refusals.ROOT / "penstock"
    found = {
        file.relative_to(folder).as_posix()
        for part in ("schemas", "privacy", "assets")
        for file in (folder / part).rglob("*.py")
        if refusals.refusals(file)
    }
    assert found - AT_THE_RUN == listed
