"""The phone in the terminal: large, clear Chinese for people of eighty."""
