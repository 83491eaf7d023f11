"""What things are called: wordings, marks, and values that name them."""
