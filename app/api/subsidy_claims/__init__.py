"""Monthly claims of subsidies for meals."""
