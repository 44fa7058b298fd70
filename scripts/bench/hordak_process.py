"""A process that transfers with django-hordak, set up as its documentation says; started by ``hordak``.

``fill ACCOUNTS`` makes the tables and the accounts; ``transfer SECONDS AT_ONCE SEED`` says ``ready``, waits to be told,
and says in JSON how much it did. The accounts are had beforehand: a transfer is ``transfer_to`` and nothing else.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from sqlalchemy import make_url

from scripts.bench.hordak import URL_VARIABLE


def _set_up() -> None:
    url = make_url(os.environ[URL_VARIABLE])
    settings.configure(
        SECRET_KEY="not a secret",
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        DEFAULT_CURRENCY="CNY",
        CURRENCIES=["CNY"],
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "mptt", "djmoney", "hordak"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": url.database,
                "USER": url.username,
                "PASSWORD": url.password,
                "HOST": url.host or url.query.get("host"),
                "PORT": url.port or url.query.get("port"),
                "CONN_MAX_AGE": None,
            }
        },
    )
    django.setup()


def _fill(accounts: int) -> None:
    """Accounts without parents, all in one statement: one at a time, its tree would be renumbered for each."""
    from hordak.models import Account, AccountType

    call_command("migrate", verbosity=0)
    place = {"lft": 1, "rght": 2, "level": 0}
    Account.objects.bulk_create(
        Account(name=f"{number}", type=AccountType.asset, currencies=["CNY"], tree_id=number, **place)
        for number in range(1, accounts + 1)
    )
    connection.close()


def _transfer(seconds: float, at_once: int, seed: int) -> None:
    from hordak.models import Account
    from moneyed import CNY, Money

    accounts, chance, amount = list(Account.objects.all()), random.Random(seed), Money(60, CNY)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    transfers, begin = 0, time.monotonic()
    while (now := time.monotonic()) < begin + seconds:
        with transaction.atomic():
            for _ in range(at_once):
                payer, payee = chance.sample(accounts, 2)
                payer.transfer_to(payee, amount)
        transfers += at_once
    connection.close()
    json.dump({"transfers": transfers, "seconds": now - begin}, sys.stdout)


if __name__ == "__main__":
    _set_up()
    if sys.argv[1] == "fill":
        _fill(int(sys.argv[2]))
    else:
        _transfer(float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
