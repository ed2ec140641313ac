"""The attacks: the query gate and its ledger, the clone and steal stages, and simple references to beat."""
