"""How readers of each language write numbers and days (FORMAT_MODULE_PATH)."""
