"""Files to be imported, wherever they are and however they are packed."""
