"""The audit of one target: every planned attack, and the page of what they copy."""
