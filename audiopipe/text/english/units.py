"""Units of measure and money: American English."""

from __future__ import annotations

from audiopipe.text.letters import vocabulary

_PREFIXES = {"k": "kilo", "M": "mega", "G": "giga", "T": "tera"}
_SMALL = {
    "m": "milli",
    "µ": "micro",
    "μ": "micro",
    "n": "nano",
    "c": "centi",
    "d": "deci",
    "k": "kilo",
}


def _prefixed(
    symbol: str, name: str, plural: str, prefixes: dict[str, str]
) -> dict[str, tuple[str, str]]:
    table = {symbol: (name, plural)}
    return table | {p + symbol: (full + name, full + plural) for p, full in prefixes.items()}


UNITS: dict[str, tuple[str, str]] = {
    **_prefixed("m", "meter", "meters", _SMALL),
    **_prefixed("g", "gram", "grams", _SMALL),
    **_prefixed("l", "liter", "liters", _SMALL),
    **_prefixed("L", "liter", "liters", _SMALL),
    **_prefixed("Hz", "hertz", "hertz", _PREFIXES),
    **_prefixed("B", "byte", "bytes", _PREFIXES | {"K": "kilo", "P": "peta"}),
    **_prefixed("iB", "bibyte", "bibytes", {"K": "ki", "M": "me", "G": "gi", "T": "te"}),
    **_prefixed("W", "watt", "watts", _PREFIXES | {"m": "milli"}),
    **_prefixed("Wh", "watt hour", "watt hours", _PREFIXES | {"m": "milli"}),
    **_prefixed("V", "volt", "volts", {"k": "kilo", "m": "milli"}),
    **_prefixed("Pa", "pascal", "pascals", _PREFIXES | {"h": "hecto"}),
    **_prefixed("bps", "bit per second", "bits per second", _PREFIXES),
    **_prefixed("bit", "bit", "bits", _PREFIXES),
    **_prefixed("Ω", "ohm", "ohms", {"k": "kilo", "M": "mega"}),
    "ms": ("millisecond", "milliseconds"),
    "µs": ("microsecond", "microseconds"),
    "μs": ("microsecond", "microseconds"),
    "s": ("second", "seconds"),
    "sec": ("second", "seconds"),
    "secs": ("second", "seconds"),
    "min": ("minute", "minutes"),
    "mins": ("minute", "minutes"),
    "h": ("hour", "hours"),
    "hr": ("hour", "hours"),
    "hrs": ("hour", "hours"),
    "yr": ("year", "years"),
    "yrs": ("year", "years"),
    "mo": ("month", "months"),
    "lb": ("pound", "pounds"),
    "lbs": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "ft": ("foot", "feet"),
    "yd": ("yard", "yards"),
    "yds": ("yard", "yards"),
    "mi": ("mile", "miles"),
    "gal": ("gallon", "gallons"),
    "tsp": ("teaspoon", "teaspoons"),
    "tbsp": ("tablespoon", "tablespoons"),
    "mph": ("mile per hour", "miles per hour"),
    "kph": ("kilometer per hour", "kilometers per hour"),
    "mpg": ("mile per gallon", "miles per gallon"),
    "fps": ("frame per second", "frames per second"),
    "bpm": ("beat per minute", "beats per minute"),
    "BPM": ("beat per minute", "beats per minute"),
    "rpm": ("revolution per minute", "revolutions per minute"),
    "ppm": ("part per million", "parts per million"),
    "dpi": ("dot per inch", "dots per inch"),
    "psi": ("P S I", "P S I"),
    "px": ("pixel", "pixels"),
    "dB": ("decibel", "decibels"),
    "dBFS": ("decibel full scale", "decibels full scale"),
    "dBTP": ("decibel true peak", "decibels true peak"),
    "dBA": ("decibel A", "decibels A"),
    "LUFS": ("luffs", "luffs"),
    "LU": ("loudness unit", "loudness units"),
    "cal": ("calorie", "calories"),
    "kcal": ("kilocalorie", "kilocalories"),
    "kJ": ("kilojoule", "kilojoules"),
    "mA": ("milliamp", "milliamps"),
    "mAh": ("milliamp hour", "milliamp hours"),
    "°C": ("degree celsius", "degrees celsius"),
    "°F": ("degree fahrenheit", "degrees fahrenheit"),
    "℃": ("degree celsius", "degrees celsius"),
    "℉": ("degree fahrenheit", "degrees fahrenheit"),
    "° C": ("degree celsius", "degrees celsius"),
    "° F": ("degree fahrenheit", "degrees fahrenheit"),
    "°": ("degree", "degrees"),
    "%": ("percent", "percent"),
    "‰": ("per mille", "per mille"),
    "¢": ("cent", "cents"),
}
del UNITS["iB"]

PER = vocabulary("s sec min h hr day week month year m km l L ml mL kg lb person night mi yr mo")
"""What may stand behind the slash of `mg/ml`."""

MONEY: dict[str, tuple[str, str, str, str]] = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "US$": ("U S dollar", "U S dollars", "cent", "cents"),
    "C$": ("canadian dollar", "canadian dollars", "cent", "cents"),
    "A$": ("australian dollar", "australian dollars", "cent", "cents"),
    "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "¥": ("yen", "yen", "sen", "sen"),
    "₹": ("rupee", "rupees", "paisa", "paise"),
    "₩": ("won", "won", "jeon", "jeon"),
    "₿": ("bitcoin", "bitcoins", "cent", "cents"),
}
CODES: dict[str, tuple[str, str]] = {
    "USD": ("U S dollar", "U S dollars"),
    "EUR": ("euro", "euros"),
    "GBP": ("british pound", "british pounds"),
    "CHF": ("swiss franc", "swiss francs"),
    "JPY": ("japanese yen", "japanese yen"),
    "CAD": ("canadian dollar", "canadian dollars"),
    "AUD": ("australian dollar", "australian dollars"),
}
MAGNITUDES = {
    "k": "thousand",
    "K": "thousand",
    "m": "million",
    "M": "million",
    "mn": "million",
    "bn": "billion",
    "b": "billion",
    "B": "billion",
    "tn": "trillion",
    "T": "trillion",
    "thousand": "thousand",
    "million": "million",
    "billion": "billion",
    "trillion": "trillion",
}


def unit(symbol: str, several: bool) -> list[str]:
    """The words of a unit, with its power and what it is per.

    >>> " ".join(unit("km/h", True)), " ".join(unit("m²", False))
    ('kilometers per hour', 'square meter')
    """
    head, _, per = symbol.partition("/")
    power = {"²": ["square"], "³": ["cubic"]}.get(head[-1:], [])
    name = UNITS[head.rstrip("²³")][several].split()
    return power + name + (["per", *_one(per)] if per else [])


def _one(per: str) -> list[str]:
    power = {"²": "squared", "³": "cubed"}.get(per[-1:])
    per = per.rstrip("²³")
    return (UNITS[per][0].split() if per in UNITS else [per]) + ([power] if power else [])
