"""The commands below `openbell data`, one file each."""
