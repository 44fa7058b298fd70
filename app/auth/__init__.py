"""Who stands at the door: tokens, WeChat login, staff login, the current actor."""
