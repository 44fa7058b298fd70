"""康复辅具借用: aids that are lent by the day, paid in minutes, and brought back in any township."""
