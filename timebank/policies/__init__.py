"""办法 Policies: every number a committee could change, dated, with its label, unit and source."""
