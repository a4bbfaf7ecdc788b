"""How people write to support: the sentences the tickets are put together from.

Each pool has three parts that share no sentence: what train draws from, what dev adds, and what test adds. A sentence of
the dev and test parts is never seen in training, so a model that only remembers sentences is found out.

Slots in braces are filled by make_data.py: {product}, {order}, {amount} (with its currency), {name}, {email}, {phone},
{person} (somebody else), {days} (a length of time), {when}, {since} (a day), {date}.
"""

from typing import NamedTuple


class Pool(NamedTuple):
    """Sentences by the part of the split that first shows them."""

    train: tuple[str, ...]
    dev: tuple[str, ...]
    test: tuple[str, ...]


def _pool(train: str, dev: str, test: str) -> Pool:
    return Pool(*(tuple(line.strip() for line in part.strip().splitlines()) for part in (train, dev, test)))


def _words(text: str) -> list[str]:
    return text.split()


PROBLEMS = {
    "delivery": _pool(
        """My {product} has not arrived yet.
        I am still waiting for the {product} that I ordered {when}.
        The parcel with the {product} was due {when} and nothing came.
        Tracking has said "on the way" for {days} and there is no {product} here.
        The courier says my {product} was delivered, but I never got it.
        It has been {days} since you shipped the {product} and the parcel is not here.
        Where is my {product}? It should have been delivered {when}.
        The delivery of the {product} is {days} late.
        The driver left the parcel with the {product} at the wrong address.
        No one brought the {product} {when}, although delivery was promised.
        The {product} seems to be lost in the post.
        I ordered a {product} {when} and the shipment has not moved since.
        The package with my {product} went back to your warehouse instead of coming to me.
        Only half of the shipment came, the parcel with the {product} is missing.""",
        """The courier came {when} but had no {product} for me.
        I stayed at home for the delivery of the {product} and no parcel came.
        According to tracking, the {product} has been at the same warehouse for {days}.""",
        """Your courier has had my {product} for {days} and it is still not delivered.
        I have waited {days} for a parcel with a {product}, and it never came.
        The {product} was shipped {when}, yet no package has arrived at my address.
        Nobody can tell me where the shipment with the {product} is.
        My neighbour got the parcel with my {product}, the driver went to the wrong door.
        The {product} is late, delivery was promised for {since}.""",
    ),
    "defect": _pool(
        """The {product} stopped working {when}.
        My {product} does not turn on any more.
        The {product} arrived with a crack in the glass.
        After {days} the {product} broke.
        The {product} makes a loud noise and then shuts down.
        The battery of the {product} is dead after {days}.
        A button on my {product} is broken.
        The screen of the {product} stays black.
        My {product} gets very hot and smells burnt.
        The {product} is faulty, it fails every time I use it.
        The cable of the {product} was damaged when I opened the box.
        My {product} leaks water since {since}.
        The {product} worked for {days} and then died.
        There is a fault in the {product}, the light blinks red and nothing works.""",
        """The {product} broke down {when} and shows a black screen.
        One part of the {product} was damaged when it arrived.
        My {product} shuts down after a minute, so it must be faulty.""",
        """Since {since} the {product} will not turn on, the battery seems dead.
        The {product} has a crack and a broken button.
        The {product} I use every day has stopped working, the light only blinks.
        My {product} is broken, it leaks and smells burnt.
        It took {days} until the {product} died with a loud noise.
        The {product} fails all the time, I think it has a fault.""",
    ),
    "billing": _pool(
        """You charged me {amount} twice for the same thing.
        There is a charge of {amount} on my card that I do not know.
        My invoice says {amount}, but the price was lower.
        I was billed {amount} after I had cancelled.
        The amount of {amount} was taken from my account by mistake.
        My card was charged {amount} {when} and I never agreed to it.
        The invoice from {since} is wrong, it shows {amount}.
        I paid {amount} and still get payment reminders.
        The discount is missing on my bill of {amount}.
        Your bill of {amount} has the wrong tax on it.
        I see two payments of {amount} on my bank statement.
        I was promised a lower price, yet the bill shows {amount}.
        The payment of {amount} failed, but my bank says that it went through.
        The refund of {amount} that you promised {when} is not on my card.""",
        """My bank statement shows a charge of {amount} by mistake.
        The invoice of {amount} was paid {when}, but the reminders go on.
        Your bill shows {amount} and the discount is not there.""",
        """A payment of {amount} was taken twice from my card.
        Why was I charged {amount}? The invoice from {since} had a lower price.
        I do not agree with the bill, {amount} is the wrong price.
        The tax on the invoice is wrong, so {amount} is too much.
        My card shows a payment of {amount} although I cancelled.
        I have been billed {amount} by mistake.""",
    ),
    "return": _pool(
        """I would like to send the {product} back.
        The {product} is too small for my room, so I want to return it.
        I changed my mind about the {product} and want my money back.
        Please take back the {product}, I do not need it any more.
        I want to exchange the {product} for another colour.
        The {product} works, but I do not like it and want to return it.
        I got the {product} as a gift and want to exchange it.
        How can I return the {product}? The box is still closed.
        The {product} is not what I expected, I wish to send it back.
        I ordered two {product} by accident and want to send one back.
        I would rather have a larger size, please exchange the {product}.
        I never used the {product} and want to give it back.
        My wife bought the same {product}, so mine can go back to you.
        I need a return label for the {product}.""",
        """The {product} is fine, but the colour is not, so I want to exchange it.
        I do not need the {product} and would like to give it back.
        Please send a return label, the {product} goes back to you.""",
        """The {product} is too large and I want to send it back.
        I decided to return the {product}, it was never used.
        Can I exchange my {product} for a smaller size?
        I changed my mind, please take the {product} back.
        We have two {product} now, one of them should go back to you.
        I wish to return the {product}, the box was not opened.""",
    ),
    "account": _pool(
        """I cannot log in to my account.
        My password does not work and the reset link never comes.
        My account has been locked since {since}.
        I want to change the address in my account.
        Please delete my account and my data.
        The login page says that my user name is unknown.
        I forgot my password and cannot get in.
        Someone else has logged in to my account.
        I have two accounts and want to have only one.
        The code for the login never reaches my phone.
        I cannot change my password on your website.
        My profile shows the wrong name and I cannot edit it.
        After {days} I am still locked out of my account.
        The sign in page throws me out every time.""",
        """The reset link for my password has not worked since {since}.
        My account is locked and the login page shows an error.
        I want to delete my profile from your website.""",
        """Your website does not take my password any more.
        I have been locked out since {since}, the login code does not come.
        I am unable to log in, the page says my account is unknown.
        Please help me to change the name in my profile.
        Someone changed my password and I cannot get in to my account.
        For {days} I have tried to sign in without success.""",
    ),
    "question": _pool(
        """Does the {product} come in other colours?
        I would like to know if the {product} can be used outside.
        How long is the warranty of the {product}?
        Is the {product} in stock at the moment?
        Can I use the {product} with my old cable?
        How do I clean the {product}?
        I am thinking of buying a {product}, how much does it weigh?
        Which battery does the {product} need?
        Do you have a manual for the {product} in English?
        What is the difference between the {product} and the older model?
        I wonder if the {product} is safe for children.
        Will there be a new version of the {product} this year?
        How tall is the {product}? I want to buy one.
        Could you tell me if the {product} works without internet?""",
        """Is there a manual for the {product} and which cable does it need?
        I am thinking of buying the {product}, is it in stock?
        How much does the {product} weigh and how tall is it?""",
        """Before I buy the {product}, how long is the warranty?
        Could you tell me which colours the {product} comes in?
        I wonder how to clean the {product}.
        Is it safe to use the {product} outside?
        Is the {product} made for children, and is it in stock?
        What battery is needed for the {product}?""",
    ),
}
"""Category → what the ticket is about. Exactly one of these sentences is in each ticket and decides its category."""

REQUESTS = _pool(
    """Please help.
    What can you do about it?
    Please let me know what to do.
    Can someone look into this?
    I look forward to your answer.
    Please tell me the next step.
    Please write back.
    Could you sort this out for me?
    I hope you can help me.
    What happens now?
    Tell me what you need from me.""",
    """I hope someone can look into it.
    Please write what to do next.""",
    """Could someone please help me?
    Please tell me what happens next.
    I hope to get an answer.""",
)

PRIORITY = {
    "urgent": _pool(
        """This is urgent.
        I need an answer today.
        Please act at once, I cannot wait.
        It is very urgent for me.
        We need this solved by tomorrow.
        Please hurry, I leave tomorrow morning.
        I cannot wait any longer.
        Call me today, it is an emergency.
        Our shop is closed until this is solved, so act now.
        I need help right now.""",
        """Please act today, it is urgent.
        This cannot wait.""",
        """Urgent, please act right now.
        I need this solved today.
        It is an emergency, please hurry.
        We cannot wait any longer than tomorrow.""",
    ),
    "low": _pool(
        """There is no hurry.
        Take your time.
        This is not urgent.
        Answer whenever you have time.
        It can wait.
        No rush at all.
        Any time next month is fine.
        I am in no hurry.
        Please answer only when you are less busy.
        It is not important when you do it.""",
        """No hurry at all, it can wait.
        Take all the time you need, it is not urgent.""",
        """It can wait until next month.
        No rush, answer when you have time.
        I am in no hurry, so take your time.
        It is not urgent at all.""",
    ),
}
"""What makes a ticket urgent or low. A ticket with none of these is normal."""

GREETINGS = _pool(
    """Hello,
    Hi,
    Hi there,
    Dear support team,
    Good morning,
    Good afternoon,
    Hello support,
    Dear sir or madam,
    Hey,
    To whom it may concern,""",
    """Good day,
    Hello team,""",
    """Good evening,
    Hello there,
    Dear team,""",
)

INTROS = _pool(
    """My name is {name}.
    This is {name}.
    I am {name}, a customer of yours.
    {name} here.
    You are talking to {name}.
    I write to you as {name}, your customer.""",
    """My name is {name} and I am a customer.
    Here is {name}.""",
    """Let me say who I am: {name}.
    I am {name}.
    {name} is my name.""",
)
"""The writer names himself at the start."""

SIGNATURES = _pool(
    """Best regards,\\n{name}
    Thanks,\\n{name}
    Thank you,\\n{name}
    Kind regards\\n{name}
    Yours, {name}
    Regards, {name}
    Many thanks, {name}
    {name}
    - {name}
    Sincerely,\\n{name}""",
    """With kind regards, {name}
    Thank you and regards,\\n{name}""",
    """With thanks,\\n{name}
    Best, {name}
    Thanks and best regards, {name}""",
)
"""The writer names himself at the end."""

ORDERS = _pool(
    """My order number is {order}.
    The order is {order}.
    Order number: {order}.
    Order: {order}.
    It was order {order}.
    You will find it under order {order}.
    This is about order {order}.
    The number of the order is {order}.
    I ordered it {when}, order number {order}.""",
    """It is order number {order}.
    You can find the order under {order}.""",
    """The order number on my receipt is {order}.
    I have order {order} in front of me.
    For your files, the order was {order}.""",
)

PAID = _pool(
    """I paid {amount} for it.
    The price was {amount}.
    It cost me {amount}.
    I spent {amount} on this.""",
    """I paid {amount} {when}.""",
    """I had to pay {amount} for it.
    The price I paid was {amount}.""",
)

EMAILS = _pool(
    """You can reach me at {email}.
    My email is {email}.
    Write to {email}.
    Please reply to {email}.
    Email: {email}.
    My address for the answer is {email}.
    I read my mail at {email}.""",
    """Please write to me at {email}.
    Reach me under {email}.""",
    """Please send your answer to {email}.
    My mail address is {email}.
    The best way to reach me is {email}.""",
)

FILLERS = _pool(
    """I have been a customer for {days}.
    I live on the second floor.
    My phone number is {phone}.
    I talked to {person} on the phone {when}.
    I wrote to you {when} already.
    My brother told me about your company.
    So far I was happy with you.
    I am quite disappointed.
    This makes me angry.
    I like your company and tell my friends about it.
    Your colleague {person} was very kind.
    It is the second time that I write.
    You can call {phone} in the evening.
    I am writing from work.
    I read the page about this on your website.
    The date of my first message was {date}.
    My sister {person} gave me your address.
    I am sorry to bother you.
    I am at home until {date}.
    We are a family of four.""",
    """My friend {person} told me to write.
    I am not happy about this at all.
    I called {phone} {when} and nobody answered.""",
    """My colleague {person} says hello.
    I sent you a message on {date} already.
    The number of my phone is {phone}.
    I must say that I am disappointed.
    My father told me about your shop.""",
)
"""Sentences that decide nothing."""

FIRST_NAMES = _words("""
Anna Ben Clara David Emma Frank Grace Henry Iris Jack Kate Liam Mary Noah Olga Paul Quinn Rosa Sam Tom Uma
Victor Wendy Yusuf Zoe Alice Bruno Carmen Diego Elena Felix Gina Hugo Ines Jonas Karin Leon Mona Nina Oscar
Petra Ravi Sara Tariq Ursula Vera Walter Yara Zain Adam Bella Chloe Daniel Eva Fatima George Hannah Ivan
Julia Kevin Laura Martin Nora Owen Priya Robert Sofia Thomas Viola William James John Michael Linda Susan
Peter Maria Ahmed Wei Aisha Omar Leila Marco Lucia Pablo Ingrid Lars Sven Freya Akira Yuki Hana Kenji Mei
Raj Anita Deepak Maya Samuel Esther Joseph Ruth Simon Helen Philip Diana Edward Alan Brian Carol Dennis
Irene Jason Karen Megan Neil Rachel Steven Tina Vincent
""")

SURNAMES = _words("""
Smith Jones Brown Taylor Wilson Davies Evans Johnson Roberts Walker Wright Robinson Thompson White Hughes
Hall Wood Harris Jackson Clarke Lewis Turner Hill Scott Cooper Morris Ward Moore King Watson Baker Patel
Young Allen Mitchell Anderson Lee Bell Parker Davis Bennett Miller Cook Shaw Cox Garcia Lopez Silva Santos
Meyer Weber Fischer Schmidt Rossi Novak Petrov Kim Park Nguyen Tanaka Suzuki Khan Singh Hansen Olsen Berg
Okafor Mensah Cohen Levy Murphy Kelly Walsh Ryan Fox Stone Marsh Frost Knight
""")

NOUNS = _words("""
Lamp Chair Table Clock Kettle Toaster Blender Fan Heater Filter Pump Hammer Radio Camera Printer Keyboard
Mouse Speaker Laptop Tablet Monitor Router Watch Drill Mixer Scanner Tent Torch Pillow Blanket Helmet Bike
Oven Fridge Vacuum Projector Headset Charger Mirror Desk Shelf Sofa Carpet Bottle Suitcase Umbrella Guitar
Drone Console Sensor
""")

TAILS = ["Pro", "Max", "Mini", "Plus", "Air", "Go", "Lite", "One", "Ultra", "Duo"]

MENTIONS = _pool(
    """It is about the {product}.
    I had bought a {product}.
    The product is the {product}.
    The {product} is what I bought.""",
    """It is for the {product}.""",
    """The thing I bought is a {product}.
    This was for a {product}.""",
)
"""Billing tickets often name the product in a sentence of its own."""

DAYS = [
    "two days",
    "three days",
    "four days",
    "five days",
    "six days",
    "a week",
    "two weeks",
    "three weeks",
    "ten days",
    "a month",
]

WHEN = [
    "on Monday",
    "on Tuesday",
    "on Wednesday",
    "on Thursday",
    "on Friday",
    "last week",
    "yesterday",
    "last month",
    "last Sunday",
]

SINCE = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "last week",
    "yesterday",
    "last month",
    "last Sunday",
]

MONTHS = _words("January February March April May June July August September October November December")
