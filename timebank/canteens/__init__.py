"""助餐: the meal programme. Canteens, menus, diners, orders, delivery, subsidies."""
