"""The run folder, written as a run goes on and read back."""
