"""The API as a whole: its blueprints and the OpenAPI 3.1 description that is generated from them."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_smorest import Api

from app.api.aid_items.routes import doors as aid_items
from app.api.aid_loans.routes import doors as aid_loans
from app.api.allotments.routes import doors as allotments
from app.api.auth.routes import doors as auth
from app.api.bulletins.routes import doors as bulletins
from app.api.canteens.routes import doors as canteens
from app.api.care_bookings.bill_routes import doors as care_bills
from app.api.care_bookings.provider_routes import doors as care_providers
from app.api.care_bookings.provider_routes import service_doors as care_services
from app.api.care_bookings.routes import doors as care_bookings
from app.api.clearing import reconciliation_routes as _reconciliation
from app.api.clearing import review_routes as _review
from app.api.clearing import settlement_routes as _settlement
from app.api.clearing import statement_routes as _statement
from app.api.clearing.routes import doors as clearing
from app.api.dev.routes import doors as dev
from app.api.diners import import_routes as _diner_import
from app.api.diners.routes import doors as diners
from app.api.dishes.routes import doors as dishes
from app.api.exports.routes import doors as exports
from app.api.family.routes import doors as family
from app.api.figures.routes import doors as figures
from app.api.follow_ups.routes import doors as follow_ups
from app.api.giving.routes import doors as giving
from app.api.imports.routes import doors as imports
from app.api.kitchen.routes import doors as kitchen
from app.api.leaving.routes import doors as leaving
from app.api.ledger import transfer_routes as _transfers
from app.api.ledger.routes import doors as ledger
from app.api.me.routes import doors as me
from app.api.meal_counter.routes import doors as meal_counter
from app.api.meal_donations.routes import doors as meal_donations
from app.api.menus import import_routes as _menu_import
from app.api.menus import released_routes as _released_menus
from app.api.menus.routes import doors as menus
from app.api.notices.routes import doors as notices
from app.api.operation import Problem
from app.api.orders.routes import doors as orders
from app.api.parser import WindowName
from app.api.people.proxy_routes import doors as proxies
from app.api.people.routes import doors as people
from app.api.policies import set_routes as _policy_sets
from app.api.policies.routes import doors as policies
from app.api.produce.routes import doors as produce
from app.api.purses.routes import doors as purses
from app.api.ratings.routes import doors as ratings
from app.api.rounds.routes import doors as rounds
from app.api.standing_orders.routes import doors as standing_orders
from app.api.subsidy_claims.routes import doors as subsidy_claims
from app.api.subsidy_claims.routes import share_doors as subsidies
from app.api.tasks import back_fill_routes as _back_fill
from app.api.tasks.routes import doors as tasks
from app.api.tasks.routes import type_doors as service_types
from app.api.townships.routes import doors as townships
from app.api.vouchers import life_routes as _voucher_life
from app.api.vouchers.offline_routes import doors as offline
from app.api.vouchers.routes import doors as vouchers
from app.api.web_tickets.routes import doors as web_tickets

BLUEPRINTS = (
    auth,
    web_tickets,
    me,
    townships,
    people,
    proxies,
    family,
    giving,
    policies,
    service_types,
    tasks,
    vouchers,
    offline,
    clearing,
    ledger,
    notices,
    aid_items,
    aid_loans,
    care_services,
    care_providers,
    care_bookings,
    care_bills,
    allotments,
    leaving,
    subsidy_claims,
    subsidies,
    meal_donations,
    produce,
    canteens,
    dishes,
    menus,
    diners,
    imports,
    ratings,
    follow_ups,
    orders,
    standing_orders,
    purses,
    meal_counter,
    kitchen,
    rounds,
    figures,
    bulletins,
    exports,
)
_ = (
    _back_fill,
    _diner_import,
    _menu_import,
    _released_menus,
    _policy_sets,
    _reconciliation,
    _review,
    _settlement,
    _statement,
    _transfers,
    _voucher_life,
)  # imported so that their routes join those of ``tasks`` and ``clearing``

VERSION = "0.5.0"


class ProblemApi(Api):  # type: ignore[misc]  # flask-smorest ships no types
    """flask-smorest's API, with errors described as the problem documents that they are."""

    ERROR_SCHEMA = Problem
    DEFAULT_RESPONSE_CONTENT_TYPE = "application/json"

    def _register_responses(self) -> None:
        usual: str = self.DEFAULT_RESPONSE_CONTENT_TYPE
        self.DEFAULT_RESPONSE_CONTENT_TYPE = "application/problem+json"
        super()._register_responses()
        self.DEFAULT_RESPONSE_CONTENT_TYPE = usual

    def _register_error_handlers(self) -> None:
        """Errors are answered by ``app.problems``, pages included."""


def register_api(app: Flask, *, development: bool) -> ProblemApi:
    """Put all operations on ``app``; the development ones only in development."""
    app.config.update(
        API_TITLE="奉化时间银行 Fenghua Time Bank",
        API_VERSION=VERSION,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/",
        OPENAPI_JSON_PATH="openapi.json",
    )
    options: dict[str, Any] = {
        "info": {"description": "时间以分钟计，金额以分计，均为整数。拒绝以 problem+json 回答。"},
        "servers": [{"url": "/"}],
    }
    app.url_map.converters["window"] = WindowName
    api = ProblemApi(app, spec_kwargs=options)
    api.register_converter(
        WindowName, lambda _: {"type": "string", "pattern": f"^{WindowName.pattern}$", "example": "2026-11"}
    )
    api.spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"})
    for blueprint in (*BLUEPRINTS, *([dev] if development else [])):
        api.register_blueprint(blueprint)
    return api
