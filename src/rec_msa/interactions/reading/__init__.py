"""Files of any kind as one table of users, items and times."""
