"""What the templates take: every text already worded, every number already rounded beside its exact value.

Values here decide nothing. Whoever makes them has checked the scope, chosen the words and the standing of each number;
the templates only lay them out. Text is plain text, never markup. `href` and `action` are paths of this application.
"""
