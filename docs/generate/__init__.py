"""Pages of the site that are read out of the code when it is built."""
