"""One training loop for targets, auxiliary models and clones, with its sampling, stopping and progress."""
