"""Making lost vouchers anew 挂失补办: the old codes die, the minutes stay where they are."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.core.actors import Actor
from timebank.notifications.actions import notify_person
from timebank.people.queries import people_by_ids, spoken_name
from timebank.redemption.actions.choosing import must_be_unused, named_vouchers, one_choice, unused_vouchers
from timebank.redemption.actions.replacing import put_in_place, successor_of
from timebank.redemption.models import Voucher
from timebank.redemption.rules import VoidReason


def reissue_vouchers(
    session: Session, *, actor: Actor, voucher_ids: Sequence[UUID] | None = None, for_person_id: UUID | None = None
) -> list[Voucher]:
    """Replace the vouchers named, or all that a person has unused, by others with new codes; answers those.

    No minute moves, and each is good as long as the old one was. One that was replaced as lost before answers with
    what replaced it, so that asking twice makes one new card. For the holder, a proxy, or a steward of the holder's
    township. Raises NotAllowed ``not_your_elder``, ``proxy_scope_missing``; NotFound ``voucher_unknown``,
    ``person_unknown``; Conflict ``voucher_not_issued``; Refused ``choice_unclear``.
    """
    one_choice(voucher_ids, for_person_id)
    if voucher_ids is not None:
        lost = named_vouchers(session, actor=actor, voucher_ids=voucher_ids, lock=True)
    else:
        assert for_person_id is not None
        lost = unused_vouchers(session, actor=actor, holder_id=for_person_id, lock=True)
    again = [voucher for voucher in lost if voucher.void_reason != VoidReason.LOST]
    for voucher in again:
        must_be_unused(voucher)
    holders = people_by_ids(session, {voucher.holder_id for voucher in again})
    new = {
        voucher.id: successor_of(
            voucher,
            actor=actor,
            giver=holders[voucher.holder_id],
            holder_id=voucher.holder_id,
            account_id=voucher.account_id,
        )
        for voucher in again
    }
    put_in_place(session, new, again, VoidReason.LOST)
    for holder_id, holder in holders.items():
        count = sum(voucher.holder_id == holder_id for voucher in again)
        body = f"{spoken_name(actor, holder)}挂失补办了{count}张用餐券，旧券已不能使用。"
        notify_person(session, person_id=holder_id, title="用餐券已挂失补办", body=body)
        note_down(session, actor=actor, action="vouchers_reissued", subject=("person", holder_id), vouchers=count)
    return [new[voucher.id] if voucher.id in new else _replacement(session, voucher) for voucher in lost]


def _replacement(session: Session, voucher: Voucher) -> Voucher:
    return session.get_one(Voucher, voucher.replaced_by_id)
