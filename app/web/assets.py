"""Style, scripts and icons, each under an address that changes with what is in it, so that browsers keep them."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.resources import files

from flask import Flask, Response, abort

_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_KEPT = "public, max-age=31536000, immutable"


def register_assets(app: Flask) -> None:
    """Answer ``/static/<digest>/<name>``; another digest than the file's own is not there."""

    @app.get("/static/<digest>/<name>")
    def static_asset(digest: str, name: str) -> Response:
        if name not in _names() or digest != _digest(name):
            abort(404)
        kind = _TYPES[name.rpartition(".")[2]]
        return Response(_content(name), content_type=kind, headers={"Cache-Control": _KEPT})


def asset(name: str) -> str:
    """The address of a file of ``app/web/static``. Raises KeyError where there is none."""
    if name not in _names():
        raise KeyError(name)
    return f"/static/{_digest(name)}/{name}"


@cache
def _names() -> frozenset[str]:
    folder = files("app.web") / "static"
    return frozenset(one.name for one in folder.iterdir() if one.name.rpartition(".")[2] in _TYPES)


@cache
def _content(name: str) -> bytes:
    return (files("app.web") / "static" / name).read_bytes()


@cache
def _digest(name: str) -> str:
    return sha256(_content(name)).hexdigest()[:16]
