"""What people can see of home care."""

from timebank.redemption.care.queries.bookings import (
    CARE_BOOKING_ORDERS,
    BookingFilter,
    booking_for,
    events_of,
    find_bookings,
    lock_booking,
)
from timebank.redemption.care.queries.providers import ProviderView, care_provider, care_services, find_providers

__all__ = [
    "CARE_BOOKING_ORDERS",
    "BookingFilter",
    "ProviderView",
    "booking_for",
    "care_provider",
    "care_services",
    "events_of",
    "find_bookings",
    "find_providers",
    "lock_booking",
]
