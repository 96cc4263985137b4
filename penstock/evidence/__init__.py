"""Evidence: what the ledger knows of a dataset, a column or a period, in one file that is signed.

`bundle` makes it, `check` says whether one is as it was made.
"""

from __future__ import annotations

from penstock.evidence.bundle import bundle
from penstock.evidence.check import Checked, check
from penstock.evidence.question import Question
from penstock.evidence.signing_key import SigningKey

__all__ = ["Checked", "Question", "SigningKey", "bundle", "check"]
