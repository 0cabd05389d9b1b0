"""What plans, sessions and runs look like in a terminal."""
