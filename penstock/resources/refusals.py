"""What a storage raises where it refuses something, a local disk or S3, and why in a word."""

from __future__ import annotations

__all__ = ["reason", "refusals"]


def refusals(*, s3: bool) -> tuple[type[Exception], ...]:
    """What the storage raises. Asked only when something was raised: boto3 is slow to import."""
    if not s3:
        return (OSError,)
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    return (OSError, Boto3Error, BotoCoreError, ClientError)


def reason(error: Exception) -> str:
    """The system's sentence, S3's code, or the kind of the error."""
    said = getattr(error, "strerror", None)
    code = getattr(error, "response", {}).get("Error", {}).get("Code")
    return str(said or code or type(error).__name__)
