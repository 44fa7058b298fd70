"""数字: what the programme comes to, by month and township, for dashboards, the map and the monthly bulletin."""
