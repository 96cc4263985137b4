"""`penstock serve` and `penstock token`: the lineage server and who may call it."""

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
from penstock.cli.ledger import open_ledger
from penstock.errors import DefinitionError, SetupError

if TYPE_CHECKING:
    from penstock.assets.deployment import Deployment
    from penstock.evidence.table_histories import Histories

__all__ = ["register"]

RoleName = Literal["emitter", "reader", "auditor", "admin"]
_HOST, _PORT = "127.0.0.1", 3100


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    command(app, "serve", example="penstock serve --port 3100")(serve)
    tokens = typer.Typer(help="Tokens for the lineage server.", no_args_is_help=True)
    command(tokens, "add", example="penstock token add nightly --role emitter")(add_token)
    command(tokens, "list", example="penstock token list")(list_tokens)
    command(tokens, "revoke", example="penstock token revoke nightly")(revoke_token)
    app.add_typer(tokens, name="token")


def serve(  # noqa: PLR0913 - one option for each decision
    call: Call,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = _HOST,
    port: Annotated[int, typer.Option(help="Port; 0 for any.", min=0, max=65535)] = _PORT,
    tls_certificate: Annotated[
        Path | None, typer.Option(help="Certificate chain (PEM).", dir_okay=False)
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key (PEM).", dir_okay=False)] = None,
    *,
    tokens: Annotated[
        bool, typer.Option("--tokens", help="Ask for tokens on this machine too.")
    ] = False,
    lenient: Annotated[
        bool,
        typer.Option("--lenient", help="Take events as Marquez does, and mark what was changed."),
    ] = False,
    ledger_url: Annotated[
        str | None,
        typer.Option(
            "--ledger",
            envvar="PENSTOCK_SERVE_LEDGER",
            help="SQLAlchemy URL, instead of the deployment's.",
        ),
    ] = None,
    dagster_url: Annotated[
        str | None, typer.Option(help="Dagster's web server, that dataset pages link to.")
    ] = None,
) -> None:
    """The lineage server and browser. Off this machine it asks for tokens."""
    import uvicorn

    from penstock.ledger.tokens import Tokens
    from penstock.server import ServerSettings, create_app
    from penstock.server.listening import check_tls, listen, url_of

    tls = check_tls(tls_certificate, tls_key)
    outside = not _is_loopback(host)
    deployment = _deployment(call, ledger_url)
    with open_ledger(call, ledger_url) as ledger:
        if (outside or tokens) and all(e.revoked_at for e in Tokens(ledger.database).all()):
            raise SetupError(
                "off this machine the server asks for tokens, and there is none",
                where=f"penstock serve --host {host}",
                next_step="penstock token add NAME --role reader|emitter|auditor|admin",
            )
        settings = ServerSettings(
            tokens_required=outside or tokens, lenient=lenient, dagster_url=dagster_url
        )
        app = create_app(
            ledger,
            settings,
            histories=_histories(deployment) if deployment else None,
            signing_key=lambda: signing_key(deployment),
        )
        listening = listen(host, port)
        url = url_of(listening, host, tls=tls)
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,
                server_header=False,
                ssl_certfile=tls_certificate,
                ssl_keyfile=tls_key,
            )
        )
        if outside and not tls:
            call.say("Without TLS the tokens travel in clear: put a proxy with TLS before it.")
        shown = Text.assemble(("Lineage  ", "dim"), (url, "bold cyan"), "\nCtrl-C ends it.")
        call.answer({"url": url, "ledger": ledger.database.where}, shown)
        server.run(sockets=[listening])


def add_token(
    call: Call,
    name: Annotated[str, typer.Argument(help="Whose it is; it stands in the access log.")],
    role: Annotated[RoleName, typer.Option(help="What it may do.")],
    ledger_url: Annotated[str | None, typer.Option("--ledger", help="SQLAlchemy URL.")] = None,
) -> None:
    """Make a token. It is shown this once: the ledger keeps a hash of it alone."""
    from penstock.ledger import utc_now
    from penstock.ledger.tokens import Role, Tokens

    with open_ledger(call, ledger_url) as ledger:
        made = Tokens(ledger.database).add(name, Role(role), at=utc_now())
    call.answer({"name": name, "role": role, "token": made}, Text(made))


def list_tokens(
    call: Call,
    ledger_url: Annotated[str | None, typer.Option("--ledger", help="SQLAlchemy URL.")] = None,
) -> None:
    """The tokens there ever were, without the tokens themselves."""
    from penstock.ledger.tokens import Tokens

    with open_ledger(call, ledger_url) as ledger:
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
    from penstock.ledger import utc_now
    from penstock.ledger.tokens import Tokens

    with open_ledger(call, ledger_url) as ledger:
        ended = Tokens(ledger.database).revoke(name, at=utc_now())
    said = "ended" if ended else "there is no such token that is not ended"
    call.answer({"name": name, "revoked": ended}, Text(f"{name}: {said}"))
    return 0 if ended else 1


def _deployment(call: Call, ledger_url: str | None) -> Deployment | None:
    """The deployment whose ledger is served: its lake has the tables that events speak of."""
    if ledger_url is None:
        return call.deployment()
    try:
        found = call.deployment()
    except DefinitionError:
        return None
    return found if found.resources["ledger"].url == ledger_url else None


def _histories(deployment: Deployment) -> Histories:
    from penstock.evidence.table_histories import TableHistories

    lake = deployment.resources["lake"]
    return TableHistories([lake.table(spec.name) for spec in deployment.datasets])


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
