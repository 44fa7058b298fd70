"""Requests and answers about purses and drawers."""

from marshmallow import fields

from app.api.fields import Answer, Body, Id, Moment, PageQuery, Text, Whole
from app.api.operation import Page


class CashBody(Body):
    """Whose purse, and how much cash, in fen."""

    person_id = Id(required=True)
    amount_fen = Whole(required=True)
    note = Text(longest=200, shortest=0, load_default="")


class PurseQuery(Body):
    """Whose purse; without ``person_id`` one's own."""

    person_id = Id()


class PurseStatementQuery(PageQuery):
    """Whose purse, and from where."""

    person_id = Id()


class FindDinerBody(Body):
    """Who says to be there."""

    name = Text(longest=40, required=True)
    id_last_four = Text(longest=10, required=True, load_only=True)


class TillQuery(Body):
    """Whose drawer; a clerk's own without ``canteen_id``."""

    canteen_id = Id()


class HandInBody(Body):
    """Cash received out of a drawer, and the receipt's number."""

    canteen_id = Id(required=True)
    amount_fen = Whole(required=True)
    reference = Text(longest=100, required=True)


class PurseSums(Answer):
    """What is in a purse, what of it is held for meals ordered, what may be used, in fen."""

    balance_fen = fields.Integer(required=True)
    held_fen = fields.Integer(required=True)
    available_fen = fields.Integer(required=True)


class PurseAnswer(PurseSums):
    """Somebody's purse."""

    person_id = Id(required=True)
    name = fields.String(required=True)


class PurseSlipAnswer(PurseSums):
    """收付单: cash taken or paid back, and the purse afterwards."""

    slip_id = Id(required=True)
    kind = fields.String(required=True)
    kind_name = fields.String(required=True)
    person_id = Id(required=True)
    name = fields.String(required=True)
    canteen_id = Id(required=True)
    canteen_name = fields.String(required=True)
    amount_fen = fields.Integer(required=True)
    note = fields.String(required=True)
    made_at = Moment(required=True)
    made_by_name = fields.String(required=True)
    transfer_id = Id(required=True)


class EstateBody(Body):
    """Whose purse, who gets the money, and the paper that names that one."""

    person_id = Id(required=True)
    receiver_name = Text(longest=40, required=True)
    evidence = Text(longest=200, required=True)


class EstateAnswer(Answer):
    """余额继承: asked for by one, paid with the approval of another."""

    estate_id = Id(required=True, attribute="id")
    person_id = Id(required=True)
    status = fields.String(required=True, metadata={"description": "awaiting_second_person、paid"})
    receiver_name = fields.String(required=True)
    evidence = fields.String(required=True)
    requested_at = Moment(required=True)
    requested_by_name = fields.String(required=True)
    approved_at = Moment(required=True, allow_none=True)
    approved_by_name = fields.String(required=True, allow_none=True)
    amount_fen = fields.Integer(required=True, allow_none=True, metadata={"description": "批准时付清的全部余额"})
    transfer_id = Id(required=True, allow_none=True)


class PurseLineAnswer(Answer):
    """One line; ``fen`` is signed, ``sentence`` says why in plain words."""

    transfer_id = Id(required=True)
    posted_at = Moment(required=True)
    kind = fields.String(required=True)
    kind_name = fields.String(required=True)
    fen = fields.Integer(required=True)
    balance_fen = fields.Integer(required=True)
    order_id = Id(required=True, allow_none=True)
    canteen_id = Id(required=True, allow_none=True)
    canteen_name = fields.String(required=True, allow_none=True)
    sentence = fields.String(required=True)


class PurseLinePage(Page):
    """A purse's lines, newest first."""

    items = fields.List(fields.Nested(PurseLineAnswer), required=True)


class CounterDinerAnswer(PurseSums):
    """Somebody whom a clerk may mean, with what the clerk asks to be sure."""

    person_id = Id(required=True)
    name = fields.String(required=True)
    township_code = fields.String(required=True)
    township_name = fields.String(required=True)
    village = fields.String(required=True, allow_none=True)
    unused_vouchers = fields.Integer(required=True)


class CounterDiners(Answer):
    """Everybody with this name and these last four."""

    items = fields.List(fields.Nested(CounterDinerAnswer), required=True)


class HandInAnswer(Answer):
    """缴款: cash received out of a drawer."""

    hand_in_id = Id(required=True)
    canteen_id = Id(required=True)
    amount_fen = fields.Integer(required=True)
    reference = fields.String(required=True)
    received_at = Moment(required=True)
    received_by_name = fields.String(required=True)
    drawer_fen = fields.Integer(required=True, metadata={"description": "缴款后钱箱里应有"})


class HandInLine(Answer):
    """One earlier hand-in."""

    amount_fen = fields.Integer(required=True)
    reference = fields.String(required=True)
    received_at = Moment(required=True)
    received_by_name = fields.String(required=True)


class TillAnswer(Answer):
    """What a drawer should hold, and what was last handed in."""

    canteen_id = Id(required=True)
    canteen_name = fields.String(required=True)
    drawer_fen = fields.Integer(required=True)
    hand_ins = fields.List(fields.Nested(HandInLine), required=True)
