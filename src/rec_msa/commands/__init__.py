"""Commands of their own, beside ``kedro run``."""
