"""How everything looks: theme, type, icons, drawing."""
