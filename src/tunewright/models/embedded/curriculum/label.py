# ruff: noqa: E501  # tables of words and sentences, one row a line
"""Labels: choose one of the labels that the prompt gives, by its meaning, its definition or its examples."""

from __future__ import annotations

from random import Random

from tunewright.models.embedded import passages, words
from tunewright.models.embedded.curriculum import Draw, Message
from tunewright.models.embedded.words import pick

TOPICS: dict[str, tuple[str, ...]] = {
    "billing": ("I was charged twice", "the invoice is wrong", "my card was declined", "the amount on my bill is too high", "I want to know why I paid more", "the payment did not go through", "there is an extra fee on my bill"),
    "shipping": ("my parcel has not arrived", "the delivery is late", "the tracking does not move", "the package went to the wrong address", "when will it be delivered", "the shipment is lost", "the courier did not come"),
    "refund": ("I want my money back", "please refund me", "I sent it back and wait for the money", "I would like a refund", "return the money to my card"),
    "technical": ("the app crashes when I open it", "it shows an error", "the screen stays black", "the software does not start", "I cannot connect to the network", "the device freezes", "the update failed"),
    "account": ("I cannot log in", "I forgot my password", "my account is locked", "I want to change my email", "please delete my account", "my user name is wrong"),
    "product": ("the item is broken", "a part is missing", "the box was damaged", "it arrived with a crack", "the color is not what I ordered", "it stopped working after a day"),
    "praise": ("great service, thank you", "I love it", "everything works very well", "best shop ever", "your team was very kind"),
    "cancel": ("please cancel my order", "I want to cancel my subscription", "stop the order", "end my contract", "I do not want it any more, cancel it"),
    "weather": ("it will rain all day", "the sun is out", "a storm comes from the sea", "snow fell in the night", "the wind is cold"),
    "sport": ("the team won the match", "she ran the race", "the player lost the ball", "they train for the game", "the cup goes to the home team"),
    "food": ("the soup was too salty", "we baked bread and cake", "dinner is ready", "add sugar and milk", "the cook made rice"),
    "travel": ("the flight leaves at noon", "we booked a hotel", "the train was full", "our trip goes to the island", "the road to the castle is closed"),
    "money": ("the bank raised the rate", "prices went up", "she saved a hundred dollars", "the market fell", "he sold his shares"),
    "music": ("he plays the piano", "the song was loud", "she sings in a band", "a new record came out", "the violin is out of tune"),
    "health": ("the doctor gave me a pill", "my head hurts", "she is sick in bed", "he broke his arm", "the nurse took my blood"),
    "animals": ("the dog barked all night", "a fox ran over the field", "the cat sleeps", "birds fly south", "the horse eats grass"),
    "home": ("we painted the kitchen", "the roof is leaking", "she cleaned the bedroom", "the sofa is new", "he works in the garden"),
    "question": ("how does it work", "when do you open", "do you have it in blue", "which size should I take", "can I ask you something", "does it fit my model"),
    "school": ("the teacher gave us homework", "the lesson begins at nine", "students write a test", "she learns to read", "the class was noisy"),
}  # fmt: skip
NAMES: dict[str, tuple[str, ...]] = {
    "billing": ("billing", "payment", "invoice", "charge"), "shipping": ("shipping", "delivery", "shipment"), "refund": ("refund", "return", "money back"),
    "technical": ("technical", "software", "bug", "error"), "account": ("account", "login", "access"), "product": ("product", "defect", "damage", "broken"),
    "praise": ("praise", "thanks", "feedback"), "cancel": ("cancel", "cancellation"), "weather": ("weather", "climate"), "sport": ("sport", "sports", "games"),
    "food": ("food", "cooking"), "travel": ("travel", "trips"), "money": ("money", "finance"), "music": ("music", "songs"), "health": ("health", "medical"), "school": ("school", "education"),
    "animals": ("animals", "nature"), "home": ("home", "house"), "question": ("question", "information", "general"),
}  # fmt: skip
"""What a topic may be called as a label."""
CUES: dict[str, tuple[str, ...]] = {
    "billing": ("invoice", "bill", "payment", "charge", "fee", "credit card", "tax", "discount", "price", "coupon"),
    "shipping": ("parcel", "package", "delivery", "courier", "tracking number", "shipment", "driver", "address label"),
    "refund": ("refund", "return label", "money back", "return", "repayment"),
    "technical": ("app", "software", "error message", "update", "connection", "server", "screen", "installation", "network", "crash"),
    "account": ("password", "login", "account", "user name", "profile", "email address", "access code"),
    "product": ("crack", "broken part", "damaged box", "scratch", "faulty switch", "missing piece", "defect"),
    "praise": ("great support", "kind staff", "perfect service", "best team", "excellent work"),
    "cancel": ("cancellation", "end of my contract", "stop of the order"),
    "weather": ("rain", "snow", "storm", "wind", "sun", "cold", "ice", "heat"), "sport": ("match", "team", "goal", "player", "race", "cup", "coach", "ball"),
    "food": ("soup", "bread", "cake", "dinner", "rice", "cheese", "lunch", "egg", "butter"), "travel": ("flight", "hotel", "trip", "airport", "train", "island", "holiday"),
    "money": ("bank", "market", "shares", "loan", "salary", "profit", "budget"), "music": ("song", "piano", "guitar", "band", "violin", "singer", "drum"),
    "health": ("doctor", "nurse", "hospital", "pill", "fever", "pain", "medicine"), "school": ("teacher", "lesson", "student", "class", "homework", "test", "book report"),
    "animals": ("cat", "dog", "horse", "fox", "owl", "sheep", "frog", "wolf"), "home": ("kitchen", "sofa", "garden", "roof", "lamp", "carpet", "bedroom"),
    "question": ("opening hours", "size guide", "how it works", "the right model", "stores near me"),
}  # fmt: skip
FRAMES = ("It is about the {c}.", "There is a problem with the {c}.", "I have a question about the {c}.", "We talked about the {c}.", "The {c} again.", "What about the {c}?",
          "I am writing because of the {c}.", "The {c} is what matters.", "Tell me more about the {c}.", "I did not like the {c}.", "Everybody spoke of the {c}.", "{c}")  # fmt: skip
AROUND = (
    "{s}",
    "{s}",
    "{s}",
    "Hello, {s}",
    "Hi, {s}",
    "{s} What now?",
    "Please help, {s}",
    "{s} That is all.",
    "As I said, {s}",
    "Well, {s}",
    "{s} Thank you.",
    "Today {s}",
    "Yes, {s}",
)
FEELINGS: dict[str, tuple[str, ...]] = {
    "positive": ("I love this {t}.", "The {t} is great.", "Very good {t}, thank you.", "I am happy with the {t}.", "The best {t} I ever had.", "What a nice {t}.", "The {t} works perfect."),
    "negative": ("I hate this {t}.", "The {t} is terrible.", "Very bad {t}.", "I am angry about the {t}.", "The worst {t} I ever had.", "The {t} is broken again.", "A waste of money, this {t}."),
    "neutral": ("The {t} is on the table.", "I have a {t}.", "The {t} came on Monday.", "It is a {t}.", "The {t} has two parts.", "I use the {t} at work."),
}  # fmt: skip
URGENCY: dict[str, tuple[str, ...]] = {
    "high": ("This is urgent.", "I need it today.", "Please answer at once.", "We cannot work.", "It is an emergency.", "As soon as possible!", "Everything is down."),
    "medium": ("Please look at it this week.", "I need it soon.", "It should be fixed in the next days.", "It slows us down.", "I hope to hear from you this week."),
    "low": ("There is no hurry.", "Take your time.", "It is not urgent.", "Whenever you can.", "Just a small thing.", "It can wait."),
}  # fmt: skip
RENAME = {
    "positive": ("good", "happy", "up", "plus"),
    "negative": ("bad", "unhappy", "down", "minus"),
    "neutral": ("none", "mixed", "flat", "zero"),
}
ASK = ("Which label fits? {l}\n\n{t}", "Classify the text. Labels: {l}.\n\nText: {t}", "{t}\n\nLabel ({l}):", "Choose one of: {l}.\n{t}",
       "Text: {t}\nOne of {l}?", "Pick the best label from [{l}] for this text: {t}")  # fmt: skip


def draw(rng: Random, held_out: bool) -> Draw:
    """Choose by topic, feeling, urgency, kind of thing, a definition in the prompt, or a word that the text holds."""
    make = pick(rng, (_topic, _topic, _feeling, _urgency, _defined, _defined, _holds, _kind))
    return make(rng, held_out)


def sentence(rng: Random, held_out: bool, topic: str) -> str:
    """A text of one topic: a written sentence or one of its words in a frame; held out by the checksum of the whole."""
    while True:
        framed = pick(rng, FRAMES).replace("{c}", pick(rng, CUES[topic]))
        text = pick(rng, TOPICS[topic]) if rng.random() < 0.6 else framed
        if rng.random() < 0.7:
            text = text[0].upper() + text[1:].rstrip(".") + ("" if text[-1] in "?!" else ".")
        text = pick(rng, AROUND).replace("{s}", text)
        if words.held(text) == held_out:
            return text


def named(rng: Random, topics: list[str]) -> dict[str, str]:
    """Each topic with the name it goes by in one prompt, all different."""
    return {topic: topic if rng.random() < 0.5 else pick(rng, NAMES[topic]) for topic in topics}


def _chat(rng: Random, labels: list[str], rounds: list[tuple[str, str]]) -> Draw:
    """The labels in the first message or the system prompt; more texts follow alone."""
    joined = pick(rng, (", ", " / ", " | ", "; ")).join(labels)
    messages: list[Message] = []
    ask = pick(rng, ASK)
    if rng.random() < 0.4:
        rule = pick(
            rng,
            (
                "Classify each text as one of: {l}.",
                "Reply with one label of: {l}.",
                "You sort texts. Labels: {l}. Answer with the label only.",
            ),
        )
        messages = [("system", rule.replace("{l}", joined))]
        ask = "{t}"
    for place, (text, answer) in enumerate(rounds):
        messages += [
            ("user", (ask if place == 0 else "{t}").replace("{l}", joined).replace("{t}", text)),
            ("assistant", answer),
        ]
    return Draw("label", tuple(messages), "exact")


def _rounds(rng: Random, held_out: bool) -> int:
    return rng.randrange(1, 3) if held_out else rng.randrange(2, 9)


def _topic(rng: Random, held_out: bool) -> Draw:
    labels = rng.sample(list(TOPICS), rng.randrange(2, 6))
    shown = named(rng, labels)
    chosen = [pick(rng, labels) for _ in range(_rounds(rng, held_out))]
    return _chat(
        rng, list(shown.values()), [(sentence(rng, held_out, label), shown[label]) for label in chosen]
    )


def _feeling(rng: Random, held_out: bool) -> Draw:
    names = [*FEELINGS][: 2 if rng.random() < 0.5 else 3]
    shown = {name: name if rng.random() < 0.6 else pick(rng, RENAME[name]) for name in names}
    labels = list(shown.values())
    rng.shuffle(labels)
    rounds = []
    for _ in range(_rounds(rng, held_out)):
        name = pick(rng, names)
        rounds.append(
            (pick(rng, FEELINGS[name]).replace("{t}", words.word(rng, words.THINGS, held_out)), shown[name])
        )
    return _chat(rng, labels, rounds)


def _urgency(rng: Random, held_out: bool) -> Draw:
    labels = [*URGENCY]
    rng.shuffle(labels)
    rounds = []
    for _ in range(_rounds(rng, held_out)):
        label = pick(rng, labels)
        about = sentence(rng, held_out, pick(rng, list(TOPICS)[:6])).rstrip(".") + "."
        cue = pick(rng, URGENCY[label])
        rounds.append((f"{about} {cue}" if rng.random() < 0.6 else f"{cue} {about}", label))
    return _chat(rng, labels, rounds)


def _defined(rng: Random, held_out: bool) -> Draw:
    """Made-up labels that the prompt defines by a word; the text holds the word of one."""
    pool = (*words.THINGS, *words.ANIMALS, *words.PLACES, *words.WORK_WORDS)
    cues = words.distinct(rng, pool, rng.randrange(2, 6), held_out)
    labels = [words.pseudo(rng, held_out) if rng.random() < 0.7 else words.code(rng, 1, 1, "") for _ in cues]
    definition = "\n".join(
        pick(rng, ("{l}: texts about {c}", "{l} - {c}", "{l} = {c}"))
        .replace("{l}", label)
        .replace("{c}", cue)
        for label, cue in zip(labels, cues, strict=True)
    )
    messages: list[Message] = []
    for place in range(_rounds(rng, held_out)):
        chosen = rng.randrange(len(cues))
        text = pick(
            rng,
            (
                "I saw the {c} today.",
                "My question is about the {c}.",
                "The {c} is not here.",
                "Where is the {c}?",
                "We talked about a {c}.",
                "A {c} would be nice.",
            ),
        ).replace("{c}", cues[chosen])
        messages += [
            ("user", f"Labels:\n{definition}\n\nText: {text}" if place == 0 else f"Text: {text}"),
            ("assistant", labels[chosen]),
        ]
    return Draw("label", tuple(messages), "exact")


def _holds(rng: Random, held_out: bool) -> Draw:
    """Yes or no: does the text name a thing?"""
    told = passages.record(rng, held_out, rng.choice((1, 2)), fillers=1)
    yes = rng.random() < 0.5
    thing = pick(rng, told.facts).text if yes else passages.any_value(rng, held_out)
    return Draw(
        "label",
        (
            ("user", f"{told.passage}\n\nDoes the text mention {thing}? Answer yes or no."),
            ("assistant", "yes" if yes or thing in told.passage else "no"),
        ),
        "exact",
    )


def _kind(rng: Random, held_out: bool) -> Draw:
    pools = {
        "animal": words.ANIMALS,
        "color": words.COLORS,
        "person": words.PEOPLE,
        "job": words.JOBS,
        "place": words.PLACES,
        "city": words.CITIES,
        "month": words.MONTHS,
        "day": words.DAYS,
    }
    labels = rng.sample(list(pools), rng.randrange(2, 5))
    rounds = []
    for _ in range(_rounds(rng, held_out)):
        label = pick(rng, labels)
        # Whether `owl` is an animal must be learnt: the words themselves are not held out here.
        rounds.append((pick(rng, pools[label]), label))
    return _chat(rng, labels, rounds)
