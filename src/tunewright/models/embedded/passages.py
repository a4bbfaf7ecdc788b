# ruff: noqa: E501  # tables of words and sentences, one row a line
"""Records and the prose that tells them: the raw material of extraction, lookup, grounded answers and JSON.

A `Kind` is a sort of text (a support message, an invoice, a profile …) with fields; `record` draws some of its fields with
values and writes the passage. Besides the written kinds there is one whose fields are made up on the spot, so that reading a
key and finding its value is a skill and not a list to learn by heart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tunewright.models.embedded import words
from tunewright.models.embedded.words import pick

Value = str | int | float


@dataclass(frozen=True)
class Field:
    """A field: the names it goes by, how a value is drawn, and the sentences that tell it (`{v}` is the value)."""

    names: tuple[str, ...]
    draw: Callable[[Random, bool], str]
    tell: tuple[str, ...]
    number: bool = False


@dataclass(frozen=True)
class Kind:
    """A sort of text: what it is called, its fields, and sentences that tell nothing."""

    name: str
    fields: tuple[Field, ...]
    filler: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fact:
    """One told thing: its key, its value as text, and whether the value is a number."""

    key: str
    text: str
    number: bool = False

    @property
    def value(self) -> Value:
        """The value as JSON has it."""
        return (float(self.text) if "." in self.text else int(self.text)) if self.number else self.text


@dataclass(frozen=True)
class Record:
    """A passage, the facts it tells, and keys of the same kind that it does not tell."""

    kind: str
    passage: str
    facts: tuple[Fact, ...]
    untold: tuple[str, ...]


def _quantity(rng: Random, held_out: bool) -> str:
    return str(rng.randrange(1, 60) if rng.random() < 0.8 else rng.randrange(60, 3000))


def _money(rng: Random, held_out: bool) -> str:
    return words.amount(rng)


def _id(rng: Random, held_out: bool) -> str:
    return words.order_id(rng)


def _date(rng: Random, held_out: bool) -> str:
    return words.date(rng)


def _phone(rng: Random, held_out: bool) -> str:
    return words.phone(rng)


def _hour(rng: Random, held_out: bool) -> str:
    return f"{rng.randrange(0, 24):02d}:{rng.choice((0, 5, 10, 15, 20, 25, 30, 40, 45, 50)):02d}"


def _company(rng: Random, held_out: bool) -> str:
    name = words.pseudo(rng, held_out).capitalize()
    return (
        f"{name} {pick(rng, ('Ltd', 'Inc', 'Group', 'Systems', 'Foods', 'Labs', 'Press', 'Bank', 'Tools'))}"
        if rng.random() < 0.6
        else name
    )


def _color(rng: Random, held_out: bool) -> str:
    return pick(rng, words.COLORS)


def _thing(rng: Random, held_out: bool) -> str:
    return words.word(rng, words.THINGS, held_out)


def _job(rng: Random, held_out: bool) -> str:
    return words.word(rng, words.JOBS, held_out)


def _email(rng: Random, held_out: bool) -> str:
    return words.email(rng, held_out, words.person(rng, held_out) if rng.random() < 0.5 else "")


def _version(rng: Random, held_out: bool) -> str:
    return ".".join(str(rng.randrange(12)) for _ in range(rng.choice((2, 3))))


def _room(rng: Random, held_out: bool) -> str:
    return rng.choice(
        (str(rng.randrange(1, 500)), words.code(rng, 1, 2, ""), words.pseudo(rng, held_out).capitalize())
    )


CUSTOMER = Field(("customer_name", "customer", "name", "client", "full_name", "from"), words.person,
    ("My name is {v}.", "This is {v}.", "I am {v} and I need help.", "Regards, {v}", "Thanks, {v}", "{v} here.", "Best, {v}",
     "The customer is {v}.", "Hello, {v} writing.", "Signed, {v}", "Customer: {v}.", "Kind regards\n{v}", "You are speaking with {v}."))  # fmt: skip
ORDER = Field(("order_id", "order", "order_number", "reference", "id", "number"), _id,
    ("My order number is {v}.", "Order {v} has a problem.", "It is about order {v}.", "The order is {v}.", "Reference: {v}.",
     "Please look at order {v}.", "I placed order {v} last week.", "See {v} for the details.", "(order {v})", "My reference is {v}.",
     "The number on the receipt is {v}.", "I am writing about {v}."))  # fmt: skip
PRODUCT = Field(("product", "item", "product_name", "article", "model"), words.product,
    ("I bought the {v}.", "The {v} stopped working.", "My {v} arrived damaged.", "I ordered a {v} from you.", "The {v} is missing a part.",
     "There is a crack in the {v}.", "I would like to return the {v}.", "It was a {v}.", "The {v} does not turn on.",
     "I have had the {v} for two weeks and it is faulty.", "Our {v} makes a loud noise.", "We are happy with the {v}.",
     "The box said {v}.", "I wanted a {v} but something else came."))  # fmt: skip
EMAIL = Field(("email", "email_address", "contact", "mail", "contact_email"), _email,
    ("You can reach me at {v}.", "My email is {v}.", "Write to {v}.", "Please reply to {v}.", "Contact: {v}.", "The account is under {v}.",
     "Send the answer to {v}."))  # fmt: skip
PHONE = Field(
    ("phone", "phone_number", "telephone", "mobile"),
    _phone,
    (
        "My phone number is {v}.",
        "Call me on {v}.",
        "You can call {v}.",
        "Phone: {v}.",
        "Ring {v} in the evening.",
    ),
)
DATE = Field(("date", "order_date", "purchase_date", "due_date", "delivery_date", "created_at"), _date,
    ("I ordered it on {v}.", "It was bought on {v}.", "The date was {v}.", "It came on {v}.", "It is due on {v}.", "This was on {v}.",
     "Dated {v}.", "Since {v} nothing has happened."))  # fmt: skip
TOTAL = Field(("total", "amount", "price", "cost", "sum", "paid"), _money,
    ("The total was {v} euros.", "I paid ${v}.", "It cost {v} dollars.", "The price is {v} EUR.", "I was charged {v}.",
     "The bill says {v}.", "That makes {v} in all.", "Total: {v}."), True)  # fmt: skip
QUANTITY = Field(("quantity", "count", "units", "how_many", "items"), _quantity,
    ("I ordered {v} of them.", "There were {v} in the box.", "We need {v} pieces.", "Quantity: {v}.", "I asked for {v} units.", "{v} pieces came."),
    True)  # fmt: skip
CITY = Field(
    ("city", "town", "location", "place", "address_city"),
    words.place,
    (
        "I live in {v}.",
        "It should go to {v}.",
        "Please ship it to {v}.",
        "We are in {v}.",
        "The parcel is for {v}.",
        "It was sent to {v}.",
    ),
)
COLOR = Field(
    ("color", "colour"),
    _color,
    ("The color is {v}.", "I chose the {v} one.", "It is {v}.", "I wanted it in {v}."),
)

KINDS = (
    Kind("support message", (CUSTOMER, ORDER, PRODUCT, EMAIL, PHONE, DATE, TOTAL, QUANTITY, CITY, COLOR),
        ("Hello,", "Hi there.", "Dear team,", "I am not happy.", "Please help me soon.", "I have been waiting for a long time.",
         "Nobody answered my last message.", "Can you send me a new one?", "I would like my money back.", "What should I do now?",
         "This is the second time.", "Thank you for your help.", "It worked well at first.", "I tried to restart it twice.",
         "The box was open when it came.", "I like your shop very much.", "Please tell me what happens next.", "Good morning.")),
    Kind("order", (CUSTOMER, ORDER, PRODUCT, QUANTITY, TOTAL, DATE, CITY, COLOR, EMAIL),
        ("The order was made online.", "It was packed with care.", "The order is ready.", "A gift card was used.", "It ships tomorrow.")),
    Kind("invoice", (
        Field(("invoice", "invoice_number", "invoice_id"), _id, ("This is invoice {v}.", "Invoice {v} is open.", "Invoice number {v}.", "We sent invoice {v}.")),
        Field(("supplier", "company", "vendor", "seller"), _company, ("It was sent by {v}.", "The supplier is {v}.", "{v} sent the bill.", "It comes from {v}.", "The seller is {v}.")),
        TOTAL, Field(("due_date", "due"), _date, ("It is due on {v}.", "Please pay by {v}.", "The due date is {v}.")),
        Field(("tax", "vat"), _quantity, ("The tax is {v} percent.", "{v} percent tax is included."), True), CUSTOMER),
        ("Please check it.", "Thank you for your business.", "Late payment costs extra.", "All prices are final.")),
    Kind("profile", (
        Field(("name", "full_name", "person"), words.person, ("{v} joined the team.", "Meet {v}.", "The new colleague is {v}.", "This is about {v}.", "We welcome {v}.")),
        Field(("job", "role", "profession", "occupation"), _job, ("The job is {v}.", "Works as a {v}.", "By trade a {v}.", "The new role is {v}.")),
        Field(("city", "home", "birthplace", "home_town"), words.place, ("Born in {v}.", "Home is {v}.", "Comes from {v}.", "Grew up in {v}.")),
        Field(("age", "years"), _quantity, ("Age {v}.", "Is {v} years old.", "Turned {v} this year."), True),
        Field(("company", "employer"), _company, ("Works at {v}.", "The employer is {v}.", "Was hired by {v}.")),
        Field(("hobby",), _thing, ("Likes to collect any {v}.", "Loves every {v}.", "The hobby is the {v}.")), EMAIL, PHONE),
        ("A quiet person.", "Has many friends.", "Speaks three languages.", "Likes to walk in the forest.", "Reads a lot.")),
    Kind("meeting", (
        Field(("title", "topic", "subject"), lambda r, h: f"{words.pseudo(r, h).capitalize()} {pick(r, ('review', 'plan', 'update', 'workshop', 'training'))}", ("The topic is {v}.", "It is called {v}.", "We talk about the {v}.", "Subject: {v}.")),
        Field(("date", "on"), _date, ("We meet on {v}.", "The date is {v}.", "It takes place on {v}.")),
        Field(("time", "start", "starts_at"), _hour, ("It starts at {v}.", "The time is {v}.", "Be there at {v}.")),
        Field(("room", "where"), _room, ("The room is {v}.", "Come to room {v}.", "We sit in {v}.")),
        Field(("host", "organizer", "chair"), words.person, ("The host is {v}.", "{v} leads the meeting.", "{v} invites you.")),
        Field(("guests", "people"), _quantity, ("There will be {v} people.", "{v} guests come."), True), CITY),
        ("Bring a pen.", "There will be coffee.", "Please be on time.", "Tell your team.", "Lunch is free.")),
    Kind("trip", (
        Field(("traveller", "passenger", "name"), words.person, ("The passenger is {v}.", "{v} booked a trip.", "The ticket is for {v}.")),
        Field(("from", "origin", "departure"), words.place, ("The train leaves from {v}.", "The trip starts in {v}.", "Departure is {v}.")),
        Field(("to", "destination", "arrival"), words.place, ("It goes to {v}.", "The destination is {v}.", "The trip ends in {v}.")),
        Field(("date", "day"), _date, ("The date is {v}.", "It leaves on {v}.", "Travel is on {v}.")),
        Field(("seat",), lambda r, h: words.code(r, 1, 2, "") if r.random() < 0.5 else words.digits(r, 2), ("Seat {v} is yours.", "The seat is {v}.")),
        Field(("booking", "booking_code", "code"), _id, ("The booking code is {v}.", "Booking {v}.", "Use the code {v}.")), TOTAL, PHONE),
        ("Have a good trip.", "Bags are free.", "Please come early.", "No food on board.", "The weather is fine.")),
    Kind("incident", (
        Field(("system", "service", "device", "server"), lambda r, h: f"{words.pseudo(r, h)}-{r.choice(('db', 'api', 'web', 'node', 'app'))}{r.choice(('', '1', '2', '-03'))}", ("The service {v} is down.", "{v} does not respond.", "We lost {v}.", "There is an error on {v}.")),
        Field(("error", "error_code", "code"), _id, ("The error is {v}.", "It shows code {v}.", "Error {v} came up.", "The log says {v}.")),
        Field(("reporter", "reported_by", "user"), words.person, ("{v} reported it.", "It was seen by {v}.", "{v} told us.")),
        Field(("time", "since", "started_at"), _hour, ("It began at {v}.", "Since {v} it fails.", "First seen at {v}.")),
        Field(("version", "release"), _version, ("The version is {v}.", "It runs release {v}.", "We use version {v}.")),
        Field(("affected", "users"), _quantity, ("{v} users are affected.", "It hit {v} people."), True), DATE),
        ("We are looking into it.", "A restart did not help.", "The team is informed.", "Backups are fine.", "No data was lost.")),
    Kind("delivery", (
        Field(("tracking", "tracking_number", "parcel", "shipment_id"), _id, ("The tracking number is {v}.", "Parcel {v} is on its way.", "Shipment {v} left us.", "Track it with {v}.")),
        Field(("carrier", "company"), _company, ("It goes with {v}.", "The carrier is {v}.", "{v} will bring it.")),
        Field(("weight", "kg"), _quantity, ("It weighs {v} kg.", "The weight is {v} kg."), True),
        Field(("receiver", "recipient", "to"), words.person, ("It is for {v}.", "The receiver is {v}.", "Give it to {v}.")), CITY, DATE, PHONE),
        ("Do not bend.", "It needs a signature.", "The driver will ring twice.", "It may come late.")),
)  # fmt: skip

BLAND = ("It was a long day.", "The weather was fine.", "Nothing else is known.", "More will follow.", "That is all for now.",
         "Please keep this note.", "The rest is not important.", "Nobody asked about it.", "We will see.", "It is getting late.")  # fmt: skip


def record(rng: Random, held_out: bool, n_facts: int, fillers: int = 2) -> Record:
    """A passage that tells `n_facts` facts in any order, with sentences between that tell none."""
    if rng.random() < 0.25:
        return _made_up(rng, held_out, n_facts, fillers)
    kind = pick(rng, KINDS)
    fields = rng.sample(kind.fields, min(n_facts, len(kind.fields)))
    facts: list[Fact] = []
    sentences: list[str] = []
    used: set[str] = set()
    for field in fields:
        name = pick(rng, [name for name in field.names if name not in used] or [field.names[0] + "_2"])
        used.add(name)
        text = field.draw(rng, held_out)
        facts.append(Fact(name, text, field.number))
        sentences.append(pick(rng, field.tell).replace("{v}", text))
    untold = tuple(pick(rng, field.names) for field in kind.fields if field not in fields)
    sentences += rng.sample(kind.filler, min(fillers, len(kind.filler)))
    return Record(
        kind.name, _join(rng, sentences), tuple(facts), tuple(name for name in untold if name not in used)
    )


def _made_up(rng: Random, held_out: bool, n_facts: int, fillers: int) -> Record:
    """A record whose keys are any words at all."""
    pool = (*words.THINGS, *words.WORK_WORDS, *words.PLACES)
    keys = list(
        dict.fromkeys(
            pick(rng, pool) if rng.random() < 0.7 else words.pseudo(rng, held_out) for _ in range(n_facts + 3)
        )
    )
    facts = tuple(_any_fact(rng, held_out, key) for key in keys[:n_facts])
    shape = rng.choice(
        (
            "The {k} is {v}.",
            "{k}: {v}.",
            "The {k} has the value {v}.",
            "{k} = {v}",
            "We set the {k} to {v}.",
            "As {k} we have {v}.",
            "{v} is the {k}.",
        )
    )
    alternatives = (shape, shape, "The {k} is {v}.")
    sentences = [pick(rng, alternatives).replace("{k}", fact.key).replace("{v}", fact.text) for fact in facts]
    sentences += rng.sample(BLAND, min(fillers, len(BLAND)))
    return Record("note", _join(rng, sentences), facts, tuple(keys[n_facts:]))


def any_value(rng: Random, held_out: bool) -> str:
    """A value of any sort."""
    return pick(rng, (words.person, words.place, words.product, _id, _date, _email, _phone, _thing, _company, _hour, words.pseudo, words.pseudo,
                      _words, _words, _words))(rng, held_out)  # fmt: skip


def _words(rng: Random, held_out: bool) -> str:
    pool = (*words.THINGS, *words.WORK_WORDS, *words.ADJECTIVES, *words.ANIMALS)
    text = " ".join(words.word(rng, pool, held_out) for _ in range(rng.choice((1, 1, 2, 3))))
    return text.capitalize() if rng.random() < 0.3 else text


def _any_fact(rng: Random, held_out: bool, key: str) -> Fact:
    if rng.random() < 0.2:
        return Fact(key, _quantity(rng, held_out), True)
    return Fact(key, any_value(rng, held_out))


def _join(rng: Random, sentences: list[str]) -> str:
    order = list(sentences)
    rng.shuffle(order)
    # What opens or closes a letter stands where it belongs.
    first = [text for text in order if text.startswith(("Hello", "Hi ", "Dear", "Good morning"))]
    last = [
        text for text in order if text.startswith(("Regards", "Thanks,", "Best,", "Signed", "Kind regards"))
    ]
    order = [*first, *(text for text in order if text not in first and text not in last), *last]
    return pick(rng, (" ", " ", " ", " ", "\n")).join(order)
