"""The doors of the bank: HTTP, command line and jobs."""
