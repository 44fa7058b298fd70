"""ID numbers and phones lie sealed: whoever reads the whole database reads none of them."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from tests.conftest import SECRET
from tests.factories.people import DAYAN, XIWU, add_canteen, add_elder, clerk, district, steward, valid_id_number
from tests.factories.tasks import NINE, accept, ask, check_in, past_service, serve
from tests.factories.vouchers import bought, scan
from timebank.core import clock, crypto
from timebank.core.db import Database
from timebank.people.actions import Enrolment, enrol, register, wechat_login
from timebank.people.models import Person
from timebank.people.queries import actor_of, people_by_id_numbers
from timebank.tasks import actions as tasks

PHONE = "13912345678"


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def every_row(session: Session) -> dict[str, str]:
    """All rows of all tables as text, byte strings as hexadecimal digits."""
    names = session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
    return {name: "\n".join(session.scalars(text(f'SELECT t::text FROM "{name}" t'))) for name in names}


def written_everywhere(bank: Database) -> str:
    """A person whose number and phone have been through everything that writes; answers the number."""
    number = valid_id_number(NINE.date().replace(year=1956))
    with bank.unit_of_work() as session:
        login = wechat_login(session, openid="openid-of-somebody")
        phone = actor_of(session, login.id)
        assert phone is not None
        enrol(session, actor=steward(XIWU), form=Enrolment("王梅", number, XIWU, PHONE, ("volunteer",)))
        register(session, actor=phone, form=Enrolment("王梅", number, XIWU, PHONE))
        volunteer = actor_of(session, login.id)
        elder, canteen = add_elder(session, XIWU), add_canteen(session, DAYAN)
        assert volunteer is not None
        form = past_service(volunteer, elder, ended_at=NINE)
        tasks.approve_record(
            session, actor=district(), task_id=tasks.record(session, actor=steward(XIWU), form=form).id
        )
        served, disputed = ask(session, elder), ask(session, elder, starts_at=NINE.replace(hour=15))
    serve(bank, volunteer, served)
    accept(bank, volunteer, disputed)
    check_in(bank, volunteer, disputed)
    with bank.unit_of_work() as session:
        tasks.dispute(session, actor=volunteer, task_id=disputed.id, reason="不适")
    scan(bank, clerk(canteen), bought(bank)[1][0].code)
    return number


def test_no_number_and_no_phone_is_clear_anywhere_in_the_database(bank: Database) -> None:
    number = written_everywhere(bank)
    with bank.session() as session:
        rows = every_row(session)
        assert "王梅" in rows["person"]
        assert rows["audit_entry"]
        assert rows["notice"]
        for clear in (number, number[:14], PHONE, PHONE[3:]):
            for shown in (clear, clear.encode().hex()):
                assert [name for name, found in rows.items() if shown in found] == []


def test_the_bank_itself_reads_them_with_its_secret_and_with_no_other(bank: Database) -> None:
    number = written_everywhere(bank)
    with bank.session() as session:
        person = people_by_id_numbers(session, [number])[number]
        assert (person.id_number, person.phone) == (number, PHONE)
    crypto.use_secret("another secret that is long enough, too")
    with bank.session() as session:
        assert people_by_id_numbers(session, [number]) == {}
        with pytest.raises(ValueError, match="the secret is another one"):
            session.scalars(select(Person)).all()
    crypto.use_secret(SECRET)


def test_equal_numbers_have_equal_blind_indexes_and_different_seals(bank: Database) -> None:
    number = written_everywhere(bank)
    seals = text("SELECT id_number, id_number_index FROM person WHERE id_number_index = :index")
    with bank.unit_of_work() as session:
        wanted = {"index": crypto.keyring().blind_index(number)}
        [before] = session.execute(seals, wanted).all()
        session.execute(text("UPDATE person SET id_number = :sealed"), {"sealed": crypto.keyring().seal(number)})
        [after] = session.execute(seals, wanted).all()
        assert before.id_number_index == after.id_number_index
        assert before.id_number != after.id_number
