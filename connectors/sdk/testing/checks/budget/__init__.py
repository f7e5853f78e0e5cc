"""What a call may cost: how many requests, and how much time on a clock that needs not be waited for."""
