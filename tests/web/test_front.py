"""The printed address leads somewhere."""

from __future__ import annotations

import re

from app.config import Settings
from app.factory import create_app
from tests.conftest import SECRET


def test_the_front_door_says_whose_house_this_is_and_asks_no_database() -> None:
    settings = Settings(
        database_url="postgresql+psycopg://nobody@127.0.0.1:9/none",
        wechat_base_url="http://127.0.0.1:9",
        secret_key=SECRET,
    )
    client = create_app(settings).test_client()
    answer = client.get("/")
    assert (answer.status_code, answer.content_type) == (200, "text/html; charset=utf-8")
    assert "奉化时间银行" in answer.text
    linked = re.findall(r'href="([^"]+)"', answer.text)
    assert linked
    for address in linked:
        if address.startswith("/"):
            assert client.get(address.partition("#")[0]).status_code == 200, address
    assert "style-src 'self'" in answer.headers["Content-Security-Policy"]
