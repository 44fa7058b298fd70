"""Finding the columns of a sheet by the words in its heading row 表头, whatever their order and wording."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from timebank.importing.cells import read_text
from timebank.importing.package import WorkbookUnreadable
from timebank.people.widths import half_width, without_blanks

VOLUNTEERS, ELDERS, RECORDS, LINES = "志愿者名册", "老人名册", "服务记录", "往来明细"
DINERS = "用餐对象"
MENU = "菜单"
SEARCHED_ROWS = 15

NumberedRow = tuple[int, tuple[object, ...]]

_ID = r"(?:(?:公民|居民)?身份(?:证件|证)?(?:号码|号)?|证件(?:号码|号|编号))"
_PHONE = r"(?:本人)?(?:联系)?(?:手机|电话|手机电话)(?:号码|号)?|联系(?:方式|号码)"
_TOWNSHIP = r"(?:所属|所在|户籍|居住)?(?:镇街|街镇|乡镇|镇乡|镇街道|乡镇街道|街道乡镇|街道镇|街道|镇|属地)(?:名称)?"
_VILLAGE = r"(?:所属|所在|居住)?(?:村社区?|社区村?|村居|村)(?:名称)?"
_ABILITY = r"(?:能力|失能|自理能力|能力评估|评估|失能评估)(?:等级|级别|程度)|自理能力|失能情况"
_CIRCUMSTANCES = r"特殊(?:情况|困难|困难情况|困难类型|身份)|困难(?:情况|类型|类别)|人员类别"
_VOLUNTEER = r"(?:志愿者|志愿服务者|志愿服务人员|服务者|服务人员)"
_ELDER = r"(?:服务对象|被服务对象|被服务人|受助人|受助老人|受助对象|老年人|老人|长者)"
_COUNTERPART = rf"(?:对方|往来|对手)(?:{_TOWNSHIP}|单位|账簿)(?:代码)?|往来对方|对方"
_ANYBODY = re.compile(f"(?P<person>{_VOLUNTEER}|{_ELDER})(?:姓名|名字)?")
_ASIDE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】")
_ORNAMENT = re.compile(r"[*:()\[\]【】/\\、·|]")


@dataclass(frozen=True, slots=True)
class Column:
    """One thing that a sheet may tell: its field, the heading it goes by, and the pattern of all its headings."""

    field: str
    label: str
    pattern: str
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """Where a sheet's table begins: the last heading row, the headings as they stand, the place of each field."""

    row: int
    titles: tuple[str, ...]
    places: Mapping[str, int]


_ROSTER = (
    Column("township", "所属镇街", _TOWNSHIP, needed=True),
    Column("phone", "联系电话", _PHONE),
    Column("number", "序号", r"序号|编号|号次|No\.?"),
)
COLUMNS: Mapping[str, tuple[Column, ...]] = {
    VOLUNTEERS: (
        Column("name", "姓名", rf"(?:{_VOLUNTEER})?(?:姓名|名字)|{_VOLUNTEER}", needed=True),
        Column("id_number", "身份证号", rf"(?:{_VOLUNTEER}|本人)?{_ID}", needed=True),
        *_ROSTER,
        Column("skills", "特长", r"(?:服务)?(?:特长|专长|技能)"),
    ),
    ELDERS: (
        Column("name", "姓名", rf"(?:{_ELDER})?(?:姓名|名字)|{_ELDER}", needed=True),
        Column("id_number", "身份证号", rf"(?:{_ELDER}|本人)?{_ID}", needed=True),
        *_ROSTER,
        Column("village", "村社", _VILLAGE),
        Column("ability", "能力等级", _ABILITY),
        Column("circumstances", "特殊情况", _CIRCUMSTANCES),
    ),
    RECORDS: (
        Column("day", "日期", r"(?:服务|活动)?日期|(?:服务|活动)日", needed=True),
        Column("volunteer_name", "志愿者", rf"{_VOLUNTEER}(?:姓名|名字)?"),
        Column("volunteer_id_number", "志愿者身份证号", rf"{_VOLUNTEER}{_ID}", needed=True),
        Column("elder_name", "服务对象", rf"{_ELDER}(?:姓名|名字)?"),
        Column("elder_id_number", "服务对象身份证号", rf"{_ELDER}{_ID}", needed=True),
        Column("content", "服务内容", r"(?:服务)?(?:内容|项目|类型|类别)"),
        Column("span", "服务时间", r"(?:服务|活动|起止|服务起止)?(?:时间|时间段|时段)|起止时间", needed=True),
        Column("start", "开始时间", r"(?:服务)?(?:时间)?(?:开始|起始)(?:时间|时刻)?"),
        Column("end", "结束时间", r"(?:服务)?(?:时间)?(?:结束|终止|截止)(?:时间|时刻)?"),
        Column("recorder", "记录人", r"(?:记录|登记|填表|填报)(?:人|人员|员)"),
        Column("number", "序号", r"序号|编号|号次|No\.?"),
    ),
    LINES: (
        Column("transfer_id", "划转编号", r"(?:划转|明细|往来|业务)?(?:编号|单号|流水号)|划转(?:号|ID)"),
        Column("day", "日期", r"(?:服务|活动|业务|发生|生效|往来|用餐|兑换)?(?:日期|日)", needed=True),
        Column("moment", "服务时间", r"(?:服务|活动|业务|发生|生效|用餐|兑换)时间"),
        Column("name", "人员", rf"(?:人员|{_VOLUNTEER}|{_ELDER})?(?:姓名|名字)|人员|{_VOLUNTEER}|{_ELDER}"),
        Column("id_number", "身份证号", rf"(?:人员|本人|{_VOLUNTEER}|{_ELDER})?{_ID}"),
        Column("counterpart", "对方镇街", _COUNTERPART),
        Column("minutes", "分钟", r"(?:服务|往来|时长|应收应付)?分钟数?", needed=True),
        Column("hours", "时长（小时）", r"(?:服务)?时长小时|(?:服务|往来)?小时数?"),
        Column("direction", "方向", r"(?:往来|收付)?方向|应收应付|收付"),
        Column("note", "备注", r"备注|说明|摘要"),
        Column("number", "序号", r"序号|号次|No\.?"),
    ),
    MENU: (
        Column("day", "日期", r"(?:供餐|用餐|就餐)?(?:日期|日)", needed=True),
        Column("meal", "餐次", r"餐次|餐别|供餐(?:时段|餐次)", needed=True),
        Column("name", "菜名", r"菜名|菜品(?:名称)?|菜肴(?:名称)?|品名", needed=True),
        Column("portion", "份量", r"[份分]量|规格"),
        Column("price", "单价（元）", r"(?:单价|价格|售价|定价)元?", needed=True),
        Column("love_meal", "爱心餐", r"(?:是否)?爱心餐"),
        Column("diet_forms", "形态", r"(?:餐食|餐品|菜品)?形态"),
        Column("diet_tags", "标签", r"(?:饮食|菜品)?标签"),
        Column("allergens", "过敏原", r"(?:含)?过敏(?:原|源)"),
        Column("sources", "食材来源", r"(?:食材)?来源|食材溯源"),
        Column("limit", "限量", r"(?:每餐)?限量(?:份数)?|限供(?:份数)?"),
        Column("number", "序号", r"序号|号次|No\.?"),
    ),
    DINERS: (
        Column("name", "姓名", rf"(?:用餐对象|用餐人|{_ELDER})?(?:姓名|名字)|用餐对象|{_ELDER}", needed=True),
        Column("id_number", "身份证号", rf"(?:用餐对象|用餐人|{_ELDER}|本人)?{_ID}", needed=True),
        *_ROSTER,
        Column("village", "村社", _VILLAGE),
        Column("diet_form", "餐食形态", r"(?:餐食|饮食|膳食)?(?:形态|形式)|餐食(?:类型|种类)"),
        Column("allergies", "过敏", r"(?:食物)?过敏(?:原|源|食物|史|情况)?"),
        Column("religious_diet", "饮食习惯", r"(?:宗教|民族)?(?:饮食|膳食)(?:习惯|禁忌)|宗教饮食"),
        Column("categories", "特殊类别", rf"(?:特殊|对象)类别|{_CIRCUMSTANCES}"),
        Column("valid_from", "类别起", r"(?:类别|有效期?)(?:起|开始|起始)(?:日期|时间|日)?"),
        Column("valid_until", "类别止", r"(?:类别|有效期?)(?:止|至|结束|终止|截止)(?:日期|时间|日)?"),
        Column("evidence", "证明", r"(?:类别)?(?:证明|依据)(?:材料|文件|编号)?"),
        Column("canteen", "常用助餐点", r"(?:常用|就餐|所属)?(?:助餐点|(?:老年)?食堂)(?:名称|编号)?"),
        Column("delivery_address", "送餐地址", r"(?:送餐|配送|家庭|居住)?(?:地址|住址)"),
        Column("delivery_note", "送餐备注", r"(?:送餐|配送)?(?:备注|说明)"),
        Column("household_id_number", "同户", rf"同(?:户|住)(?:人|人员|家属)?(?:{_ID})?"),
    ),
}

# What stands for a needed column where it is not there itself.
_INSTEAD = {"span": {"start", "end"}, "day": {"moment"}, "minutes": {"hours"}}


def find_heading(sheet: str, rows: Sequence[NumberedRow]) -> Heading:
    """The heading among the first rows: one row, or two where wide cells stand over narrow ones.

    Raises WorkbookUnreadable: column_missing, naming the first needed column that the best row lacks.
    """
    top = [(row, tuple(read_text(cell) for cell in cells)) for row, cells in rows if row <= SEARCHED_ROWS + 1]
    best: Heading | None = None
    for heading in _candidates(sheet, top):
        if not missing_columns(sheet, heading.places):
            return heading
        if best is None or len(heading.places) > len(best.places):
            best = heading
    label = missing_columns(sheet, best.places if best else {})[0]
    raise WorkbookUnreadable(
        "column_missing", f"工作表“{sheet}”缺少“{label}”列，请补上这一列的表头后再导入。", sheet=sheet, column=label
    )


def missing_columns(sheet: str, places: Mapping[str, int]) -> list[str]:
    """The headings of needed columns that are not there, where nothing else stands for them."""
    given = set(places) | {field for field, instead in _INSTEAD.items() if instead <= set(places)}
    return [column.label for column in COLUMNS[sheet] if column.needed and column.field not in given]


def _candidates(sheet: str, top: Sequence[tuple[int, tuple[str, ...]]]) -> Iterator[Heading]:
    for row, titles in top:
        if row <= SEARCHED_ROWS:
            yield Heading(row, titles, _places(sheet, titles))
    for (row, titles), (next_row, under) in itertools.pairwise(top):
        if next_row == row + 1:
            joined = tuple(over + below for over, below in itertools.zip_longest(titles, under, fillvalue=""))
            yield Heading(next_row, joined, _places(sheet, joined))


def _places(sheet: str, titles: Sequence[str]) -> dict[str, int]:
    places: dict[str, int] = {}
    person = ""
    for index, title in enumerate(titles):
        words = _variants(title)
        somebody = next((found for word in words if (found := _ANYBODY.fullmatch(word))), None)
        person = somebody["person"] if somebody else person
        if sheet == RECORDS and any(re.fullmatch(_ID, word) for word in words):
            words = [person + word for word in words]  # 志愿者 | 身份证号 | 服务对象 | 身份证号
        for column in COLUMNS[sheet]:
            if column.field not in places and any(re.fullmatch(column.pattern, word) for word in words):
                places[column.field] = index
                break
    return places


def _variants(title: str) -> list[str]:
    plain = without_blanks(half_width(title))
    return [_ORNAMENT.sub("", _ASIDE.sub("", plain)), _ORNAMENT.sub("", plain)]
