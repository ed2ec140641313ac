"""The target: training, quality, and its retrained twin."""
