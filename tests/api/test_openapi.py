"""The OpenAPI document: valid 3.1, complete, the same over HTTP as in the repository."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.config import Settings
from app.factory import create_app
from scripts import write_openapi
from scripts.refusals import find_refusals
from tests.api.caller import Caller
from tests.api.description import Description
from tests.conftest import SECRET
from timebank.core.db import Database

CONTRACT = {
    "auth": "wechat_login register staff_login",
    "me": "show balance statement",
    "townships": "list",
    "people": "enrol find",
    "service_types": "list",
    "tasks": "request list accept cancel check_in check_out confirm dispute record approve_record",
    "vouchers": "buy list redeem redeem_batch refund",
    "clearing": "positions matrix close_window confirm dispute_line settle",
    "gifts": "give",
    "donations": "give",
    "ledger": "trial_balance reverse",
}


def test_the_document_is_valid_openapi(still_callers: dict[str, Caller]) -> None:
    document = still_callers["nobody"].app.test_client().get("/openapi.json").get_json()
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_every_promised_operation_is_there_under_its_id(description: Description) -> None:
    promised = {f"{domain}.{verb}" for domain, verbs in CONTRACT.items() for verb in verbs.split()}
    assert promised - set(description.operations) == set()
    assert all(o.path.startswith("/api/v1/") for o in description.operations.values())


def test_only_development_can_move_the_clock(description: Description, tmp_path: Path) -> None:
    assert "dev.set_clock" in description.operations
    production = create_app(
        Settings(
            home=tmp_path,
            database_url="postgresql+psycopg://nobody@127.0.0.1:9/nothing",
            secret_key=SECRET,
            wechat_base_url="http://127.0.0.1:9",
            env="production",
        )
    )
    client = production.test_client()
    found = Description(client.get("/openapi.json").get_json()).operations
    assert set(description.operations) - set(found) == {"dev.set_clock"}
    path = description.operations["dev.set_clock"].path
    assert client.post(path, json={"now": "2090-01-01T00:00:00Z"}).status_code == 404
    assert client.get("/healthz").status_code == 200
    # Nobody listens there: the process lives, but is not ready.
    assert client.get("/readyz").status_code == 503
    database: Database = production.extensions["timebank_database"]
    database.close()


def test_errors_keys_and_tokens_are_described(description: Description) -> None:
    for operation in description.operations.values():
        refused = operation.resolved(operation.spec["responses"]["default"])
        assert set(refused["content"]) == {"application/problem+json"}, operation.operation_id
        assert operation.anyone is (operation.spec["security"] != [{"bearer": []}])
        done = next(v for k, v in operation.spec["responses"].items() if k.startswith("2"))
        assert ("Idempotency-Replayed" in done.get("headers", {})) is (operation.key is not None)


def test_the_written_files_are_those_of_the_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert write_openapi.main(["--check"]) == 0, capsys.readouterr().err


def test_a_stale_file_is_named_and_written_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert write_openapi.main([], tmp_path) == 0
    assert write_openapi.main(["--check"], tmp_path) == 0
    (tmp_path / "problems.md").write_text("old")
    assert write_openapi.main(["--check"], tmp_path) == 1
    told = capsys.readouterr().err
    assert "problems.md" in told
    assert "timebank.json" not in told
    assert (tmp_path / "problems.md").read_text() == "old"
    assert write_openapi.main([], tmp_path) == 0
    assert write_openapi.main(["--check"], tmp_path) == 0
    written = (tmp_path / "timebank.json").read_text(encoding="utf-8")
    assert written == json.dumps(json.loads(written), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def test_refusals_are_found_however_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "timebank").mkdir()
    (tmp_path / "timebank" / "rules.py").write_text(
        "def plain(): raise Refused('plain_one', '直接')\n"
        "def filled(n): return Conflict('filled_one', f'共{n}项')\n"
        "class Own(NotAllowed):\n    def __init__(self): super().__init__('own_one', '自己的')\n"
        "def given(*, code, title): raise Refused(code, title)\n"
        "def caller(n):\n    title = f'须满{n}岁'\n    given(code='given_one', title=title)\n"
        "def passed(): return Unrelated('no_refusal', '不是')\n"
    )
    found = {r.code: (sorted(r.titles), sorted(r.classes)) for r in find_refusals(tmp_path)}
    assert found == {
        "filled_one": (["共…项"], ["Conflict"]),
        "given_one": (["须满…岁"], ["Refused"]),
        "own_one": (["自己的"], ["NotAllowed"]),
        "plain_one": (["直接"], ["Refused"]),
    }
    assert {r.places.pop() for r in find_refusals(tmp_path)} == {"timebank/rules.py"}


def test_a_code_that_nobody_can_read_from_the_source_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "timebank").mkdir()
    (tmp_path / "timebank" / "rules.py").write_text("def hidden():\n    code = f()\n    raise Refused(code, '暗')\n")
    with pytest.raises(ValueError, match="hidden"):
        find_refusals(tmp_path)


def test_every_refusal_has_one_status_and_a_chinese_title() -> None:
    for refusal in find_refusals(write_openapi.ROOT):
        assert refusal.titles, refusal
        assert all(any("\u4e00" <= c <= "\u9fff" for c in title) for title in refusal.titles), refusal
        assert len(refusal.classes) == 1, refusal
