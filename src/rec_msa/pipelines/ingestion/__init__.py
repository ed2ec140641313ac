"""Raw file to interactions, and the seed's splits."""
