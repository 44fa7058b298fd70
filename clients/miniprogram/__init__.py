"""The thin mini-program client: wx.* with WeChat's semantics, the bank's API on top, a phone in the terminal."""
