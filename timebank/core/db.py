"""The database: engine, sessions and the one ``commit()`` of the whole repository."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Engine, MetaData, Text, create_engine
from sqlalchemy.dialects.postgresql import TIMESTAMP, UUID
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

NAMING = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}


class Base(DeclarativeBase):
    """Root of all tables; fixes the names of constraints and the types of times and ids."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {
        datetime: TIMESTAMP(timezone=True),
        str: Text,
        int: BigInteger,
    }


Instant = TIMESTAMP(timezone=True)
UuidColumn = UUID(as_uuid=True)


class Database:
    """One PostgreSQL database: hands out sessions and units of work.

    ``pool_size`` connections are kept; ``overflow`` more, as many again if nothing is said, come and go with need.
    """

    def __init__(self, url: str, *, pool_size: int = 10, overflow: int | None = None, **engine_options: Any) -> None:
        self.engine: Engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size if overflow is None else overflow,
            pool_pre_ping=True,
            connect_args={"options": "-c timezone=UTC -c lock_timeout=20s"},
            **engine_options,
        )
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    def session(self) -> Session:
        """A new session; whoever takes it closes it."""
        return self._sessions()

    @contextmanager
    def unit_of_work(self) -> Iterator[Session]:
        """A session of its own for one unit of work: everything in it happens, or nothing does."""
        with self.session() as session, unit_of_work(session):
            yield session

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


@contextmanager
def unit_of_work(session: Session) -> Iterator[Session]:
    """Commit what was done in ``session`` when the block ends, undo all of it when the block raises."""
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise


def of_one_moment(session: Session) -> None:
    """Let everything that ``session`` reads be of one moment, whatever happens meanwhile; before it reads anything."""
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
