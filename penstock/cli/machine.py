"""`penstock jars`, `doctor` and `version`: what this machine has."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from penstock.cli.command import Call, command
from penstock.errors import PenstockError, SetupError

if TYPE_CHECKING:
    from penstock.operations.doctor import Examined

__all__ = ["register"]

_PACKAGES = ("penstock", "pyspark", "delta-spark", "dagster", "pandera", "openlineage-python")
_WEB_PORT = 3000


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    command(app, "jars", example="penstock jars --resolve")(jars)
    command(app, "doctor", example="penstock doctor --json")(doctor)
    command(app, "version", example="penstock version --json")(show_version)


def jars(
    call: Call,
    *,
    resolve: Annotated[
        bool, typer.Option("--resolve", help="Fetch what is missing; make the class archive.")
    ] = False,
) -> int:
    """The Spark and Delta jars against their committed SHA-256 sums; 3 when one is not right."""
    from penstock.resources.home import home
    from penstock.resources.jars import load_lock, verify

    folder = home() / "jars"
    if resolve:
        from penstock.resources.prepare import prepare

        prepare(folder, call.err)
    with call.busy("Summing the jars"):
        wrong = {p.jar.file: p.damage.value for p in verify(folder)}
    rows = [
        {"file": j.file, "coordinate": j.coordinate, "set": j.jar_set.value, "sha256": j.sha256}
        | {"state": wrong.get(j.file, "intact")}
        for j in load_lock().jars
    ]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("jar", "set", "state"):
        table.add_column(heading)
    for row in rows:
        style = "green" if row["state"] == "intact" else "red"
        table.add_row(row["coordinate"], row["set"], Text(row["state"], style=style))
    total = f"{len(rows) - len(wrong)} of {len(rows)} intact in {folder}"
    mend = [Text("next: penstock jars --resolve", style="green")] if wrong else []
    document = {"folder": str(folder), "intact": not wrong, "jars": rows}
    call.answer(document, table, Text(total, style="bold"), *mend)
    return SetupError.exit_code if wrong else 0


def doctor(call: Call) -> int:
    """What this machine lacks, each with the one command that mends it; 3 when something does."""
    from penstock.operations.doctor import Finding, diagnose

    findings = []
    with call.busy("Looking at this machine"):
        try:
            examined = _examined(call)
            findings.append(Finding(what="deployment", ok=True, detail="imports"))
        except PenstockError as error:
            examined = None
            detail = f"{error.what}: {error.found or error.where}"
            mend = error.next_step
            findings.append(Finding(what="deployment", ok=False, detail=detail, mend=mend))
        findings = [*diagnose(examined), *findings]
    ok = all(finding.ok for finding in findings)
    document = {
        "ok": ok,
        "findings": [
            {"what": f.what, "ok": f.ok, "detail": f.detail, "mend": None if f.ok else f.mend}
            for f in findings
        ],
    }
    table = Table(box=None, pad_edge=False, show_header=False)
    for _ in range(4):
        table.add_column(overflow="fold")
    for finding in findings:
        table.add_row(
            Text("ok" if finding.ok else "NO", style="green" if finding.ok else "bold red"),
            finding.what,
            Text(finding.detail, style="dim" if finding.ok else ""),
            Text("" if finding.ok else f"next: {finding.mend}", style="green"),
        )
    call.answer(document, table)
    return 0 if ok else SetupError.exit_code


def show_version(call: Call) -> None:
    """Penstock's version, and those of what it stands on."""
    versions = {name: _installed(name) for name in _PACKAGES} | {
        "python": platform.python_version()
    }
    table = Table.grid(padding=(0, 2))
    for name, number in versions.items():
        table.add_row(name, number or "not installed")
    call.answer(versions, table)


def _examined(call: Call) -> Examined:
    """What to look at, from the deployment's resources."""
    from penstock.operations.doctor import Examined

    resources = call.deployment().resources
    root, url = resources["lake"].root, resources["ledger"].url
    secrets: Any = getattr(resources.get("secrets"), "folder", None)
    return Examined(
        lake=None if root.startswith("s3://") else Path(root),
        ledger=Path(url.removeprefix("sqlite:///")).parent if url.startswith("sqlite:") else None,
        secrets=Path(secrets) if secrets else None,
        ports={"the web server": _WEB_PORT},
    )


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
