"""评价: ratings of meals, replies, follow-up calls."""
