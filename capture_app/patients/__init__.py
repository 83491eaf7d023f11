"""Who: the census folded from the admissions feed, the worklist, and the search over both."""
