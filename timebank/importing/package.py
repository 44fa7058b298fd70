"""The file before it is parsed: is it a workbook at all, whole, unlocked, and of a size that is safe to open?

Everything is judged from the bytes and the zip directory, so that nothing hostile reaches the XML parser.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from io import BytesIO
from pathlib import Path

from timebank.core.errors import Refused

MAX_FILE_BYTES = 20 * 1024 * 1024
MAX_XML_BYTES = 64 * 1024 * 1024
MAX_XML_TAGS = 1_500_000  # opening tags: each costs some 300 bytes while it is parsed, however short it is
MAX_PARTS = 2_000

_OLE2 = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_CHUNK = 1024 * 1024
_DECLARATION = re.compile(rb"<!(DOCTYPE|ENTITY)")
_SAVE_AS = "请用 Excel 或 WPS 打开后另存为 .xlsx 再导入"


class WorkbookUnreadable(Refused):
    """The file as a whole cannot be imported 工作簿无法读取; its title is one sentence for the office."""


def read_package(path: Path) -> bytes:
    """The bytes of a workbook that is safe to parse.

    Raises WorkbookUnreadable: workbook_missing, workbook_not_excel, workbook_encrypted, workbook_damaged,
    workbook_too_large.
    """
    return checked_package(_read_file(path))


def checked_package(content: bytes) -> bytes:
    """The same bytes, once they are known to be a workbook that is safe to parse.

    Raises WorkbookUnreadable: workbook_not_excel, workbook_encrypted, workbook_damaged, workbook_too_large.
    """
    if len(content) > MAX_FILE_BYTES:
        raise too_large(f"文件超过 {MAX_FILE_BYTES // 1024 // 1024} MB")
    if content.startswith(_OLE2):
        _refuse_ole2(content)
    if not content.startswith(_ZIP):
        raise WorkbookUnreadable("workbook_not_excel", f"这个文件不是 Excel 工作簿，{_SAVE_AS}。")
    try:
        with zipfile.ZipFile(BytesIO(content)) as package:
            _check_directory(package)
            _check_parts(package)
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, NotImplementedError, ValueError) as error:
        raise damaged() from error
    return content


def damaged() -> WorkbookUnreadable:
    """The refusal for a file that broke on its way: cut off, altered, or not what its directory says."""
    return WorkbookUnreadable("workbook_damaged", "工作簿已损坏或不完整，请重新取得文件，或用 Excel 修复后再导入。")


def too_large(what: str) -> WorkbookUnreadable:
    """The refusal for a file beyond the bounds; ``what`` says which, in Chinese."""
    return WorkbookUnreadable("workbook_too_large", f"工作簿过大：{what}，请删去无关内容或拆分后再导入。")


def _read_file(path: Path) -> bytes:
    try:
        if not path.is_file():
            reason = "是一个文件夹或特殊文件" if path.exists() else "不存在"
            raise WorkbookUnreadable("workbook_missing", f"找不到工作簿：{path.name} {reason}。")
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        raise WorkbookUnreadable("workbook_missing", f"工作簿 {path.name} 无法打开，请检查文件名和权限。") from error
    return content


def _refuse_ole2(content: bytes) -> None:
    if _ENCRYPTED_STREAM in content:
        raise WorkbookUnreadable("workbook_encrypted", "工作簿设有打开密码，请取消密码后再导入。")
    raise WorkbookUnreadable("workbook_not_excel", f"这是旧版 .xls 或其他格式的文件，{_SAVE_AS}。")


def _check_directory(package: zipfile.ZipFile) -> None:
    parts = package.infolist()
    names = {part.filename for part in parts}
    if any(part.flag_bits & 0x1 for part in parts):
        raise WorkbookUnreadable("workbook_encrypted", "文件设有压缩密码，请取消密码后再导入。")
    has_sheets = any(name.startswith("xl/") and name.endswith(".xml") for name in names)
    if "[Content_Types].xml" not in names or not has_sheets:
        raise WorkbookUnreadable("workbook_not_excel", f"这个文件不是 .xlsx 工作簿，{_SAVE_AS}。")
    if any(part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in parts):
        raise damaged()  # spreadsheet programs know no other compression
    if len(parts) > MAX_PARTS:
        raise too_large(f"内含部件超过 {MAX_PARTS} 个")
    if sum(part.file_size for part in parts if _is_parsed(part)) > MAX_XML_BYTES:
        raise too_large(f"解压后超过 {MAX_XML_BYTES // 1024 // 1024} MB")


def _check_parts(package: zipfile.ZipFile) -> None:
    # The directory may lie about sizes: zipfile never inflates more than it says, and then checks the CRC.
    tags = 0
    for part in package.infolist():
        if not _is_parsed(part):
            continue
        tail = b""
        with package.open(part) as stream:
            while chunk := stream.read(_CHUNK):
                tags += chunk.count(b"<") - chunk.count(b"</")
                if tags > MAX_XML_TAGS:
                    raise too_large("单元格过多")
                if _DECLARATION.search(tail + chunk):
                    raise damaged()  # no spreadsheet program writes entities; only attacks do
                tail = chunk[-16:]


def _is_parsed(part: zipfile.ZipInfo) -> bool:
    # Pictures are never opened and may be as large as the file; everything the parser may read counts.
    return not part.filename.startswith("xl/media/")
