"""One voice in place of another: what is taken of a reference, and the parts of the stage `clone`.

    source -> pitch -> Contour -> Follow \\
    source -----------------------------> Analyse -> Convert -> Synthesize -> watermark
"""
