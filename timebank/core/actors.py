"""Who is asking 操作人: an argument of every action, never a global."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from timebank.core.errors import NotAllowed


class StaffRole(StrEnum):
    """What a staff login may do its work as."""

    DISTRICT_STEWARD = "district_steward"
    TOWNSHIP_STEWARD = "township_steward"
    CANTEEN_CLERK = "canteen_clerk"
    CARE_PROVIDER = "care_provider"
    AUDITOR = "auditor"


STAFF_ROLE_NAMES = {
    StaffRole.DISTRICT_STEWARD: "区级管理员",
    StaffRole.TOWNSHIP_STEWARD: "镇街管理员",
    StaffRole.CANTEEN_CLERK: "助餐点工作人员",
    StaffRole.CARE_PROVIDER: "居家养老服务机构",
    StaffRole.AUDITOR: "审计",
}


@dataclass(frozen=True, slots=True)
class Actor:
    """One signed-in login: a person's WeChat, a member of staff, or the bank's own jobs."""

    login_id: UUID | None
    name: str
    person_id: UUID | None = None
    staff_role: StaffRole | None = None
    township_code: str | None = None
    organisation_id: UUID | None = None
    roles: frozenset[str] = field(default_factory=frozenset)

    @property
    def is_steward(self) -> bool:
        """A steward of a township or of the district."""
        return self.staff_role in (StaffRole.DISTRICT_STEWARD, StaffRole.TOWNSHIP_STEWARD)

    @property
    def is_district(self) -> bool:
        """A steward of the district."""
        return self.staff_role is StaffRole.DISTRICT_STEWARD

    def stewards(self, township_code: str | None) -> bool:
        """Whether this is a steward responsible for ``township_code``: its own, or the district's."""
        return self.is_district or (
            self.staff_role is StaffRole.TOWNSHIP_STEWARD and self.township_code == township_code
        )

    def person(self) -> UUID:
        """The person behind this login. Raises NotAllowed ``registration_needed`` where there is none."""
        if self.person_id is None:
            raise NotAllowed("registration_needed", "请先完成实名登记")
        return self.person_id

    def must_see_books(self) -> None:
        """Stewards and auditors see the books. Raises NotAllowed ``books_not_yours``."""
        if not (self.is_steward or self.staff_role is StaffRole.AUDITOR):
            raise NotAllowed("books_not_yours", "只有管理员和审计可以查看")

    def must_see_district(self) -> None:
        """What concerns the whole district. Raises NotAllowed ``district_only``."""
        if not (self.is_district or self.staff_role is StaffRole.AUDITOR):
            raise NotAllowed("district_only", "只有区级管理员和审计可以查看")

    def must_be_district(self) -> None:
        """Raises NotAllowed ``district_only``."""
        if not self.is_district:
            raise NotAllowed("district_only", "只有区级管理员可以办理")

    def must_be_steward(self) -> None:
        """Raises NotAllowed ``steward_only``."""
        if not self.is_steward:
            raise NotAllowed("steward_only", "只有镇街或区级管理员可以办理")

    def must_steward(self, township_code: str | None) -> None:
        """Raises NotAllowed ``steward_only`` or ``other_township``."""
        self.must_be_steward()
        if not self.stewards(township_code):
            raise NotAllowed("other_township", "只能办理本镇街的事项", township_code=township_code)


SYSTEM = Actor(login_id=None, name="系统")
"""The bank itself, when a job acts because time has passed."""
