"""Make small models of coqui-tts, in its environment: `coqui_make.py FOLDER KIND,… SHELF…`.

A kind is a function of `coqui_models.py` or `coqui_converters.py`: it fills a folder of its name
with what a release of such a model holds.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import coqui_converters
import coqui_models

if __name__ == "__main__":
    target, kinds, *shelves = sys.argv[1:]
    sys.path += shelves
    for name in kinds.split(","):
        home = Path(target, name)
        home.mkdir(parents=True)
        kind = getattr(coqui_models, name, None) or getattr(coqui_converters, name)
        kind(home)
