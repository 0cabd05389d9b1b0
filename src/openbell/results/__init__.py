"""What a run came to, and the folder that holds it."""
