"""Reception of a feed's bars and events for the session."""
