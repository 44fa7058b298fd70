"""Charts and maps: plain shapes laid out here, drawn by one template as SVG (decision 0023)."""
