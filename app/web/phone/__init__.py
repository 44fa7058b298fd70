"""Pages for phones: what volunteers, elders and their families do."""
