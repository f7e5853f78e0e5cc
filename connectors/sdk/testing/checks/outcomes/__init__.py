"""What an answer means (DESIGN section 3), row by row, whoever the connector is and whatever it speaks to."""
