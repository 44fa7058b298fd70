"""Menus and dishes on pages: the same ones at the counter and at the desk."""
