"""评价: ratings of meals."""
