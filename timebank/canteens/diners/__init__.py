"""用餐对象: one file per diner, categories, households, applications."""
