"""赠与、捐赠与困难帮扶: minutes given to relatives, to a township's pool, and out of it to elders in hardship."""
