"""开发工具, absent in production."""
