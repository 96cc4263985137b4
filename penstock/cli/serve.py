"""`penstock serve`, `penstock ledger` and `penstock token`: the lineage server and its ledger."""

from __future__ import annotations

import ipaddress
from dataclasses import asdict
from pathlib import Path  # noqa: TC003 - typer reads it
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table
from rich.text import Text

from penstock.cli.command import Call, command
from penstock.cli.evidence import signing_key
from penstock.errors import SetupError

if TYPE_CHECKING:
    from penstock.assets.deployment import Deployment
    from penstock.lineage import Ledger
    from penstock.lineage.table_histories import Histories
    from penstock.lineage.verification import ChainEnd

__all__ = ["register"]

_FAULTS = 3
RoleName = Literal["emitter", "reader", "auditor", "admin"]
_HOST, _PORT = "127.0.0.1", 3100


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    command(app, "serve", example="penstock serve --port 3100")(serve)
    ledger = typer.Typer(help="The ledger: its chain and its graph.", no_args_is_help=True)
    command(ledger, "verify", example="penstock ledger verify")(verify_ledger)
    command(ledger, "rebuild", example="penstock ledger rebuild")(rebuild_graph)
    app.add_typer(ledger, name="ledger")
    tokens = typer.Typer(help="Tokens for the lineage server.", no_args_is_help=True)
    command(tokens, "add", example="penstock token add nightly --role emitter")(add_token)
    command(tokens, "list", example="penstock token list")(list_tokens)
    command(tokens, "revoke", example="penstock token revoke nightly")(revoke_token)
    app.add_typer(tokens, name="token")


def serve(
    call: Call,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = _HOST,
    port: Annotated[int, typer.Option(help="Port; 0 for any.")] = _PORT,
    tls_certificate: Annotated[
        Path | None, typer.Option(help="Certificate chain (PEM).", dir_okay=False)
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key (PEM).", dir_okay=False)] = None,
    *,
    tokens: Annotated[
        bool, typer.Option("--tokens", help="Ask for tokens on this machine too.")
    ] = False,
    ledger_url: Annotated[
        str | None, typer.Option("--ledger", help="SQLAlchemy URL, instead of the deployment's.")
    ] = None,
) -> None:
    """The lineage server and browser. Off this machine it asks for tokens."""
    import uvicorn

    from penstock.lineage.server import ServerSettings, create_app
    from penstock.lineage.tokens import Tokens
    from penstock.resources import ports

    if (tls_certificate is None) != (tls_key is None):
        raise SetupError(
            "TLS needs a certificate and its key",
            where="penstock serve",
            next_step="give both --tls-certificate and --tls-key, or none",
        )
    outside = not _is_loopback(host)
    chosen = port if outside else ports.take_port(port or None, "the lineage server")
    deployment = None if ledger_url else call.deployment()
    with _ledger(call, ledger_url) as ledger:
        if (outside or tokens) and all(e.revoked_at for e in Tokens(ledger.database).all()):
            raise SetupError(
                "off this machine the server asks for tokens, and there is none",
                where=f"penstock serve --host {host}",
                next_step="penstock token add NAME --role reader|emitter|auditor|admin",
            )
        settings = ServerSettings(tokens_required=outside or tokens)
        app = create_app(
            ledger,
            settings,
            histories=_histories(deployment) if deployment else None,
            signing_key=lambda: signing_key(deployment),
        )
        scheme = "https" if tls_certificate else "http"
        url = f"{scheme}://{host}:{chosen}"
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                host=host,
                port=chosen,
                log_level="warning",
                access_log=False,
                server_header=False,
                ssl_certfile=tls_certificate,
                ssl_keyfile=tls_key,
            )
        )
        if outside and not tls_certificate:
            call.say("Without TLS the tokens travel in clear: put a proxy with TLS before it.")
        shown = Text.assemble(("Lineage  ", "dim"), (url, "bold cyan"), "\nCtrl-C ends it.")
        call.answer({"url": url, "ledger": ledger.database.where}, shown)
        server.run()


def verify_ledger(
    call: Call,
    ledger_url: Annotated[str | None, typer.Option("--ledger", help="SQLAlchemy URL.")] = None,
    expect: Annotated[
        list[str] | None,
        typer.Option(help="NAMESPACE=POSITION:LINK that was written down before."),
    ] = None,
) -> int:
    """Whether any event was changed, lost or moved since it was taken. Ends with 3 if so."""
    from penstock.lineage.verification import verify

    with _ledger(call, ledger_url) as ledger, call.busy("Reading every event"):
        found = verify(ledger.database, expected=_expected(expect or []))
    document = {
        "intact": found.intact,
        "events": found.events,
        "archived": found.archived,
        "chains": {name: asdict(end) for name, end in found.chains.items()},
        "faults": [asdict(fault) for fault in found.faults],
    }
    table = Table("namespace", "events", "last link", box=None)
    for name, end in sorted(found.chains.items()):
        table.add_row(Text(name), str(end.position), end.link)
    verdict = Text(
        f"{found.events} events: "
        + ("as they were taken" if found.intact else f"{len(found.faults)} faults"),
        style="green" if found.intact else "bold red",
    )
    faults = [
        Text(f"{f.namespace or 'ledger'} sequence {f.sequence or '-'}: {f.what}", style="red")
        for f in found.faults
    ]
    call.answer(document, table, verdict, *faults)
    return 0 if found.intact else _FAULTS


def rebuild_graph(
    call: Call,
    ledger_url: Annotated[str | None, typer.Option("--ledger", help="SQLAlchemy URL.")] = None,
) -> None:
    """Make the graph anew from the events. Until it is done, readers see a part of it."""
    from penstock.lineage.graph.fingerprint import fingerprint
    from penstock.lineage.graph.projector import catch_up, rebuild

    with _ledger(call, ledger_url) as ledger, call.busy("Making the graph anew"):
        catch_up(ledger.database)
        with ledger.database.read() as connection:
            before = fingerprint(connection)
        events = rebuild(ledger.database)
        with ledger.database.read() as connection:
            after = fingerprint(connection)
    same = before == after
    said = "the graph is the same as before" if same else "the graph was another: now it is right"
    document = {"events": events, "same": same, "fingerprint": after}
    call.answer(document, Text(f"{events} events: {said}", style="green" if same else "yellow"))


def add_token(
    call: Call,
    name: Annotated[str, typer.Argument(help="Whose it is; it stands in the access log.")],
    role: Annotated[RoleName, typer.Option(help="What it may do.")],
    ledger_url: Annotated[str | None, typer.Option("--ledger", help="SQLAlchemy URL.")] = None,
) -> None:
    """Make a token. It is shown this once: the ledger keeps a hash of it alone."""
    from penstock.lineage import utc_now
    from penstock.lineage.tokens import Role, Tokens

    with _ledger(call, ledger_url) as ledger:
        made = Tokens(ledger.database).add(name, Role(role), at=utc_now())
    call.answer({"name": name, "role": role, "token": made}, Text(made))


def list_tokens(
    call: Call,
    ledger_url: Annotated[str | None, typer.Option("--ledger", help="SQLAlchemy URL.")] = None,
) -> None:
    """The tokens there ever were, without the tokens themselves."""
    from penstock.lineage.tokens import Tokens

    with _ledger(call, ledger_url) as ledger:
        entries = Tokens(ledger.database).all()
    table = Table("name", "role", "made", "revoked", box=None)
    for entry in entries:
        ended = entry.revoked_at.isoformat(timespec="seconds") if entry.revoked_at else ""
        made = entry.created_at.isoformat(timespec="seconds")
        table.add_row(Text(entry.name), entry.role.value, made, ended)
    call.answer([asdict(entry) for entry in entries], table)


def revoke_token(
    call: Call,
    name: Annotated[str, typer.Argument(help="The token's name.")],
    ledger_url: Annotated[str | None, typer.Option("--ledger", help="SQLAlchemy URL.")] = None,
) -> int:
    """End a token at once."""
    from penstock.lineage import utc_now
    from penstock.lineage.tokens import Tokens

    with _ledger(call, ledger_url) as ledger:
        ended = Tokens(ledger.database).revoke(name, at=utc_now())
    said = "ended" if ended else "there is no such token that is not ended"
    call.answer({"name": name, "revoked": ended}, Text(f"{name}: {said}"))
    return 0 if ended else 1


def _histories(deployment: Deployment) -> Histories:
    from penstock.lineage.table_histories import TableHistories

    lake = deployment.resources["lake"]
    return TableHistories([lake.table(spec.name) for spec in deployment.datasets])


def _ledger(call: Call, url: str | None) -> Ledger:
    from penstock.lineage import Ledger as Opened

    if url is not None:
        return Opened.open(url)
    found: Ledger = call.deployment().resources["ledger"].open()
    return found


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _expected(given: list[str]) -> dict[str, ChainEnd]:
    from penstock.lineage.verification import ChainEnd as End

    found = {}
    for text in given:
        namespace, _, end = text.rpartition("=")
        position, _, link = end.partition(":")
        if not (namespace and position.isdigit() and link):
            raise SetupError(
                "a link that was written down reads otherwise",
                where=f"--expect {text}",
                expected="NAMESPACE=POSITION:LINK",
                next_step="take it from `penstock ledger verify --json`",
            )
        found[namespace] = End(position=int(position), link=link)
    return found
