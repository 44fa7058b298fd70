"""操作留痕: who did what, when and why. Written beside the deed, in the same unit of work; never changed."""
