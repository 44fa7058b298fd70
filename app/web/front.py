"""The front door: says whose house this is and where to go."""

from __future__ import annotations

from flask import Flask, Response

_PAGE = """<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>奉化时间银行</title>
</head>
<body>
<h1>奉化时间银行</h1>
<p>时间银行正在运行。群众请用微信小程序；程序接口说明见 <a href="/openapi.json">openapi.json</a>。</p>
<p lang="en">The time bank of Fenghua is running. Its API is described in <a href="/openapi.json">openapi.json</a>.</p>
</body>
</html>
"""


def register_front(app: Flask) -> None:
    """Answer ``/``."""

    @app.get("/")
    def front() -> Response:
        return Response(_PAGE, content_type="text/html; charset=utf-8")
