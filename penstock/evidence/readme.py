"""The letter that lies in a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.events.instant import instant

if TYPE_CHECKING:
    from datetime import datetime

    from penstock.evidence.question import Question

__all__ = ["readme"]

_TEXT = """\
Evidence from a Penstock ledger
===============================

Asked about:  {asked}
Made:         {made_at} by {made_by}, Penstock {version}
Signed with:  {fingerprint}

What is in it
-------------
graph.svg         which column is made of which; open it in any browser
graph.json        the same, with when each edge held
events.jsonl      the events, each as it was stored, with its place in the chain of its namespace
links.jsonl       hash and link of the events between them, up to the end of each chain
runs.json         the runs that read or wrote the datasets
checks.json       what each check of each write said
contracts/        every version of each contract
versions.json     the tables' commits: who, when, the digest of the commit's file, its data files
coverage.json     commits that no run told of, and reads that a run did not tell as far as somebody
                  else saw the run (only where a lake could be read)
approvals.json    approvals; the ledger keeps none yet
manifest.json     SHA-256 and size of each file, the question, the ends of the chains
manifest.sig      Ed25519 signature of manifest.json
public_key.pem    the key it is checked with

No row and no value of a row is in it. Times are in UTC.

How to check it
---------------
With Penstock, on any machine, without a network:

    penstock evidence verify bundle.zip --key {fingerprint}

Take the fingerprint from whoever runs the ledger (`penstock evidence key`) and not from this file:
a forger would put his own here. Without Penstock:

    openssl pkey -pubin -in public_key.pem -outform DER | sha256sum
    openssl pkeyutl -verify -pubin -inkey public_key.pem -rawin -in manifest.json \\
        -sigfile manifest.sig

and compare `sha256sum` of each file with manifest.json.

The chain
---------
payload_hash is the SHA-256 of the payload as JSON with sorted keys, without spaces, in UTF-8. link
is the SHA-256 of the JSON list [link before, namespace, position, sequence, recorded_at,
payload_hash], also without spaces; the link before the first event is empty. Who wrote down the end
of a chain at some earlier time (`penstock ledger verify`) finds that link here at its position, or
the ledger was rewritten since.

What the signature says is that this ledger said so at that time. That events tell the truth about a
table can be held against versions.json and coverage.json, and against the table itself.
"""


def readme(question: Question, *, at: datetime, by: str, version: str, fingerprint: str) -> bytes:
    """The text of README.txt."""
    asked = ".".join(repr(part)[1:-1] for part in (question.dataset, question.column) if part)
    if question.pii is not None:
        asked = f"personal data of the class {repr(question.pii)[1:-1]}"
    period = [
        f"{word} {instant(moment)}"
        for word, moment in (("since", question.since), ("until", question.until))
        if moment
    ]
    return _TEXT.format(
        asked=", ".join([*([asked] if asked else ["all datasets"]), *period]),
        made_at=instant(at),
        made_by=repr(by)[1:-1],
        version=version,
        fingerprint=fingerprint,
    ).encode()
