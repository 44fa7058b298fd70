"""How pages that are printed are made: templates of this package, and the policy that lets only their own style in."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import segno
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from timebank.core.amounts import hours_text


def templates(**filters: Callable[..., Any]) -> Environment:
    """The templates, with ``hours`` and the page's own filters; a name that is missing is an error."""
    found = Environment(
        loader=PackageLoader("app.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update(hours=hours_text, **filters)
    return found


def qr(text: str, *, quiet: int, svg_class: str | None = None) -> Markup:
    """A QR as a picture within the page, with ``quiet`` modules of white around it."""
    code = segno.make_qr(text, error="m")
    return Markup(code.svg_inline(border=quiet, omitsize=True, svgclass=svg_class, lineclass=None))


def only_style(style: str) -> str:
    """The Content-Security-Policy under which a page with this style, and nothing else, is shown."""
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'"
