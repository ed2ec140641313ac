"""Recommenders behind one small interface: train loss, scores of pairs, full-catalogue ranking, fusion."""
