"""The front door: says whose house this is and where to go."""

from __future__ import annotations

from flask import Flask, Response

_PAGE = """<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>奉化时间银行</title>
<link rel="stylesheet" href="/front.css">
</head>
<body>
<main>
<h1>奉化时间银行</h1>
<p>时间银行正在运行，群众请用微信小程序。</p>
<p lang="en">The time bank of Fenghua is running.</p>
<p><a href="/openapi.json">程序接口说明 API description</a></p>
</main>
</body>
</html>
"""

_STYLE = """body { margin: 0; background: #fff; color: #1d2a33; font: 20px/1.6 "Noto Sans CJK SC", sans-serif; }
main { max-width: 36rem; margin: 0 auto; padding: 2rem 1rem; }
h1 { margin: 0 0 1rem; font-size: 2rem; line-height: 1.3; }
a { display: inline-block; padding: 0.6rem 0; color: #0b4f8a; }
a:focus-visible { outline: 3px solid #0b4f8a; outline-offset: 3px; }
"""

_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'"}


def register_front(app: Flask) -> None:
    """Answer ``/`` and its stylesheet."""

    @app.get("/")
    def front() -> Response:
        return Response(_PAGE, content_type="text/html; charset=utf-8", headers=_HEADERS)

    @app.get("/front.css")
    def front_style() -> Response:
        return Response(_STYLE, content_type="text/css; charset=utf-8")
