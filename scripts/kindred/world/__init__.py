"""A drawn world of cartoon people: the lab's photographs, with the truth about each of them."""
