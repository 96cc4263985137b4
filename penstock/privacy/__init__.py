"""Personal data: which method masks which class, and masking by native Spark expressions.

The key of the tokens is never in a plan, an event, a log or a table's history.
"""

from penstock.privacy.mask import mask
from penstock.privacy.method import Drop, Generalise, Keep, Method, Null, Redact, Token
from penstock.privacy.pads import PADS_SUFFIX, empty_pads, pads_file, read_pads
from penstock.privacy.policy import MaskingPolicy
from penstock.privacy.token import token

__all__ = [
    "PADS_SUFFIX",
    "Drop",
    "Generalise",
    "Keep",
    "MaskingPolicy",
    "Method",
    "Null",
    "Redact",
    "Token",
    "empty_pads",
    "mask",
    "pads_file",
    "read_pads",
    "token",
]
