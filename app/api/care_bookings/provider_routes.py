"""Services and providers of home care."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.care_bookings.provider_schemas import (
    CareEnterBody,
    CareOfferBody,
    CareProviderItem,
    CareProviderPage,
    CareProvidersQuery,
    CareServiceList,
)
from app.api.fields import PageQuery, id_in_cursor
from app.api.operation import operation, page, page_of_all
from app.api.parser import Doors
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.policies.queries import in_force
from timebank.redemption.care import actions, queries
from timebank.redemption.care.actions import Offer
from timebank.redemption.care.queries import ProviderView
from timebank.redemption.care.rules import rate_percent

doors = Doors("care_providers", __name__, url_prefix="/api/v1/care-providers", description="居家养老服务机构")
service_doors = Doors("care_services", __name__, url_prefix="/api/v1/care-services", description="上门服务项目")


@operation(
    service_doors, "", "care_services.list", "上门服务项目",
    query=PageQuery, answers=CareServiceList, anyone=True,
)  # fmt: skip
def list_services(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    policies = in_force(session, at=clock.now())
    items = [
        {"code": one.code, "name": one.name, "active": one.active, "rate_percent": rate_percent(policies, one.code)}
        for one in queries.care_services(session)
    ]
    return page_of_all(items, query)


@operation(
    doors, "", "care_providers.list", "居家养老服务机构",
    query=CareProvidersQuery, answers=CareProviderPage, anyone=True,
)  # fmt: skip
def list_providers(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    found = queries.find_providers(
        session,
        township_code=query.get("township_code"),
        service=query.get("service"),
        stopped=query["stopped"],
        limit=query["limit"] + 1,
        after=id_in_cursor(query.get("cursor")),
    )
    return page(found, query["limit"], lambda provider: provider.provider_id)


@operation(
    doors, "", "care_providers.enter", "登记居家养老服务机构",
    method="POST", body=CareEnterBody, answers=CareProviderItem, status=201, key="optional",
)  # fmt: skip
def enter(session: Session, actor: Actor, body: dict[str, Any]) -> ProviderView:
    where = {name: body.pop(name) for name in ("name", "township_code")}
    return actions.enter_provider(session, actor=actor, offer=Offer(**body), **where)


@operation(
    doors, "/<uuid:provider_id>", "care_providers.change", "变更居家养老服务机构",
    method="PATCH", body=CareOfferBody, answers=CareProviderItem, key="optional",
)  # fmt: skip
def change(session: Session, actor: Actor, body: dict[str, Any], provider_id: UUID) -> ProviderView:
    return actions.change_provider(session, actor=actor, provider_id=provider_id, offer=Offer(**body))
