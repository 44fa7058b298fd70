"""Chromium on the scene of the API's tests, served over loopback by this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
from flask import Flask
from playwright.sync_api import Browser, sync_playwright
from werkzeug.serving import make_server

from scripts.screens.walking import chromium_program
from tests.api.scene import Scene
from timebank.core.db import Database


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    program = chromium_program()
    if program is None:
        pytest.skip("there is no Chromium on this machine (as root `make test` installs it on Debian)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(still_doors: tuple[Flask, Scene]) -> Iterator[str]:
    """The address of the pages, for a module that does not mind what its tests changed."""
    with served(still_doors[0]) as address:
        yield address


@pytest.fixture
def own_site(app: Flask) -> Iterator[str]:
    """The address of the pages of a bank of the test's own."""
    with served(app) as address:
        yield address


@pytest.fixture
def bank(app: Flask) -> Database:
    """The database behind a test's own pages."""
    found: Database = app.extensions["timebank_database"]
    return found


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The application over loopback, by this process: what a test does to the clock holds for the pages."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    serving = Thread(target=server.serve_forever)
    serving.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    serving.join()
