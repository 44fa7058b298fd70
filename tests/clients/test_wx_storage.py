"""wx storage: WeChat's limits, private files, whole changes."""

from __future__ import annotations

import multiprocessing
import stat
from pathlib import Path

import pytest

from clients.miniprogram.storage import KEY_LIMIT_BYTES, Storage, StorageError
from clients.miniprogram.wx import Wx


def test_what_was_stored_is_there_for_the_next_program(tmp_path: Path) -> None:
    Storage(tmp_path / "s.json").set("name", {"老人": ["王", 1, None]})
    assert Storage(tmp_path / "s.json").get("name") == {"老人": ["王", 1, None]}


def test_nothing_stored_reads_as_the_empty_string_as_in_wechat(wx: Wx) -> None:
    assert wx.get_storage_sync("never") == ""
    wx.set_storage_sync("once", 0)
    assert wx.get_storage_sync("once") == 0
    wx.remove_storage_sync("once")
    assert wx.get_storage_sync("once") == ""


def test_one_key_holds_a_megabyte_and_no_more(wx: Wx) -> None:
    fits = "x" * (KEY_LIMIT_BYTES - len("k") - len('""'))
    wx.set_storage_sync("k", fits)
    with pytest.raises(StorageError, match="single key"):
        wx.set_storage_sync("k", fits + "x")
    assert wx.get_storage_sync("k") == fits


def test_the_limit_counts_bytes_and_not_characters(wx: Wx) -> None:
    with pytest.raises(StorageError, match="single key"):
        wx.set_storage_sync("k", "奉" * (KEY_LIMIT_BYTES // 3 + 1))


def test_all_keys_together_hold_ten_megabytes(wx: Wx) -> None:
    for number in range(10):
        wx.set_storage_sync(f"k{number}", "x" * (KEY_LIMIT_BYTES - 4))
    with pytest.raises(StorageError, match="10MB"):
        wx.set_storage_sync("one more", "x")
    assert wx.get_storage_sync("one more") == ""
    wx.remove_storage_sync("k0")
    wx.set_storage_sync("one more", "x")
    info = wx.get_storage_info_sync()
    assert (info["currentSize"], info["limitSize"]) == (9217, 10240)
    assert set(info["keys"]) == {f"k{n}" for n in range(1, 10)} | {"one more"}


def test_only_the_owner_can_read_a_phone(storage: Storage, tmp_path: Path) -> None:
    storage.set("token", "secret")
    folder = tmp_path / "phone"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_a_crash_while_writing_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = Storage(tmp_path / "s.json")
    storage.set("k", "old")

    def power_cut(_handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("clients.miniprogram.storage.os.fsync", power_cut)
    with pytest.raises(KeyboardInterrupt):
        storage.set("k", "new")
    monkeypatch.undo()
    assert Storage(tmp_path / "s.json").get("k") == "old"
    storage.set("k", "newer")
    assert storage.get("k") == "newer"


def test_a_damaged_file_is_said_to_be_damaged_and_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    for damage in ('{"k": ', "[]"):
        file.write_text(damage)
        with pytest.raises(StorageError, match="damaged"):
            Storage(file).set("k", 1)
        assert file.read_text() == damage


def _store_many(file: Path, name: str) -> None:
    storage = Storage(file)
    for number in range(20):
        storage.set(f"{name}{number}", number)


def test_two_programs_writing_at_once_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    start = multiprocessing.get_context("spawn").Process
    writers = [start(target=_store_many, args=(file, name)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(Storage(file).info()["keys"]) == 40
