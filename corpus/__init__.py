"""Documents in: formats, passages and the authored library."""
