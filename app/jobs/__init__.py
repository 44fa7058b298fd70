"""定时任务: what the bank does because time has passed."""
