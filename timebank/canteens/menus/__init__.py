"""菜单: dishes and weekly menus of a canteen."""
