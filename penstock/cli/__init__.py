"""The `penstock` command: what the deployment holds, runs of it, and what they left behind."""

from __future__ import annotations

import sys

__all__ = ["main"]

INTERRUPTED = 130


def main() -> None:
    """Run the command line. Ctrl-C ends it with 130, whatever it was doing."""
    try:
        from penstock.cli.app import app

        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
