"""Files that are refused whole: one code and one sentence each, before anything is parsed."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories.workbooks import write_plain_workbook, write_untidy_workbook
from timebank.core.errors import Refused
from timebank.importing import package, sheets
from timebank.importing.workbook import WorkbookUnreadable, open_workbook

SAMPLE = Path(__file__).parents[1] / "data" / "pilot_workbook.xlsx"
OLE2 = bytes.fromhex("d0cf11e0a1b11ae1")


def _code(path: Path) -> str:
    with pytest.raises(WorkbookUnreadable) as refusal:
        open_workbook(path)
    assert isinstance(refusal.value, Refused)
    assert refusal.value.title.endswith("。")
    assert refusal.value.title.count("。") == 1
    return refusal.value.code


def _altered(tmp_path: Path, part: str, content: bytes) -> Path:
    source, target = tmp_path / "whole.xlsx", tmp_path / "altered.xlsx"
    write_untidy_workbook(source, seed=1)
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        assert part in old.namelist()
        for name in old.namelist():
            new.writestr(name, content if name == part else old.read(name))
    return target


def test_no_file_a_folder_and_a_pipe_are_missing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.xlsx")
    assert _code(tmp_path / "none.xlsx") == "workbook_missing"
    assert _code(tmp_path) == "workbook_missing"
    assert _code(tmp_path / "pipe.xlsx") == "workbook_missing"
    assert _code(tmp_path / "a\0b.xlsx") == "workbook_missing"


@pytest.mark.parametrize("content", [b"", "姓名,身份证号\n竺梅,1\n".encode(), b"<html></html>", b"PK", b"%PDF-1.7"])
def test_text_and_other_formats_are_no_workbook(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.xlsx").write_bytes(content)
    assert _code(tmp_path / "a.xlsx") == "workbook_not_excel"


@pytest.mark.parametrize("names", [["readme.txt"], ["[Content_Types].xml", "word/document.xml"], ["content.xml"], []])
def test_other_zip_files_are_no_workbook(tmp_path: Path, names: list[str]) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        for name in names:
            archive.writestr(name, "<x/>")
    assert _code(tmp_path / "a.xlsx") == "workbook_not_excel"


def test_the_old_binary_format_is_to_be_saved_anew(tmp_path: Path) -> None:
    (tmp_path / "a.xls").write_bytes(OLE2 + b"\0" * 2048 + "Workbook".encode("utf-16-le"))
    assert _code(tmp_path / "a.xls") == "workbook_not_excel"
    with pytest.raises(WorkbookUnreadable, match=r"另存为 \.xlsx"):
        open_workbook(tmp_path / "a.xls")


def test_a_workbook_with_a_password_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(OLE2 + b"\0" * 2048 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 99)
    assert _code(tmp_path / "a.xlsx") == "workbook_encrypted"


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.99])
def test_a_workbook_cut_off_is_damaged(tmp_path: Path, kept: float) -> None:
    content = write_plain_workbook(tmp_path / "a.xlsx").read_bytes()
    (tmp_path / "b.xlsx").write_bytes(content[: int(len(content) * kept)])
    assert _code(tmp_path / "b.xlsx") == "workbook_damaged"


@pytest.mark.parametrize(
    "content",
    [
        b"<worksheet",
        b"\xff\xfe\x00",
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="1"><c r="A1" t="s"><v>99999</v></c></row></sheetData></worksheet>',
    ],
)
def test_a_part_that_makes_no_sense_is_damage(tmp_path: Path, content: bytes) -> None:
    assert _code(_altered(tmp_path, "xl/worksheets/sheet1.xml", content)) == "workbook_damaged"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml"])
def test_entities_are_refused_in_every_part(tmp_path: Path, part: str, encoding: str) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("330224196509023578")
    bomb = (
        f'<?xml version="1.0" encoding="{encoding}"?>'
        f'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b SYSTEM "{secret.as_uri()}">]><x>&a;&b;</x>'
    )
    assert _code(_altered(tmp_path, part, bomb.encode(encoding))) == "workbook_damaged"


def test_a_large_file_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "a.xlsx").open("wb") as file:
        file.truncate(package.MAX_FILE_BYTES + 1)
    assert _code(tmp_path / "a.xlsx") == "workbook_too_large"


def test_a_bomb_is_refused_by_the_directory_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _altered(tmp_path, "xl/worksheets/sheet1.xml", b" " * (package.MAX_XML_BYTES + 1))
    assert path.stat().st_size < 1024 * 1024
    monkeypatch.setattr(package, "_check_parts", lambda _: pytest.fail("the parts were opened"))
    assert _code(path) == "workbook_too_large"


def test_too_many_tags_are_refused_before_parsing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_plain_workbook(tmp_path / "a.xlsx")
    monkeypatch.setattr(package, "MAX_XML_TAGS", 50)
    assert _code(path) == "workbook_too_large"


def test_too_many_parts_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_plain_workbook(tmp_path / "a.xlsx")
    monkeypatch.setattr(package, "MAX_PARTS", 5)
    assert _code(path) == "workbook_too_large"


def test_rows_are_counted_only_where_something_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MAX_ROWS", 4)
    heading: list[object] = ["姓名", "身份证号", "镇街"]
    blank: list[list[object]] = [[None, "", " "] for _ in range(9)]
    person: list[object] = ["竺梅", "1", "大堰"]
    within = [heading, *blank, person, person, person]
    path = write_plain_workbook(tmp_path / "a.xlsx", {"志愿者名册": within})
    assert len(open_workbook(path).volunteers) == 3
    write_plain_workbook(path, {"志愿者名册": [*within, person]})
    assert _code(path) == "workbook_too_large"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_file_with_bytes_changed_is_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(SAMPLE.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "b.xlsx").write_bytes(content)
    try:
        workbook = open_workbook(tmp_path / "b.xlsx")
    except WorkbookUnreadable:
        return
    assert workbook.name == "b.xlsx"
