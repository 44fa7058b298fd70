"""Money given to meals."""
