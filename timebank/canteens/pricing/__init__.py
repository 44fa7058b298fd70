"""定价: what a meal costs, who bears which share of it, and by which rule."""
