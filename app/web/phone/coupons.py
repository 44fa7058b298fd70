"""Meal vouchers: what one has, one to be shown at the counter, buying, and what else may become of them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.doors import form_key, go, page
from app.web.lists import township_names
from app.web.phone.acting import (
    elder_named,
    means_of,
    policies_for,
    relatives,
    spending,
    sure,
    township_of,
    whom,
)
from app.web.screens import filled, screen
from timebank.core.amounts import hours_text

doors = Blueprint("coupons", __name__)

HOME = "/m/vouchers"
_SCOPE = "meals"
_MOST_OFFERED = 10
_BECAME = {"lost": "挂失了，已补办新券", "given": "送给了亲属", "cancelled": "镇街作废了，时长已退回"}


@page(doors, HOME, who="person")
def coupons(ask: Asker) -> Response:
    return _listed(ask, "phone/coupon_list.html", status="issued")


@page(doors, f"{HOME}/all", who="person")
def all_coupons(ask: Asker) -> Response:
    return _listed(ask, "phone/coupon_all.html", status=None)


@page(doors, f"{HOME}/buy", who="person")
def buying(ask: Asker) -> Response:
    return _buy_form(ask, request.args.to_dict())


@page(doors, f"{HOME}/buy/sure", who="person")
def buying_sure(ask: Asker) -> Response:
    wanted = {name: request.args.get(name, "") for name in ("quantity", "for_person_id", "home_only")}
    wrong = ask.unreadable("vouchers.buy", wanted)
    if wrong is not None:
        return _buy_form(ask, wanted, wrong)
    people, price = whom(ask, _SCOPE), _price(ask, wanted["for_person_id"])
    elder = elder_named(ask, people, wanted["for_person_id"])
    return sure(
        ask,
        f"换 {wanted['quantity']} 张用餐券",
        to=f"{HOME}/buy",
        button="确定，换",
        back=f"{HOME}/buy",
        words=[f"替{elder}办，用的是{elder}的时长。"] if elder else [],
        facts=[
            ("每张", hours_text(price)),
            *spending(ask, price * int(wanted["quantity"]), wanted["for_person_id"]),
            *([("在哪里用", "只在本镇街")] if wanted["home_only"] == "1" else []),
        ],
        hidden={name: value for name, value in wanted.items() if value},
    )


@page(doors, f"{HOME}/buy", who="person", method="POST")
def buy(ask: Asker) -> Response:
    sent = filled()
    answer = ask.write("vouchers.buy", sent, key=form_key())
    if isinstance(answer, Refusal):
        return _buy_form(ask, sent, answer)
    paid = sum(one["price_minutes"] for one in answer["items"])
    tell(f"换好了 {len(answer['items'])} 张用餐券，用了 {hours_text(paid)}")
    return go(_home_of(ask, sent.get("for_person_id")))


@page(doors, f"{HOME}/lost", who="person")
def card_lost(ask: Asker) -> Response:
    return _card_lost(ask, request.args.get("for_person_id"))


@page(doors, f"{HOME}/lost", who="person", method="POST")
def make_all_anew(ask: Asker) -> Response:
    whose = filled().get("for_person_id") or str(ask.actor.person())
    answer = ask.write("vouchers.reissue", {"for_person_id": whose}, key=form_key())
    if isinstance(answer, Refusal):
        return _card_lost(ask, whose, answer)
    tell(f"补办了 {len(answer['items'])} 张，旧券不能再用了")
    return go(_home_of(ask, whose))


@page(doors, f"{HOME}/<uuid:voucher_id>", who="person")
def coupon(ask: Asker, voucher_id: UUID) -> Response:
    found, elder = _found(ask, voucher_id)
    townships = township_names(ask)
    return screen(
        "phone/coupon_one.html",
        ask.actor,
        voucher=found,
        elder_name=elder,
        only_in=townships.get(found["only_township_code"] or "", "本镇街"),
        became=_BECAME.get(found["void_reason"] or "", ""),
    )


@page(doors, f"{HOME}/<uuid:voucher_id>/refund", who="person")
def refunding(ask: Asker, voucher_id: UUID) -> Response:
    return _refund_sure(ask, voucher_id)


@page(doors, f"{HOME}/<uuid:voucher_id>/refund", who="person", method="POST")
def refund(ask: Asker, voucher_id: UUID) -> Response:
    answer = ask.write("vouchers.refund", key=form_key(), voucher_id=voucher_id)
    if isinstance(answer, Refusal):
        return _refund_sure(ask, voucher_id, answer)
    tell(f"用餐券退了，{hours_text(answer['price_minutes'])}已回到账户")
    return go(_home_of(ask, answer["holder_id"]))


@page(doors, f"{HOME}/<uuid:voucher_id>/lost", who="person")
def one_lost(ask: Asker, voucher_id: UUID) -> Response:
    return _lost_sure(ask, voucher_id)


@page(doors, f"{HOME}/<uuid:voucher_id>/lost", who="person", method="POST")
def make_anew(ask: Asker, voucher_id: UUID) -> Response:
    answer = ask.write("vouchers.reissue", {"voucher_ids": [str(voucher_id)]}, key=form_key())
    if isinstance(answer, Refusal):
        return _lost_sure(ask, voucher_id, answer)
    tell("补办好了，旧券不能再用了")
    return go(f"{HOME}/{answer['items'][0]['voucher_id']}")


@page(doors, f"{HOME}/<uuid:voucher_id>/give", who="person")
def giving(ask: Asker, voucher_id: UUID) -> Response:
    return _give_form(ask, voucher_id)


@page(doors, f"{HOME}/<uuid:voucher_id>/give", who="person", method="POST")
def give(ask: Asker, voucher_id: UUID) -> Response:
    answer = ask.write("vouchers.give", filled(), key=form_key(), voucher_id=voucher_id)
    if isinstance(answer, Refusal):
        return _give_form(ask, voucher_id, answer)
    tell("送出去了，新的券码在对方那里")
    return go(HOME)


def last_day(expires_at: str) -> date:
    """The last day on which something is good that ends at a moment, a midnight most often."""
    return (datetime.fromisoformat(expires_at) - timedelta(microseconds=1)).date()


def _listed(ask: Asker, template: str, *, status: str | None) -> Response:
    people = whom(ask, _SCOPE)
    whose = request.args.get("for_person_id") or str(ask.actor.person())
    query = {"for_person_id": whose, "status": status, "limit": 20, "cursor": request.args.get("cursor")}
    found = ask.read("vouchers.list", query)
    return screen(
        template,
        ask.actor,
        vouchers=[_with_last_day(one) for one in found["items"]],
        next_cursor=found["next_cursor"],
        people=people,
        whose=whose,
        elder_name=elder_named(ask, people, whose),
    )


def _with_last_day(voucher: dict[str, Any]) -> dict[str, Any]:
    return {**voucher, "last_day": last_day(voucher["expires_at"])}


def _found(ask: Asker, voucher_id: UUID) -> tuple[dict[str, Any], str | None]:
    """One voucher of one's own or of an elder's, with the elder's name. Raises NotFound ``voucher_unknown``."""
    found = ask.read("vouchers.show", voucher_id=voucher_id)
    return _with_last_day(found), elder_named(ask, whom(ask, _SCOPE), found["holder_id"])


def _price(ask: Asker, person_id: str | None) -> int:
    """As in the township of whoever will eat for it."""
    return int(policies_for(ask, township_of(ask, person_id))["voucher_price_minutes"])


def _home_of(ask: Asker, person_id: str | None) -> str:
    """The list where the vouchers of somebody are."""
    own = not person_id or person_id == str(ask.actor.person())
    return HOME if own else f"{HOME}?for_person_id={person_id}"


def _buy_form(ask: Asker, sent: dict[str, str], refusal: Refusal | None = None) -> Response:
    people = whom(ask, _SCOPE)
    prices = {person_id: _price(ask, person_id) for person_id, _ in people}
    price = prices[people[0][0]] if len(set(prices.values())) == 1 else None
    most = min(_MOST_OFFERED, int(policies_for(ask, ask.actor.township_code)["voucher_max_quantity"]))
    return screen(
        "phone/coupon_buy.html",
        ask.actor,
        refusal=refusal,
        filled=sent,
        people=people,
        prices=prices,
        means=means_of(ask, people),
        quantities=[
            (count, f"{count} 张" if price is None else f"{count} 张（{hours_text(count * price)}）")
            for count in range(1, most + 1)
        ],
    )


def _refund_sure(ask: Asker, voucher_id: UUID, refusal: Refusal | None = None) -> Response:
    found, elder = _found(ask, voucher_id)
    return sure(
        ask,
        "退这张用餐券",
        to=f"{HOME}/{voucher_id}/refund",
        button="确定，退券",
        back=f"{HOME}/{voucher_id}",
        words=["退了以后，这张券不能再用。"],
        facts=[("券码", found["code_grouped"]), (_back_to(elder), hours_text(found["price_minutes"]))],
        danger=True,
        refusal=refusal,
    )


def _back_to(elder: str | None) -> str:
    return f"退回{elder}的账户" if elder else "退回您的账户"


def _lost_sure(ask: Asker, voucher_id: UUID, refusal: Refusal | None = None) -> Response:
    found, _ = _found(ask, voucher_id)
    return sure(
        ask,
        "券丢了，补办这张",
        to=f"{HOME}/{voucher_id}/lost",
        button="确定，补办",
        back=f"{HOME}/{voucher_id}",
        words=["旧的券码作废，换一个新的券码。不另外扣时长，有效期不变。"],
        facts=[("旧券码", found["code_grouped"])],
        danger=True,
        refusal=refusal,
    )


def _card_lost(ask: Asker, person_id: str | None, refusal: Refusal | None = None) -> Response:
    whose = person_id or str(ask.actor.person())
    elder = elder_named(ask, whom(ask, _SCOPE), whose)
    unused = ask.everything("vouchers.list", {"for_person_id": whose, "status": "issued"})
    return sure(
        ask,
        "券卡丢了，全部补办",
        to=f"{HOME}/lost",
        button="确定，全部补办",
        back=_home_of(ask, whose),
        words=[
            *([f"替{elder}办。"] if elder else []),
            "没用过的券都换成新的券码，旧的作废。不另外扣时长，有效期不变。",
        ],
        facts=[("没用过的券", f"{len(unused)} 张")],
        hidden={"for_person_id": whose},
        danger=True,
        refusal=refusal,
    )


def _give_form(ask: Asker, voucher_id: UUID, refusal: Refusal | None = None) -> Response:
    found, _ = _found(ask, voucher_id)
    return screen(
        "phone/coupon_give.html",
        ask.actor,
        refusal=refusal,
        voucher=found,
        relatives=relatives(ask),
    )
