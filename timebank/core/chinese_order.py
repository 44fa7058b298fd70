"""Names in the order of a Chinese register 按拼音排列, the same on every PostgreSQL that the bank runs on.

The embedded PostgreSQL knows no collation of ICU, so the order is that of GB 18030: its characters of the first level
(3755, nearly everything that is written) stand by pinyin. Of the second level, which stands by radicals, characters
that are common in names are ordered as one of the same sound. What is rarer comes after them; letters and digits
come before. A surname of several sounds stands where its character usually does: 单 under d.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, func

_RARE = (
    "竺邬裘闫奚嵇邰臧瞿阚郗邳鄢鄞郜郏佟仝亓芮芈荀菅蒯蔺郦邝缪綦冼濮佘佴俎妫姒嬴庾麴栾殳昝晁晏暨於胥胤訾谌"
    "谯贲逄逯郄郇郓郯钭隗隽雒岑邗邺郅邴酆夔闵阙璩琚楮缑厍笪覃侴仉乜兀卻戢扈晟呙蹇宓娅琪玥珏瑾瑜璇玮璐婷妍"
    "嫣婕媛姣娣姗莺菁蓓薇芸芙茜萱淼滢潇炜煜熠烨焱昊晗昕晖暄曦旻钰锴鑫钏铨镒骅颉皓翊翎睿羲祺祯禧筠赟霁雯靓"
    "馨韬彧怡恺愔懿倩俪侃偲劼勖垚堃峥嵘嵩岚"
)
_SOUND_ALIKE = (
    "竹乌求严西机台脏渠看西批烟银告夹同同其瑞米寻间块吝力矿妙其显蒲舌耐组归四营雨曲峦书攒巢宴技于须印资尘"
    "乔奔旁路窃寻运谈偷伟俊落层含叶至丙丰葵敏却渠居楚勾社达秦丑掌聂务却及户圣锅减密亚其月决仅于旋伟路停言"
    "烟杰元交弟山英精倍威云扶欠宣秒营消伟玉义叶宴号含心灰宣西民玉凯心串全义华杰号义灵瑞西其真喜云云季文静"
    "心掏玉移凯因义欠力坎司杰续尧昆争容松兰"
)

_FROM_RARE = str.maketrans(_RARE, _SOUND_ALIKE)


def pinyin_key(name: str) -> bytes:
    """The same as ``by_pinyin``, for what is sorted outside the database."""
    return name.translate(_FROM_RARE).encode("gb18030")


def by_pinyin(name: Any) -> ColumnElement[bytes]:
    """What to sort by, so that names stand by pinyin; of equal sound they may be equal."""
    return func.convert_to(func.translate(name, _RARE, _SOUND_ALIKE), "GB18030", type_=LargeBinary)
