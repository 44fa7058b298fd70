"""Programs that stand outside the bank and speak to it only over HTTP."""
