"""Finding accounts by id and by value. A wrong match changes somebody else's account."""
