"""The names of the specification that nothing else of openbell calls."""
