"""What was stolen, for others to go on with: lists of any users, and vectors."""
