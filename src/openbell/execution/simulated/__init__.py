"""The simulated broker, which fills orders in the bars of a session."""
