"""退出与身故: settling what somebody has before the login closes."""
