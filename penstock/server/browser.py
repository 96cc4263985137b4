"""The lineage browser's files, built from `web/` into `static/`; every page of it is one page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fastapi.responses import FileResponse, HTMLResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

if TYPE_CHECKING:
    from fastapi import FastAPI

__all__ = ["STATIC", "add_pages"]

STATIC = Path(__file__).parent / "static"
# The build puts a hash of the content into the name of each file there.
_HASHED = "assets/"
_NEVER_ANOTHER = {"cache-control": "public, max-age=31536000, immutable"}
_NOT_BUILT = """<!doctype html><html lang="en"><title>Penstock lineage</title>
<h1>The lineage browser is not built</h1>
<p>Run <code>make web</code> in the project's folder. The API is up: see
<a href="/openapi.json">its document</a>.</p></html>
"""


def add_pages(app: FastAPI) -> None:
    """Answer every path that is no call of the API with the browser."""

    @app.get("/{path:path}", include_in_schema=False)
    def page(path: str) -> Response:
        if path.startswith("api/"):
            raise HTTPException(404, "there is no such call")
        if found := _file(path):
            return FileResponse(found, headers=_NEVER_ANOTHER if path.startswith(_HASHED) else None)
        if path.startswith(_HASHED):  # of a page that was open during an upgrade: no page is that
            raise HTTPException(404, "there is no such file; load the page again")
        index = STATIC / "index.html"
        return FileResponse(index) if index.is_file() else HTMLResponse(_NOT_BUILT)


def _file(path: str) -> Path | None:
    """The file of this path, if it is one of the browser's."""
    root = STATIC.resolve()
    try:
        wanted = (root / path).resolve()
        return wanted if wanted.is_relative_to(root) and wanted.is_file() else None
    except (OSError, ValueError, RuntimeError):  # too long, NUL, links in a ring
        return None
