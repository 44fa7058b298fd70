"""导出: who took which list out of the bank."""
