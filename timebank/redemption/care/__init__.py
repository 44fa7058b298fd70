"""居家养老上门服务: catalogue, providers, bookings, visits and monthly bills."""
