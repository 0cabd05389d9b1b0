"""Import of LEAN's data folder."""
