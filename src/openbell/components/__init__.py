"""What users extend: strategies, scanners, their context, and how both are loaded."""
