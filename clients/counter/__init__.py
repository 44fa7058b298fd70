"""A canteen's counter in a terminal: it scans with and without a line."""
