"""Who is let in: one guard before every route, one table of what each asks for, one filter on what is answered."""
