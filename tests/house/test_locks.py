"""What is installed is locked: exact versions with hashes, and no registry by name."""

from __future__ import annotations

import re

import pytest

from tests.house.sources import ROOT

LOCKS = ["requirements.txt", "requirements-dev.txt"]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_has_a_version_and_hashes(lock: str) -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / lock).read_text().strip())
    assert len(entries) > 10
    assert [e.splitlines()[0] for e in entries if not re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+", e)] == []
    assert [e.splitlines()[0] for e in entries if "--hash=sha256:" not in e] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_no_registry_is_named(lock: str) -> None:
    assert re.findall(r"https?://|file:|--(extra-)?index-url|--find-links", (ROOT / lock).read_text()) == []


def test_the_product_and_its_tests_run_on_the_same_versions() -> None:
    def versions(lock: str) -> dict[str, str]:
        return dict(re.findall(r"(?m)^([a-z0-9._-]+)==(\S+)", (ROOT / lock).read_text()))

    product, development = versions(LOCKS[0]), versions(LOCKS[1])
    assert product.items() <= development.items()
