"""All tables of the bank, gathered for migrations to compare with."""

from timebank.allotments import models as _allotments
from timebank.audit import models as _audit
from timebank.canteens.counter import models as _counter
from timebank.canteens.delivery import models as _delivery
from timebank.canteens.diners import models as _diners
from timebank.canteens.menus import models as _menus
from timebank.canteens.network import models as _network
from timebank.canteens.orders import models as _orders
from timebank.canteens.purses import models as _purses
from timebank.canteens.ratings import models as _ratings
from timebank.canteens.subsidies import models as _subsidies
from timebank.clearing import models as _clearing
from timebank.clearing import reconciliation_models as _reconciliation
from timebank.core import key_mark as _key_mark
from timebank.core import replies as _replies
from timebank.core.db import Base
from timebank.giving import models as _giving
from timebank.importing import models as _importing
from timebank.leaving import models as _leaving
from timebank.ledger import models as _ledger
from timebank.notifications import models as _notifications
from timebank.people import family_models as _family
from timebank.people import login_models as _logins
from timebank.people import models as _people
from timebank.policies import models as _policies
from timebank.redemption import models as _redemption
from timebank.redemption import offline_models as _offline
from timebank.redemption.aids import models as _aids
from timebank.redemption.care import models as _care
from timebank.supervision.figures import models as _figures
from timebank.tasks import models as _tasks
from timebank.townships import models as _townships

_ALL = (
    _allotments,
    _aids,
    _audit,
    _clearing,
    _counter,
    _delivery,
    _diners,
    _menus,
    _network,
    _orders,
    _purses,
    _ratings,
    _subsidies,
    _family,
    _figures,
    _giving,
    _importing,
    _key_mark,
    _replies,
    _leaving,
    _ledger,
    _notifications,
    _offline,
    _logins,
    _people,
    _policies,
    _reconciliation,
    _redemption,
    _care,
    _tasks,
    _townships,
)

metadata = Base.metadata
