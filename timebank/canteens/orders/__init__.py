"""订单: placing, changing, cancelling; standing orders."""
