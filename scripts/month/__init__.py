"""A month of the meal programme: every canteen, every diner, every fen, through the bank's public operations."""
