"""For the scene: a signing key, and a meal eaten a second time at a counter without a line."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from tests.factories.people import XIWU, add_canteen, clerk
from timebank.core import clock
from timebank.redemption.actions import make_signing_key, redeem_vouchers
from timebank.redemption.models import Voucher
from timebank.redemption.offline_queries import qr_texts
from timebank.redemption.rules import Scan


def add_loss(session: Session, redeemed: UUID) -> UUID:
    """The voucher that was used in 大堰 was eaten in 西坞 as well; answers the guarantee fund's loss."""
    make_signing_key(session)
    [text] = qr_texts(session, [session.get_one(Voucher, redeemed)])
    counter = clerk(add_canteen(session, XIWU, "西坞断网食堂"))
    [told] = redeem_vouchers(session, actor=counter, scans=[Scan(text, "off-1", clock.now(), offline=True)])
    assert told.verdict.loss_id is not None
    return told.verdict.loss_id
