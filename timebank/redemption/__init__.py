"""兑换: what hours become. Meal vouchers 用餐券 so far."""
