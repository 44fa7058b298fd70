"""The bank 时间银行: what is true. It knows no web framework, no tokens and no scheduler."""
