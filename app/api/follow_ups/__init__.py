"""回访: follow-up calls."""
