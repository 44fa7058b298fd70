"""Produce given to meals."""
