"""Ground floor: database, clock, errors, amounts and ciphers. Knows nothing of the domains above."""
