"""What every room stands on: errors, lists, tables and random streams."""
