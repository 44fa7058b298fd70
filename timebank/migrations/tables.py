"""All tables of the bank, gathered for migrations to compare with."""

from timebank.audit import models as _audit
from timebank.clearing import models as _clearing
from timebank.clearing import reconciliation_models as _reconciliation
from timebank.core import key_mark as _key_mark
from timebank.core import replies as _replies
from timebank.core.db import Base
from timebank.ledger import models as _ledger
from timebank.notifications import models as _notifications
from timebank.people import login_models as _logins
from timebank.people import models as _people
from timebank.policies import models as _policies
from timebank.redemption import models as _redemption
from timebank.tasks import models as _tasks
from timebank.townships import models as _townships

_ALL = (
    _audit,
    _clearing,
    _key_mark,
    _replies,
    _ledger,
    _notifications,
    _logins,
    _people,
    _policies,
    _reconciliation,
    _redemption,
    _tasks,
    _townships,
)

metadata = Base.metadata
