"""生产与配送: production plans, distribution lists, rounds to the door."""
