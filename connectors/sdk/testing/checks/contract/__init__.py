"""What a connector says about itself, and what it does before and beside any change."""
