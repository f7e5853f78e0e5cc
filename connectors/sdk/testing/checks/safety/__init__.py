"""What a connector never does, whatever it is led to."""
