"""镇街、村社与机构: the twelve townships, their villages, and organisations such as canteens."""
