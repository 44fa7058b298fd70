"""A year of Fenghua through the bank's own actions, set by set; ``scripts/replay_year.py`` lives through it."""
