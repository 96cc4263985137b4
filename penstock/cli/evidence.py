"""`penstock evidence`: what the ledger knows, signed, for somebody who does not run it."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path  # noqa: TC003 - typer reads it
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from penstock.cli.command import Call, command
from penstock.cli.failure import printable
from penstock.errors import InputError

if TYPE_CHECKING:
    from penstock.assets.deployment import Deployment
    from penstock.evidence import SigningKey

__all__ = ["register", "signing_key"]

_REFUSED = 3


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    evidence = typer.Typer(help="Signed evidence for auditors.", no_args_is_help=True)
    example = "penstock evidence export --dataset silver.bookings --out bundle.zip"
    command(evidence, "export", example=example)(export)
    command(evidence, "verify", example="penstock evidence verify bundle.zip")(verify)
    command(evidence, "key", example="penstock evidence key")(show_key)
    app.add_typer(evidence, name="evidence")


def export(
    call: Call,
    *,
    out: Annotated[Path, typer.Option(help="The file to write; it must not exist.")],
    dataset: Annotated[
        str | None, typer.Option(help="Name of the dataset, or NAMESPACE|NAME.")
    ] = None,
    column: Annotated[str | None, typer.Option(help="One column of it.")] = None,
    pii: Annotated[
        str | None, typer.Option(help="A class of personal data, instead of a dataset: EMAIL.")
    ] = None,
    since: Annotated[datetime | None, typer.Option(help="From this moment on, in UTC.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Up to this moment, in UTC.")] = None,
    by: Annotated[str | None, typer.Option(help="Who asks; this user if not given.")] = None,
) -> None:
    """Put what the ledger knows of a dataset, a column, a class or a period into a signed zip."""
    from penstock.evidence import Question, bundle
    from penstock.evidence.table_histories import TableHistories
    from penstock.ledger import utc_now

    question = Question(
        dataset=dataset, column=column, pii=pii, since=_utc(since), until=_utc(until)
    )
    deployment = call.deployment()
    lake = deployment.resources["lake"]
    key = signing_key(deployment)
    with call.busy("Collecting the evidence"):
        made = bundle(
            deployment.resources["ledger"].open().database,
            question,
            key=key,
            at=utc_now(),
            by=by or getpass.getuser(),
            histories=TableHistories([lake.table(spec.name) for spec in deployment.datasets]),
        )
    try:
        with out.open("xb") as file:
            file.write(made)
    except OSError as error:
        raise InputError(
            "the bundle cannot be written",
            where=str(out),
            found=error.strerror,
            next_step="give --out a file that does not exist, in a folder that does",
        ) from error
    fingerprint = key.public.fingerprint
    document = {"file": str(out), "bytes": len(made), "fingerprint": fingerprint}
    call.answer(document, Text(f"{out}: {len(made)} bytes, signed with {fingerprint}"))


def verify(
    call: Call,
    bundle: Annotated[Path, typer.Argument(help="The zip.")],
    key: Annotated[
        str | None, typer.Option(help="Fingerprint that the signing key must have.")
    ] = None,
) -> int:
    """Whether a bundle is as it was made. Needs no ledger and no network. Ends with 3 if not."""
    from penstock.evidence import check
    from penstock.evidence.archive_file import MOST_BYTES

    try:
        with bundle.open("rb") as file:
            content = file.read(2 * MOST_BYTES)
    except OSError as error:
        raise InputError(
            "the bundle cannot be read",
            where=str(bundle),
            found=error.strerror,
            next_step="check the path",
        ) from error
    found = check(content, key=key)
    document = {
        "intact": found.intact,
        "fingerprint": found.fingerprint,
        "expected_key": key,
        "faults": list(found.faults),
        "manifest": found.manifest.model_dump(exclude={"files"}) if found.manifest else None,
    }
    lines = [Text(f"{bundle.name}: {printable(fault)}", style="red") for fault in found.faults]
    if found.intact and found.manifest:
        told = found.manifest
        lines.append(
            Text(
                f"As it was made: {told.events} events, {len(told.files)} files, "
                f"{told.made_at} by {printable(told.made_by)}",
                style="green",
            )
        )
        if key is None:
            lines.append(
                Text(
                    f"Signed with {found.fingerprint}. Compare it with what the ledger's keeper "
                    "says, or give it as --key: anybody can sign with a key of his own.",
                    style="yellow",
                )
            )
    call.answer(document, *lines)
    return 0 if found.intact else _REFUSED


def show_key(call: Call) -> None:
    """The fingerprint of the key that evidence is signed with; made if there is none."""
    public = signing_key(call.deployment()).public
    document = {"fingerprint": public.fingerprint, "public_key": public.pem.decode()}
    call.answer(document, Text(public.fingerprint))


def signing_key(deployment: Deployment | None) -> SigningKey:
    """The key, from the deployment's secrets; without any from `secrets` in Penstock's home."""
    from penstock.evidence import SigningKey as Key
    from penstock.resources.home import home
    from penstock.resources.secrets import FileSecrets

    resource = deployment.resources.get("secrets") if deployment else None
    return Key.of(resource.secrets() if resource else FileSecrets(home() / "secrets"))


def _utc(moment: datetime | None) -> datetime | None:
    return moment and moment.replace(tzinfo=moment.tzinfo or UTC)
