"""补贴: monthly claims, donations, produce, grades' operating subsidies."""
