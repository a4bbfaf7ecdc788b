# ruff: noqa: E501  # tables of words and sentences, one row a line
"""The words of the curriculum: plain English in categories, and made-up names, ids and codes without end.

Everything comes from a `random.Random`, so a seed names a text. A word belongs to the held-out world if its checksum says
so (`held`): training draws never contain a held-out word as a value, and held-out draws contain no other.
"""

from __future__ import annotations

import string
import zlib
from random import Random
from typing import TypeVar

T = TypeVar("T")

HELD_OUT_SHARE = 8
"""One word in this many is kept for the held-out draws."""


def held(word: str) -> bool:
    """Whether a word belongs to the held-out world."""
    return zlib.crc32(word.lower().encode()) % HELD_OUT_SHARE == 0


def _split(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.split()))


PEOPLE = _split("""Anna Ben Clara David Emma Frank Grace Henry Iris Jack Kate Liam Mary Noah Olga Paul Quinn Rosa Sam Tom
Uma Victor Wendy Yusuf Zoe Alice Bruno Carmen Diego Elena Felix Gina Hugo Ines Jonas Karin Leon Mona Nina Oscar Petra
Ravi Sara Tariq Ursula Vera Walter Ximena Yara Zain Adam Bella Chloe Daniel Eva Fatima George Hannah Ivan Julia Kevin
Laura Martin Nora Owen Priya Robert Sofia Thomas Viola William James John Michael Linda Susan Peter Maria Ahmed Chen Wei
Aisha Omar Leila Marco Lucia Pablo Ingrid Lars Sven Freya Akira Yuki Hana Kenji Mei Raj Anita Deepak Maya Samuel Esther
Joseph Ruth Simon Helen Philip Diana Edward Alan Brian Carol Dennis Elaine Gary Irene Jason Karen Larry Megan Neil
Patricia Rachel Steven Tina Vincent Amy Bob Cathy Doug Ella Fred Gloria Harry Isabel Jenny Kyle Lucy Max Nancy Oliver
Penny Ralph Sally Theo Vivian Wayne""")

SURNAMES = _split("""Smith Jones Brown Taylor Wilson Davies Evans Thomas Johnson Roberts Walker Wright Robinson Thompson White
Hughes Edwards Green Hall Wood Harris Martin Jackson Clarke Lewis Clark Turner Hill Scott Cooper Morris Ward Moore King
Watson Baker Patel Young Allen Mitchell Anderson Lee Bell Parker Davis Bennett Miller Cook Shaw Cox Garcia Lopez Silva
Santos Meyer Weber Fischer Schmidt Rossi Novak Kowalski Ivanov Petrov Kim Park Nguyen Tanaka Suzuki Khan Ali Singh
Hansen Olsen Berg Lindberg Okafor Mensah Cohen Levy Murphy Kelly Walsh Ryan Fox Stone Marsh Frost Knight""")

CITIES = _split("""London Paris Berlin Rome Madrid Lisbon Vienna Prague Oslo Dublin Athens Warsaw Cairo Delhi Tokyo Seoul
Lima Quito Boston Chicago Denver Dallas Austin Miami Seattle Toronto Sydney Perth Nairobi Lagos Accra Milan Turin Lyon
Porto Bergen Munich Hamburg Leeds Bristol Oxford York Geneva Basel Zurich Brussels Helsinki Stockholm Copenhagen Istanbul
Mumbai Bangkok Hanoi Manila Jakarta Osaka Kyoto Bogota Havana Phoenix Portland Houston""")

COLORS = _split("red blue green yellow black white brown grey pink purple orange silver gold dark light")

ANIMALS = _split("""cat dog horse cow sheep goat pig hen duck goose fox wolf bear lion tiger mouse rat rabbit deer owl
eagle crow fish shark whale frog snake bee ant spider camel monkey""")

THINGS = _split("""box book lamp chair table door window cup plate bottle key clock bag coat hat shoe ring coin letter
picture map pen pencil paper phone radio camera computer screen printer keyboard mouse cable charger battery headset
speaker laptop tablet monitor router drive card case cover stand desk shelf bed sofa carpet mirror towel soap brush knife
fork spoon pan pot oven fridge kettle toaster blender fan heater filter pump hammer nail rope ladder wheel bike car bus
train boat plane ticket tent torch ball kite drum piano guitar violin flute toy doll puzzle game apple pear bread cheese
milk butter egg cake soup rice tea coffee sugar salt honey flower tree seed leaf stone shirt jacket watch glass basket
bucket candle blanket pillow umbrella wallet helmet glove scarf dress boots backpack suitcase vacuum mixer sensor adapter
earbuds microphone projector scanner tripod drone console controller lens""")

PLACES = _split("""garden kitchen house school shop market office station bridge river lake forest hill field farm park
street road town village city castle church library museum theatre hospital hotel bank factory harbour beach island
mountain valley cave tower hall room cellar attic yard store warehouse airport""")

JOBS = _split("""teacher doctor nurse farmer baker driver pilot sailor soldier painter singer writer lawyer judge cook
waiter clerk manager engineer builder plumber gardener student artist dancer hunter miner guard agent customer neighbour
brother sister mother father friend uncle aunt child boy girl man woman king queen""")

ADJECTIVES = _split("""big small old new young long short tall heavy quick slow warm cold hot cool dry wet clean dirty
bright quiet loud soft hard sweet sour fresh empty full open broken strong weak rich poor kind happy sad angry tired
brave clever careful lazy busy free strange simple plain fine good bad great little round flat deep high low late early
gentle proud calm cheap safe wise wild faulty wrong missing damaged late""")

VERBS = {
    "see": "saw", "find": "found", "take": "took", "hold": "held", "carry": "carried", "keep": "kept", "lose": "lost",
    "buy": "bought", "sell": "sold", "make": "made", "break": "broke", "fix": "fixed", "clean": "cleaned", "wash": "washed",
    "paint": "painted", "draw": "drew", "bring": "brought", "send": "sent", "give": "gave", "show": "showed",
    "hide": "hid", "open": "opened", "close": "closed", "push": "pushed", "pull": "pulled", "throw": "threw",
    "catch": "caught", "drop": "dropped", "move": "moved", "watch": "watched", "hear": "heard", "like": "liked",
    "love": "loved", "want": "wanted", "need": "needed", "use": "used", "check": "checked", "order": "ordered",
    "return": "returned", "borrow": "borrowed", "steal": "stole", "build": "built", "choose": "chose", "leave": "left",
    "forget": "forgot", "remember": "remembered", "visit": "visited", "follow": "followed", "help": "helped",
    "call": "called", "meet": "met", "know": "knew", "miss": "missed", "count": "counted", "measure": "measured",
}  # fmt: skip

GOES = {
    "go": "went", "walk": "walked", "run": "ran", "come": "came", "drive": "drove", "travel": "travelled", "fly": "flew",
    "move": "moved", "sail": "sailed", "ride": "rode", "climb": "climbed", "return": "returned", "hurry": "hurried",
}  # fmt: skip

MONTHS = _split("January February March April May June July August September October November December")
DAYS = _split("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
NUMBERS = _split("zero one two three four five six seven eight nine ten eleven twelve")

FUNCTION_WORDS = _split("""the a an and or but if then so because when while before after until since as of in on at by to
from with without into onto over under between through about against near behind beside above below across along around
is are was were be been being am do does did done have has had having will would can could should may might must shall
not no yes it its he him his she her hers they them their we us our you your yours i me my mine this that these those who
whom whose which what where why how there here now soon today tomorrow yesterday always never often sometimes again once
twice very too much many more most some any all both each every other another same such only also just even still yet
first second third last next one two three than like up down out off away back for please thanks thank hello hi dear
sorry ok okay well quite rather almost enough maybe perhaps however therefore instead
does not cannot let us see said says say told asked ask answer answers question tell""")

WORK_WORDS = _split(
    """account address agent amount answer app apply arrive arrived article ask available balance bank begin bill
billing book booking brand bug business button call cancel cancelled cart case cash category change charge charged chat
check choose city claim class click client close code collect color comment company complain complaint complete confirm
connect connection contact content copy correct cost country coupon crash create credit critical currency customer daily
damage damaged data date day deadline deal debit defect defective delay delayed delete deliver delivered delivery
department describe description detail details device difference digital discount display document dollar dollars domain
double download due early edit email empty end ended enter entry error euro euros event exact example exchange expect
expired extra extract fact fail failed failure false fast fee feature feedback field file fill final find finish firm
follow following form format forward found free freeze full function gift give given goods group guide happen happened
hardware help high history hour hours idea image immediate important include incident info information input inside
install instruction instructions internet invoice issue item items join json key kind know label language large late later
learn level like limit line link list live load location lock locked log login loss lost loud low mail main major make
manual mark match matter maximum medium meeting member memory menu message minimum minor minute minutes missing mistake
mobile model money month monthly move name need network new normal note nothing notice null number object office offer
office online open option optional order ordered orders other output owner pack package page paid part parts passage
password past pay payment people percent perform person personal phone photo pick piece place plan platform please plus
point policy portal possible post power premium present previous price print priority private problem process product
products profile program project promise property provide public purchase purchased quality quantity question quick rate
reach read ready reason receipt receive received record recover reference refund refunded refuse region register regular
reject release remind remove renew repair repeat replace replaced replacement reply report request required reset resolve
response rest result return returned review right risk role rule safe sale save schedule school score screen search
season seat section secure security see seller send sent sentence serial serious server service session set setting
settings severity ship shipment shipped shipping shop short show side sign signal site size slow software sold solution
solve sort sound source space special spend standard start started state status step stock stop store street string
subject submit subscription success suggest summary support sure survey switch system table tag task tax team technical
term test text ticket time times title today token tool topic total track tracking transfer trial true trouble try turn
type unable unit update upgrade upload urgent urgency use used user username valid value version view visit voice wait
warning warranty waste water web website week weekend weekly weeks weight word work worked working works world worse wrong
year years zip zone access action active adjust admin advice agree alert allow already alternative apologies appear apply
appointment approve area arrange assist attach attached attempt audio author auto average aware background bad base
basic battery become behave behind believe best better billing block body border bottom box branch breakfast bright
broken browser budget build burn busy buy cable cache calendar camera capacity car card care carry catch cause center
central certain chance channel chapter charger cheap children choice clear clearly climate clock cloud coat cold color
column come common communication compare computer concern condition contract control convert cool corner count couple
course cover crack cracked credit cross current custom cut damage dark deep default degree demand depend desk destination
different dinner direct direction director dirty disappointed discuss distance door double drive drop during duty easy
economy education effect electric else employee energy engine enjoy entire environment equal equipment estimate evening
ever everyone everything evidence excellent except expense expensive experience explain express face family far fault
faulty favorite fear feel field figure film fire fit fix flat flight floor focus food force foreign forget former forward
frame friend front fuel fun future gave general get glad goal gone government great ground grow growth guess half hand
handle hard head health hear heart heat heavy held hold hole holiday home hope hospital hotel house huge human hundred
thousand million identify impact improve income increase increased independent industry inform insurance interest
interview invite involve kept kitchen knew knowledge label lack land larger launch law lead leader leak least leave left
legal lesson less letter library license life lift light local long look looks lot love lunch machine made manage manager
manufacturer map march market marketing material mean means measure media medical meet mention merchant method middle mind
miss model modern moment monitor morning mother motor move movie music must national nature near nearly necessary neither
news nice night noise none noon noticed object obvious officer oil old operation opinion opportunity orange organization
original outside overall own pair panel paper parcel parent park party pass passed patient pattern peace perfect period
permission person phone physical picture plastic play player plenty police political popular position positive negative
neutral potential practice prefer prepare press pretty prevent printer prior prize produce professional profit progress
proof proper protect prove purpose push put quarter quiet quite race radio rain raise range reading real realize really
recent recently recommend reduce refer remain remember remote rent respond responsible restaurant returns ride ring rise
road room round route run safety salary sample satisfied scale scene science screen seal search seem sell senior sense
separate series serve share sharp shipped shock shoes shut sick sign similar simple single situation size skill sky sleep
slightly small smart smell smoke snow social soft someone something soon sorry speak speaker speed sport spring staff
stage stand station stay stole stolen stopped storage storm story strange strategy stream stress strong structure student
study stuff style sudden suddenly suffer summer sun supply surface surprise table taken talk task taste teacher tear
technology temperature terrible terms thing things think thought throw tired together told tonight took top topic touch
towards town trade traffic train training travel treat trip truck trust truth twice understand unfortunately unhappy unless
unlock unusable usual usually vehicle video wall want war warm wash watch wear weather wheel whether whole wide wife win
wind window winter wish wonder wood worry worth write written yellow young zero billing_address shipped_at order_id
customer_name product_name email_address created_at is_urgent due_date""".replace("_", " ")
)

ACTIONS = _split("""add answer apply avoid build calculate call change check choose clean compare compute convert copy count
decide delete describe do draw explain extract fill find finish follow format give ignore improve include keep label list
look make mark match move name output pick print put read refuse repeat replace reply report respond return reverse rewrite
say select send set show sort spell start stop sum swap take tell translate try turn use wait write""")

_ONSETS = _split("b c d f g h j k l m n p r s t v w z br cr dr fl gr kr pl pr sh sk sl st str th tr ch bl cl")
_VOWELS = ("a", "e", "i", "o", "u", "a", "e", "i", "o", "ai", "ea", "io", "ou", "ee", "y")
_CODAS = (
    "",
    "",
    "",
    "n",
    "r",
    "l",
    "s",
    "t",
    "x",
    "m",
    "nd",
    "rk",
    "st",
    "ck",
    "sh",
    "ll",
    "th",
    "v",
    "z",
    "p",
)

_RUDE = (
    "fuck",
    "shit",
    "cunt",
    "dick",
    "cock",
    "twat",
    "slut",
    "nazi",
    "rape",
    "fag",
    "piss",
    "tits",
    "puss",
    "wank",
    "jap",
)


def pick(rng: Random, pool: tuple[T, ...] | list[T]) -> T:
    """One item of a pool."""
    return pool[int(rng.random() * len(pool))]


def word(rng: Random, pool: tuple[str, ...], held_out: bool) -> str:
    """A word of a category that belongs to the asked-for world."""
    while True:
        found = pick(rng, pool)
        if held(found) == held_out:
            return found


def distinct(rng: Random, pool: tuple[str, ...], n: int, held_out: bool) -> list[str]:
    """`n` different words of a category; the pool must hold as many in that world."""
    fitting = [entry for entry in pool if held(entry) == held_out]
    return rng.sample(fitting, n)


def pseudo(rng: Random, held_out: bool, syllables: int | None = None) -> str:
    """A made-up lower-case word of one to four syllables, none of them a rude one."""
    while True:
        text = any_pseudo(rng, held_out, syllables)
        if not any(rude in text for rude in _RUDE):
            return text


def any_pseudo(rng: Random, held_out: bool, syllables: int | None = None) -> str:
    """The same, rude or not: the tokenizer that ships was trained on these."""
    while True:
        n = syllables or rng.choice((1, 2, 2, 2, 3, 3))
        text = "".join(pick(rng, _ONSETS) + pick(rng, _VOWELS) + pick(rng, _CODAS) for _ in range(n))
        if len(text) > 2 and held(text) == held_out:
            return text


def person(rng: Random, held_out: bool) -> str:
    """A full name: given name and surname, real or made up."""
    first = word(rng, PEOPLE, held_out) if rng.random() < 0.5 else pseudo(rng, held_out).capitalize()
    last = word(rng, SURNAMES, held_out) if rng.random() < 0.4 else pseudo(rng, held_out).capitalize()
    return f"{first} {last}"


def first_name(rng: Random, held_out: bool) -> str:
    """A given name, real or made up."""
    return word(rng, PEOPLE, held_out) if rng.random() < 0.6 else pseudo(rng, held_out, 2).capitalize()


def place(rng: Random, held_out: bool) -> str:
    """A town, real or made up."""
    return word(rng, CITIES, held_out) if rng.random() < 0.5 else pseudo(rng, held_out).capitalize()


def product(rng: Random, held_out: bool) -> str:
    """A product's name such as `Velora X200`, `Brick Lamp`, `Stonex Pro Kettle` or `TrialFlex`."""
    brand = pseudo(rng, held_out).capitalize()
    thing = pick(rng, THINGS).capitalize()
    tail = pick(
        rng,
        (
            "Pro",
            "Max",
            "Mini",
            "Plus",
            "Air",
            "Go",
            "Lite",
            "One",
            "Ultra",
            "Flex",
            "Hub",
            "Smart",
            "Home",
            "Duo",
        ),
    )
    shape = rng.random()
    if shape < 0.25:
        return f"{brand} {thing}"
    if shape < 0.45:
        return f"{brand} {code(rng, 1, rng.choice((2, 3)), '')}"
    if shape < 0.6:
        return f"{brand} {tail}"
    if shape < 0.75:
        return f"{brand} {tail} {thing}"
    if shape < 0.85:
        return f"{brand}{tail}"
    return f"{pick(rng, ADJECTIVES).capitalize()} {brand} {thing}"


def digits(rng: Random, n: int) -> str:
    """`n` digits, the first not zero."""
    return str(rng.randrange(10 ** (n - 1), 10**n))


def code(rng: Random, letters: int, n_digits: int, joint: str = "-") -> str:
    """Letters and digits such as `QX-4821`."""
    return "".join(rng.choices(string.ascii_uppercase, k=letters)) + joint + digits(rng, n_digits)


def order_id(rng: Random) -> str:
    """An id as shops and trackers write them."""
    shape = rng.random()
    if shape < 0.35:
        return code(rng, rng.choice((1, 2, 2, 3)), rng.choice((3, 4, 5, 6)))
    if shape < 0.5:
        return "#" + digits(rng, rng.choice((4, 5, 6)))
    if shape < 0.65:
        return digits(rng, rng.choice((4, 5, 6, 7, 8)))
    if shape < 0.8:
        return (
            pick(rng, ("ORD", "INV", "TKT", "REF", "SKU", "SN", "PO", "RMA"))
            + "-"
            + digits(rng, rng.choice((3, 4, 5, 6)))
        )
    if shape < 0.9:
        return f"{code(rng, 2, 2)}-{digits(rng, 3)}"
    return "".join(rng.choices("ABCDEFGHKLMNPQRSTUVWXYZ0123456789", k=rng.choice((5, 6, 7, 8))))


def email(rng: Random, held_out: bool, name: str = "") -> str:
    """An e-mail address, built on a name if one is given."""
    parts = (name or f"{pseudo(rng, held_out)} {pseudo(rng, held_out)}").lower().split()
    user = rng.choice(
        (".".join(parts), parts[0], parts[0][0] + parts[-1], "_".join(parts), parts[-1] + digits(rng, 2))
    )
    host = (
        pseudo(rng, held_out)
        if rng.random() < 0.6
        else rng.choice(("mail", "example", "post", "inbox", "web"))
    )
    return f"{user}@{host}.{rng.choice(('com', 'com', 'org', 'net', 'io', 'example', 'co.uk'))}"


def date(rng: Random) -> str:
    """A date in one of the ways people write it."""
    year, month, day = rng.randrange(2019, 2030), rng.randrange(1, 13), rng.randrange(1, 29)
    shape = rng.random()
    if shape < 0.45:
        return f"{year}-{month:02d}-{day:02d}"
    if shape < 0.65:
        return f"{day} {MONTHS[month - 1]} {year}"
    if shape < 0.8:
        return f"{MONTHS[month - 1]} {day}"
    if shape < 0.9:
        return f"{day}/{month}/{year}"
    return f"{MONTHS[month - 1]} {day}, {year}"


def amount(rng: Random) -> str:
    """A sum of money without its currency."""
    return (
        f"{rng.randrange(1, 900)}.{rng.randrange(10)}{rng.randrange(1, 10)}"
        if rng.random() < 0.7
        else str(rng.randrange(2, 2000))
    )


def phone(rng: Random) -> str:
    """A telephone number."""
    return rng.choice(
        (
            f"555-{digits(rng, 4)}",
            f"+{digits(rng, 2)} {digits(rng, 3)} {digits(rng, 4)}",
            f"0{digits(rng, 9)}",
        )
    )
