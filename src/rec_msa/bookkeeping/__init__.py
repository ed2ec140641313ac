"""What runs leave beside their results: locks, records, the journal, progress, and the tables put together."""
