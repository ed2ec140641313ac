"""The attacks against a defended target."""
