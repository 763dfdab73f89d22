"""Signs and emoji: American English."""

from __future__ import annotations

from audiopipe.text import emoji, symbols

_ALWAYS = {
    "&": "and", "×": "times", "÷": "divided by", "±": "plus or minus", "≈": "approximately",
    "≠": "is not equal to", "≤": "is less than or equal to", "≥": "is greater than or equal to",
    "=": "equals", "==": "equals", "<=": "is less than or equal to",
    ">=": "is greater than or equal to", "!=": "is not equal to", "§": "section", "§§": "sections",
    "¶": "paragraph", "©": "copyright", "∞": "infinity", "√": "the square root of",
    "∑": "the sum of", "∫": "the integral of", "%": "percent", "‰": "per mille", "°": "degrees",
    "€": "euros", "£": "pounds", "¥": "yen", "¢": "cents", "$": "dollars", "²": "squared",
    "³": "cubed", "π": "pi", "µ": "micro", "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta",
    "Δ": "delta", "λ": "lambda", "θ": "theta", "ω": "omega", "Ω": "omega", "σ": "sigma",
    "Σ": "sigma", "φ": "phi", "ε": "epsilon", "μ": "mu", "♯": "sharp", "♭": "flat", "@": "at",
    "∈": "in", "∴": "therefore", "∂": "partial", "∇": "nabla", "№": "number", "†": "", "‡": "",
    "®": "", "™": "", "→": "to", "⇒": "implies", "←": "from",
}  # fmt: skip

_SIGNS = symbols.Signs(
    always=_ALWAYS,
    less="is less than",
    more="is greater than",
    plus="plus",
    minus="minus",
    times="times",
    power="to the power of",
    about="about",
    number="number",
    over="over",
    per="per",
    periods="month|year|day|week|hour|minute|second|person|night|episode",
    emoji=emoji.words,
    emoticon=lambda text: emoji.EMOTICONS[text],
)

FIRST = symbols.pictures(_SIGNS)
RULES = symbols.rules(_SIGNS)
