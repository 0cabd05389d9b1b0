"""Tables, progress bars and screens of the command line."""
