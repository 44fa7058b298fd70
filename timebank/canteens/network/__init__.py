"""助餐点: canteens, their life from application to closing, hours, closed days and grades."""
