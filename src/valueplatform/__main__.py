"""`python -m valueplatform`."""

from valueplatform.cli import main

main()
