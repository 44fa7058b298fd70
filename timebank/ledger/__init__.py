"""时间账本 The ledger: accounts, transfers, holds and seals. Whole minutes and whole fen, nothing else."""
