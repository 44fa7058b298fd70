"""服务任务: from request through check-in and check-out to confirmation, and the credit that follows."""
