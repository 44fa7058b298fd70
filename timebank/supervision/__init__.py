"""监管: reads everything, and nobody imports it."""
