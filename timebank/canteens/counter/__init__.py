"""柜台: handing meals over, selling, what was missed, the totals of a day."""
