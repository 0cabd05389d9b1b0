"""Times in files, brought to UTC."""
