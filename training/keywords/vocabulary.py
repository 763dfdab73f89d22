"""Words that are not among the 18: neighbours of theirs, frequent words, and bits of sentences."""

from __future__ import annotations


def listed(text: str) -> list[str]:
    """The different words of a list, in order."""
    return list(dict.fromkeys(text.split()))


# Words that differ from a keyword by a sound or two; never by none: no "won", "ate", "know".
NEIGHBOURS = listed("""
hero sero zebra zoo zinc arrow narrow euro year row near weirdo pharaoh gyro nero
run want wonder once wand wall when win wine gun sun fun ton was what wing swan bun
sue do tooth tune chew shoe you new zoo tool toe tea boo moo soup food true
tree free tea see be he sheep thread threw through throw knee tray street key thrill theme
fork form fort foreign door more core far fair fur forth floor warm fall pour sport
hive fife file fine fire dive life fight live fifth white knife alive pie fly wife
sick sticks sex sit kicks fix mix ticks thick its sips sink socks sacks sing risk
heaven eleven several even given seventh oven southern driven settle leaven
hate late ape age aid ace eat it at ache rate gate make hay day wait eighth
fine nice mine line night nightmare sign knife none noun pine ninth nun dine wine
cup app top us pup puppy cut but art ah add off on is uh sup opera hub
town done dawn brown noun doubt gown darn sound dumb dine don round done out tone
lift let laughed loft leaf less lap leapt lent lit lefty theft live let laugh lest
light white ride rice rate rat run ripe bright night wide rise tight reply rye height
goal ghost though so low toe gold good glow grow guy gum good girl boat got ago show
shop step top spot stuff stock stomp start store stay stone drop stamp soap star swap
yet yeah guess yell jess mess less chess us yard dress yeast press else yellow use
now new note snow row nor not knob mow low nose noise home known nerd knock though
nod cap tap map shut
""")

# What people say, and what stands in the way in other recordings of words.
FREQUENT = listed("""
the and that have with this but from they she her his him our your their them there here where why
who how which will would could should about make like just take people into year good some time
than then look only come its over think also back after use work first well way even want because
any these give day most man woman child boy girl mother father brother sister friend house home
door room table chair window kitchen water bread milk coffee tea sugar salt apple banana orange egg
meat fish bird dog cat horse cow mouse happy sad angry tired hungry cold hot warm cool rain snow
sun moon sky cloud wind summer winter spring autumn monday tuesday wednesday thursday friday
saturday january february march april may june july august red blue green yellow black white grey
brown purple pink big small long short high deep wide thin thick old young new fast slow quick
early late soon never always often again away around before behind between under above near close
open shut push pull walk jump sit stand sleep wake eat drink cook wash clean break build buy sell
pay cost money bank shop market street road city village country world earth river lake sea beach
mountain forest tree flower grass leaf paper book pen school teacher student lesson question answer
word letter number hundred thousand million half quarter double music song dance play game ball
sport win lose team goal run swim ride drive car bus train plane ship bicycle wheel engine fuel
power light lamp switch button screen phone call message mail camera picture movie radio volume
louder softer quiet mute pause start begin finish end cancel repeat continue forward backward next
last turn move follow learn visual marvin sheila bed wow happy house bird please thanks sorry hello
goodbye okay maybe sure really very much many few little more less enough every other another same
different easy hard simple ready alarm timer weather news today tomorrow morning evening night
minute second hour week month life death love hate hope fear dream idea story truth reason problem
doctor hospital medicine health body head face eye ear nose mouth hand arm finger leg foot heart
blood bone skin hair shirt dress shoe hat coat bag box bottle glass plate knife spoon fork fire
smoke stone metal wood gold silver iron oil gas air ice garden farm field wall floor roof bridge
king queen soldier police law court war peace party church government president minister company
office business job boss customer service price tax plan project report meeting system computer
program data network machine science history nature animal color shape size square circle
line point side corner middle center top bottom north south east west inside outside europe africa
america london paris china india robert david peter mary anna laura james michael jennifer
""")

FRAGMENTS = [
    fragment
    for line in """
how are|this is|i think so|what time is|thank you very|can you|do you want|in the|at the end|it was
and then he|of course|let me see|there is a|we have been|as well as|did you see|excuse me|all of the
a lot of|good morning|i am sorry|would you like|come on|that is it|and the other|you are welcome
a cup of tea|where is the|hold on|look at that|be careful|they were all|my name is|have a nice day
""".strip().splitlines()
    for fragment in line.split("|")
]
