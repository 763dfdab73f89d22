"""Signs and emoji: German."""

from __future__ import annotations

from audiopipe.text import emoji, symbols

_ALWAYS = {
    "&": "und", "×": "mal", "·": "mal", "÷": "geteilt durch", "±": "plus minus", "≈": "ungefähr",
    "≠": "ungleich", "≤": "kleiner gleich", "≥": "größer gleich", "=": "gleich", "==": "gleich",
    "<=": "kleiner gleich", ">=": "größer gleich", "!=": "ungleich", "§": "paragraph",
    "§§": "paragraphen", "∞": "unendlich", "√": "wurzel aus", "%": "prozent", "‰": "promille",
    "°": "grad", "€": "euro", "£": "pfund", "¥": "yen", "$": "dollar", "²": "quadrat",
    "³": "hoch drei", "π": "pi", "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta",
    "Δ": "delta", "λ": "lambda", "Ω": "omega", "ω": "omega", "μ": "mü", "µ": "mikro", "@": "at",
    "→": "nach", "⇒": "daraus folgt", "©": "copyright", "®": "", "™": "", "†": "", "‡": "",
    "♯": "kreuz", "♭": "be",
}  # fmt: skip

_SIGNS = symbols.Signs(
    always=_ALWAYS,
    less="kleiner als",
    more="größer als",
    plus="plus",
    minus="minus",
    times="mal",
    power="hoch",
    about="etwa",
    number="nummer",
    over="durch",
    per="pro",
    periods="Monat|Jahr|Tag|Woche|Stunde|Minute|Sekunde|Person|Nacht|Folge",
    emoji=lambda text: emoji.words(text, emoji.SHORT_DE),
    emoticon=lambda text: "smiley",
)

FIRST = symbols.pictures(_SIGNS)
RULES = symbols.rules(_SIGNS)
