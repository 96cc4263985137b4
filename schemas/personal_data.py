"""Which personal data the datasets about passengers may hold in clear."""

from __future__ import annotations

from penstock import Pii

PASSENGER = frozenset(
    {
        Pii.IDENTIFIER,
        Pii.NAME,
        Pii.EMAIL,
        Pii.PHONE,
        Pii.PASSPORT,
        Pii.BIRTH_DATE,
        Pii.FREE_TEXT,
    }
)
