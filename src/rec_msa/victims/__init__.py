"""Recommenders that a library trains, as targets: one file each, named ``rec_msa.victims.<file>:fit``."""
