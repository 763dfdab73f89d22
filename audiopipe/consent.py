"""Consent of the person whose voice is cloned: a record of who, what for, when and until when.

It belongs to one recording of the voice, by its SHA-256, and goes with what is made of it. It holds
what somebody has stated; whether that is true, no program can tell.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from audiopipe.document import Document, read_document
from audiopipe.download import sha256_of
from audiopipe.errors import CollisionError, ConsentError, DefinitionError, Place, did_you_mean
from audiopipe.io.atomic import FileSink

SUFFIX = ".consent.json"
"""What a record that stands beside an output is called: `speech.consent.json`."""

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Digest = Annotated[str, StringConstraints(to_lower=True, pattern=r"^[0-9a-f]{64}$")]


class Consent(BaseModel):
    """What a speaker has agreed to."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    speaker: Words
    """Whose voice it is."""
    purpose: Words
    """What speech may be made for."""
    given: date
    """When consent was given."""
    until: date | None = None
    """The last day on which speech may be made; none means until it is withdrawn."""
    statement: Words
    """What the speaker has said or signed, word for word."""
    reference: Digest = Field(repr=False)
    """SHA-256 of the recording of the voice."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.until is not None and self.until < self.given:
            raise ValueError(f"it ends on {self.until}, before it was given on {self.given}")
        return self

    @property
    def summary(self) -> str:
        """One line for the tags of what is made.

        >>> Consent(speaker="Ada", purpose="a podcast", given=date(2026, 11, 22),
        ...         statement="I agree.", reference="0" * 64).summary
        'Consent of Ada, 2026-11-22: a podcast'
        """
        until = f" until {self.until}" if self.until else ""
        purpose = " ".join(self.purpose.split())
        return f"Consent of {self.speaker}, {self.given}{until}: {purpose}"

    def check(self, reference: str | Path, today: date | None = None) -> None:
        """Make sure that it holds on a day, which is today, for a recording of the voice.

        Raises ConsentError where it has ended, has not begun, or belongs to another recording.
        """
        today = today or date.today()
        if today < self.given:
            raise ConsentError(
                f"the consent of {self.speaker} is dated {self.given}, which is to come "
                f"(today is {today}); correct `given`"
            )
        if self.until is not None and today > self.until:
            raise ConsentError(
                f"the consent of {self.speaker} ended on {self.until}; ask for a new one"
            )
        found = _digest(reference)
        if found != self.reference:
            raise ConsentError(
                f"{reference}: is not the recording that {self.speaker} has consented to (its "
                f"SHA-256 is {found[:12]}…, in the consent stands {self.reference[:12]}…); give "
                "that recording, or ask for consent to this one"
            )

    def save(self, path: str | Path) -> Path:
        """Write it as JSON, whole or not at all; raises OutputError."""
        with _Record(path) as record:
            record.write(self)
        return Path(path)

    def save_beside(self, output: str | Path, number: int = 1) -> Path:
        """Write it beside what was made with it: `speech.mp3` has `speech.consent.json`, and
        `speech.2.consent.json` where a second voice was cloned."""
        return self.save(self.place(output, number))

    def place(self, output: str | Path, number: int = 1) -> Path:
        """Where it stands beside an output; raises CollisionError where another's record does."""
        path = Path(output).with_suffix(SUFFIX if number == 1 else f".{number}{SUFFIX}")
        if path.exists():
            try:
                other = read_consent(path).reference
            except ConsentError:
                other = ""
            if other != self.reference:
                raise CollisionError(
                    path,
                    f"is a file of its own, and the consent of {self.speaker} has to stand there; "
                    "give the output another name",
                )
        return path


class _Record(FileSink):
    def append(self, block: Consent) -> None:
        self.put(block.model_dump_json(indent=2, exclude_none=True) + "\n")


def read_consent(path: str | Path) -> Consent:
    """Read a record from YAML or JSON; raises ConsentError with all that is wrong in it."""
    try:
        document = read_document(path)
    except DefinitionError as error:
        raise ConsentError(str(error)) from None
    if not isinstance(document.data, dict):
        names = ", ".join(Consent.model_fields)
        raise ConsentError(f"{path}: is no consent; it has lines for {names}")
    try:
        return Consent.model_validate(document.data)
    except ValidationError as error:
        told = [_told(document, problem) for problem in error.errors()]
        raise ConsentError("\n".join(told)) from None


def no_consent(reference: str) -> str:
    """What is told where a voice is to be cloned without consent."""
    return (
        f"no voice is cloned without consent: have the person who speaks in {reference} agree by "
        f"`audiopipe consent new {reference}`, and name the record it writes by `consent:`"
    )


def ask(reference: str | Path, prompt: Callable[[str], str], today: date | None = None) -> Consent:
    """Ask for a record; `prompt` puts a question and gives what was answered.

    Raises ConsentError where the statement is not confirmed, or an answer will not do.
    """
    digest = _digest(reference)
    today = today or date.today()
    speaker = prompt("Whose voice is it? (full name)").strip()
    purpose = prompt("What may speech be made for?").strip()
    until = prompt("Until when? (YYYY-MM-DD, or nothing: until it is withdrawn)").strip()
    end = f"until {until}" if until else "until I withdraw it"
    statement = (
        f"I, {speaker}, am the person who speaks in {Path(reference).name}. I agree that speech "
        f"in my voice is made from it with audiopipe for this purpose: {purpose}. This holds {end}."
    )
    if not speaker or not purpose:
        raise ConsentError("a consent needs a name and a purpose; nothing is made without")
    answer = prompt(f'"{statement}" Type the name again to confirm')
    if " ".join(answer.split()).casefold() != " ".join(speaker.split()).casefold():
        raise ConsentError(f"{speaker} has not confirmed; nothing is made without consent")
    given = {"speaker": speaker, "purpose": purpose, "given": today, "statement": statement}
    try:
        return Consent.model_validate(given | {"until": until or None, "reference": digest})
    except ValidationError as error:
        raise ConsentError("; ".join(_reason(problem) for problem in error.errors())) from None


def _digest(reference: str | Path) -> str:
    try:
        return sha256_of(Path(reference))
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConsentError(
            f"{reference}: the recording of the voice cannot be read: {reason}"
        ) from None


def _told(document: Document, problem: Any) -> str:
    """One thing wrong in a record, and where."""
    path = problem["loc"]
    place: Place | str = document.place(*path) if path else document.file
    if problem["type"] == "missing":
        return f"{document.file}: `{path[0]}` is missing: {_meaning(path[0])}"
    if problem["type"] == "extra_forbidden":
        hint = did_you_mean(str(path[0]), Consent.model_fields)
        return f"{place}: {path[0]!r} is not part of a consent; {hint}"
    return f"{place}: {_reason(problem)}"


def _reason(problem: Any) -> str:
    name = problem["loc"][0] if problem["loc"] else ""
    if not name:
        return str(problem["ctx"]["error"])
    if problem["type"] == "string_too_short":
        return f"`{name}` is empty: {_meaning(name)}"
    if name in ("given", "until"):
        return f"`{name}` must be a date, YYYY-MM-DD, not {problem['input']!r}"
    return f"`{name}` is {problem['input']!r}: {_meaning(name)}"


def _meaning(name: str) -> str:
    meaning = str(Consent.model_fields[name].description).rstrip(".")
    return meaning[0].lower() + meaning[1:] if not meaning.startswith("SHA") else meaning
