"""清算: what townships owe one another, read from the linked legs of the ledger."""
