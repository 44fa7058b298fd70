"""政府购买服务时长: granted minutes, by assessment level and for the eldest living alone."""
