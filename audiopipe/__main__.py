"""`python -m audiopipe` is `audiopipe`."""

from audiopipe.cli import main

if __name__ == "__main__":
    main()
