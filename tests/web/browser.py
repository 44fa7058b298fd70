"""A browser without scripts: follows links and redirects, fills forms in, and keeps its cookies."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from io import BytesIO

from flask import Flask
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

_HIDDEN = re.compile(r'<input type="hidden" name="(form_token|form_key)" value="([^"]*)">')


class Browser:
    """One person's browser on the application."""

    def __init__(self, app: Flask) -> None:
        self.app, self._client = app, app.test_client()
        self.status, self.html, self.path = 0, "", ""

    def sign_in(self, who: str) -> Browser:
        """As somebody of the scene, by WeChat."""
        self.get("/m/sign-in")
        return self.post("/m/sign-in", name=who)

    def sign_in_staff(self, username: str, password: str) -> Browser:
        """As staff."""
        self.get("/staff/sign-in")
        return self.post("/staff/sign-in", username=username, password=password)

    def get(self, path: str) -> Browser:
        """Open a page, and go where it sends."""
        return self._take(self._client.get(path, follow_redirects=True))

    def post(self, to: str, /, **form: str | int | list[str]) -> Browser:
        """Send a form of the page that is open: its token and key go along unless they are given."""
        own = dict(_HIDDEN.findall(self.html))
        data = {**own, **{name: value if isinstance(value, list) else str(value) for name, value in form.items()}}
        return self._take(self._client.post(to, data=data, follow_redirects=True))

    def upload(self, to: str, field: str, name: str, content: bytes, /, **form: str) -> Browser:
        """Send a form of the page that is open with a file in it; no file where ``name`` is empty."""
        file = FileStorage(BytesIO(content), filename=name, name=field)
        # Encoded here: the client would leave a large body's temporary file open.
        boundary, body = encode_multipart({**dict(_HIDDEN.findall(self.html)), **form, field: file})
        kind = f"multipart/form-data; boundary={boundary}"
        return self._take(self._client.post(to, data=body, content_type=kind, follow_redirects=True))

    def download(self, path: str) -> TestResponse:
        """What is no page: a workbook for one."""
        return self._client.get(path)

    @property
    def text(self) -> str:
        """What one reads on the page."""
        reader = _Reader()
        reader.feed(self.html)
        return " ".join("".join(reader.words).split())

    def links(self) -> list[str]:
        """Where one can go from here, on this site."""
        return [unescape(one) for one in re.findall(r'<a[^>]* href="([^"]+)"', self.html) if one.startswith("/")]

    def _take(self, answer: TestResponse) -> Browser:
        self.status, self.html, self.path = answer.status_code, answer.text, answer.request.path
        assert "script-src 'self'" in answer.headers.get("Content-Security-Policy", ""), answer.headers
        return self


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self._silent += tag in ("script", "style", "title")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style", "title")
        if tag in ("p", "li", "h1", "h2", "td", "th", "dt", "dd", "label", "button", "a", "option"):
            self.words.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)
