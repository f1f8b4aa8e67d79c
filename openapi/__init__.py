"""What every endpoint takes and answers, generated from the code and shown on a page."""
