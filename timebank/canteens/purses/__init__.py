"""餐费余额: money of diners, topped up and paid back at a counter; cash in the drawer."""
