"""The mark of the secret 密钥印记: by it a database knows the secret that its values were sealed with.

With another secret nobody would be found by number, and whoever is entered again would be entered twice.
"""

from __future__ import annotations

import hmac

from sqlalchemy import CheckConstraint, LargeBinary, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from timebank.core.crypto import keyring
from timebank.core.db import Base

_MARKED = "the secret of this bank"


class KeyMark(Base):
    """One row, made with the first secret that the bank is opened with."""

    __tablename__ = "key_mark"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    mark: Mapped[bytes] = mapped_column(LargeBinary)


def secret_fits(session: Session) -> bool:
    """Whether this process has the bank's secret; a bank that has no mark yet takes the present one."""
    mark = keyring().blind_index(_MARKED)
    session.execute(insert(KeyMark).values(id=1, mark=mark).on_conflict_do_nothing())
    return hmac.compare_digest(session.scalars(select(KeyMark.mark)).one(), mark)
