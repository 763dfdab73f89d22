"""German words that are not said as they are spelt, or that no rule tells the stress of."""

from __future__ import annotations

_TABLE = """
der d eː ɐ | die d iː | das d a s | dem d eː m | den d eː n | des d ɛ s | er ʔ eː ɐ | es ʔ ɛ s
wer v eː ɐ | wem v eː m | wen v eː n | her h ˈeː ɐ | sie z iː | wir v iː ɐ | ihr ʔ iː ɐ
mir m iː ɐ | dir d iː ɐ | ich ʔ ɪ ç | mich m ɪ ç | dich d ɪ ç | sich z ɪ ç | und ʔ ʊ n t
oder ʔ oː d ɐ | in ʔ ɪ n | im ʔ ɪ m | ins ʔ ɪ n s | an ʔ a n | am ʔ a m | ab ʔ a p | von f ɔ n
vom f ɔ m | vor f oː ɐ | zu t͡s uː | zum t͡s ʊ m | zur t͡s uː ɐ | bei b aɪ̯ | beim b aɪ̯ m
mit m ɪ t | auf ʔ aʊ̯ f | aus ʔ aʊ̯ s | nach n aː x | über ʔ yː b ɐ | unter ʔ ʊ n t ɐ
durch d ʊ ʁ ç | für f yː ɐ | um ʔ ʊ m | bis b ɪ s | als ʔ a l s | ist ʔ ɪ s t | sind z ɪ n t
bin b ɪ n | war v aː ɐ | waren v aː ʁ ə n | wird v ɪ ʁ t | werden v eː ɐ d ə n | wurde v ʊ ʁ d ə
wurden v ʊ ʁ d ə n | worden v ɔ ʁ d ə n | hat h a t | hast h a s t | hatte h a t ə
hatten h a t ə n | haben h aː b ə n | habe h aː b ə | sein z aɪ̯ n | kann k a n | man m a n
was v a s | dass d a s | daß d a s | ob ʔ ɔ p | so z oː | ja j aː | da d aː | wo v oː | nur n uː ɐ
noch n ɔ x | auch ʔ aʊ̯ x | nicht n ɪ ç t | ein ʔ aɪ̯ n | eine ʔ aɪ̯ n ə | einen ʔ aɪ̯ n ə n
einem ʔ aɪ̯ n ə m | einer ʔ aɪ̯ n ɐ | eines ʔ aɪ̯ n ə s | doch d ɔ x | dabei d a b ˈaɪ̯
dadurch d a d ˈʊ ʁ ç | dafür d a f ˈyː ɐ | dagegen d a g ˈeː g ə n | daher d a h ˈeː ɐ
damit d a m ˈɪ t | danach d a n ˈaː x | daran d a ʁ ˈa n | darauf d a ʁ ˈaʊ̯ f
daraus d a ʁ ˈaʊ̯ s | darin d a ʁ ˈɪ n | darum d a ʁ ˈʊ m | darunter d a ʁ ˈʊ n t ɐ
darüber d a ʁ ˈyː b ɐ | davon d a f ˈɔ n | davor d a f ˈoː ɐ | dazu d a t͡s ˈuː | dahin d a h ˈɪ n
daneben d a n ˈeː b ə n | dazwischen d a t͡s v ˈɪ ʃ ə n | woher v oː h ˈeː ɐ | wohin v oː h ˈɪ n
womit v oː m ˈɪ t | wobei v oː b ˈaɪ̯ | warum v a ʁ ˈʊ m | herum h ɛ ʁ ˈʊ m | heran h ɛ ʁ ˈa n
herab h ɛ ʁ ˈa p | heraus h ɛ ʁ ˈaʊ̯ s | herauf h ɛ ʁ ˈaʊ̯ f | herein h ɛ ʁ ˈaɪ̯ n
hervor h ɛ ɐ f ˈoː ɐ | hinaus h ɪ n ˈaʊ̯ s | hinauf h ɪ n ˈaʊ̯ f | hinein h ɪ n ˈaɪ̯ n
hinab h ɪ n ˈa p | hinzu h ɪ n t͡s ˈuː | hierzu h ˈiː ɐ t͡s uː | voran f o ʁ ˈa n
voraus f oː ʁ ˈaʊ̯ s | vorbei f oː ɐ b ˈaɪ̯ | vorher f oː ɐ h ˈeː ɐ | nachher n aː x h ˈeː ɐ
bisher b ɪ s h ˈeː ɐ | seither z aɪ̯ t h ˈeː ɐ | umher ʔ ʊ m h ˈeː ɐ | zurück t͡s u ʁ ˈʏ k
zusammen t͡s u z ˈa m ə n | sofort z oː f ˈɔ ʁ t | sowie z oː v ˈiː | sodass z oː d ˈa s
sogar z oː g ˈaː ɐ | wieso v iː z ˈoː | soweit z oː v ˈaɪ̯ t | soeben z oː ʔ ˈeː b ə n
obwohl ʔ ɔ p v ˈoː l | wegen v ˈeː g ə n | gegen g ˈeː g ə n | neben n ˈeː b ə n
eben ʔ ˈeː b ə n | jedoch j eː d ˈɔ x | überall y b ɐ ʔ ˈa l | einander ʔ aɪ̯ n ˈa n d ɐ
allein ʔ a l ˈaɪ̯ n | alle ʔ ˈa l ə | aller ʔ ˈa l ɐ | allem ʔ ˈa l ə m | zwar t͡s v aː ɐ
mal m aː l | also ʔ ˈa l z oː | etwas ʔ ˈɛ t v a s | etwa ʔ ˈɛ t v a | außerdem ʔ ˈaʊ̯ s ɐ d eː m
trotzdem t ʁ ˈɔ t͡s d eː m | seitdem z aɪ̯ t d ˈeː m | nachdem n aː x d ˈeː m
indem ʔ ɪ n d ˈeː m | zudem t͡s u d ˈeː m | vielleicht f i l ˈaɪ̯ ç t | lebendig l e b ˈɛ n d ɪ ç
hallo h a l ˈoː | heute h ˈɔʏ̯ t ə | hoch h ˈoː x | höchst h ˈøː ç s t | nächst n ˈɛː ç s t
erst ʔ ˈeː ɐ s t | wes v ɛ s | gestern g ˈɛ s t ɐ n | gegner g ˈeː g n ɐ | gegend g ˈeː g ə n t
mittag m ˈɪ t aː k | abend ʔ ˈaː b ə n t | jahr j ˈaː ɐ | gibt g ˈiː p t | leben l ˈeː b ə n
grad g ʁ ˈaː t | vier f ˈiː ɐ | vierzig f ˈɪ ʁ t͡s ɪ ç | vierzehn f ˈɪ ʁ t͡s eː n
viertel f ˈɪ ʁ t ə l | sechzig z ˈɛ ç t͡s ɪ ç | sechzehn z ˈɛ ç t͡s eː n
siebzehn z ˈiː p t͡s eː n | siebzig z ˈiː p t͡s ɪ ç | städte ʃ t ˈɛː t ə | stadt ʃ t ˈa t
wohl v oː l | dreißig d ʁ ˈaɪ̯ s ɪ ç | zwanzig t͡s v ˈa n t͡s ɪ ç | million m ɪ l j ˈoː n
milliarde m ɪ l j ˈa ʁ d ə | euro ʔ ˈɔʏ̯ ʁ oː | prozent p ʁ oː t͡s ˈɛ n t | januar j ˈa n u aː ɐ
februar f ˈeː b ʁ uː aː ɐ | april ʔ a p ʁ ˈɪ l | august ʔ aʊ̯ g ˈʊ s t | juni j ˈuː n iː
juli j ˈuː l iː | september z ɛ p t ˈɛ m b ɐ | oktober ʔ ɔ k t ˈoː b ɐ | november n oː v ˈɛ m b ɐ
dezember d eː t͡s ˈɛ m b ɐ | minister m i n ˈɪ s t ɐ | berlin b ɛ ʁ l ˈiː n
hannover h a n ˈoː f ɐ | hotel h oː t ˈɛ l | problem p ʁ oː b l ˈeː m | team t ˈiː m
computer k ɔ m p j ˈuː t ɐ | saison z ɛ z ˈõː | restaurant ʁ ɛ s t o ʁ ˈãː | chef ʃ ˈɛ f
chance ʃ ˈãː s ə | ingenieur ʔ ɪ n ʒ ɛ n j ˈøː ɐ | journal ʒ ʊ ʁ n ˈaː l
journalist ʒ ʊ ʁ n a l ˈɪ s t | journalismus ʒ ʊ ʁ n a l ˈɪ s m ʊ s
journalistik ʒ ʊ ʁ n a l ˈɪ s t ɪ k | trainer t ʁ ˈɛː n ɐ | training t ʁ ˈɛː n ɪ ŋ
niveau n i v ˈoː | büro b y ʁ ˈoː | genie ʒ e n ˈiː | genre ʒ ˈãː ʁ ə | garage g a ʁ ˈaː ʒ ə
etage ʔ e t ˈaː ʒ ə | reportage ʁ e p ɔ ʁ t ˈaː ʒ ə | montage m ɔ n t ˈaː ʒ ə
passage p a s ˈaː ʒ ə | plantage p l a n t ˈaː ʒ ə | drainage d ʁ ɛ n ˈaː ʒ ə | regie ʁ e ʒ ˈiː
regisseur ʁ e ʒ ɪ s ˈøː ɐ | orange ʔ o ʁ ˈãː ʒ ə | branche b ʁ ˈãː ʃ ə | image ʔ ˈɪ m ɪ t͡ʃ
cousin k u z ˈɛ̃ː | plateau p l a t ˈoː | palais p a l ˈɛː | repertoire ʁ e p ɛ ʁ t o ˈaː ɐ
friseur f ʁ i z ˈøː ɐ | interieur ʔ ɛ̃ː t e ʁ i ˈøː ɐ | ballon b a l ˈɔ ŋ | beton b e t ˈɔ ŋ
salon z a l ˈõː | jazz d͡ʒ ˈɛ s | job d͡ʒ ˈɔ p | jeans d͡ʒ ˈiː n s | punk p ˈa ŋ k | show ʃ ˈoː
song z ˈɔ ŋ | sound z ˈaʊ̯ n t | band b ˈa n t | pop p ˈɔ p | rock ʁ ˈɔ k | design d i z ˈaɪ̯ n
baby b ˈeː b iː | internet ʔ ˈɪ n t ɐ n ɛ t | online ʔ ˈɔ n l aɪ̯ n | homepage h ˈoː m p eː t͡ʃ
software z ˈɔ f t v ɛː ɐ | club k l ˈʊ p | city s ˈɪ t iː | mail m ˈeː l | link l ˈɪ ŋ k
google g ˈuː g ə l | twitter t v ˈɪ t ɐ | laser l ˈeː z ɐ | touch t ˈa t͡ʃ | screen s k ʁ ˈiː n
account ʔ ɛ k ˈaʊ̯ n t | action ʔ ˈɛ k ʃ ə n | cup k ˈa p | fairness f ˈɛː ɐ n ɛ s | new n j ˈuː
york j ˈɔ ʁ k | of ʔ ɔ f | the d ə | and ʔ ɛ n t | on ʔ ɔ n | out ʔ ˈaʊ̯ t | west v ˈɛ s t
john d͡ʒ ˈɔ n | university j u n i v ˈœ ʁ z ɪ t iː | school s k ˈuː l | square s k v ˈɛː ɐ
times t ˈaɪ̯ m s | street s t ʁ ˈiː t | paramount p ˈɛ ʁ a m aʊ̯ n t | hollywood h ˈɔ l i v ʊ t
county k ˈaʊ̯ n t iː | college k ˈɔ l ɪ t͡ʃ | air ʔ ˈɛː ɐ | group g ʁ ˈuː p | home h ˈoː m
underground ʔ ˈa n d ɐ g ʁ aʊ̯ n t | label l ˈeː b ə l | dance d ˈɛː n s | michael m ˈɪ ç a ʔ eː l
george d͡ʒ ˈɔ ʁ t͡ʃ | james d͡ʒ ˈeː m s | charles t͡ʃ ˈaː ɐ l s | richard ʁ ˈɪ ç a ʁ t
robert ʁ ˈoː b ɛ ʁ t | carl k ˈa ʁ l | walter v ˈa l t ɐ | jack d͡ʒ ˈɛ k | david d ˈaː v ɪ t
peter p ˈeː t ɐ | maria m a ʁ ˈiː a | joachim j ˈoː a x ɪ m | christ k ʁ ˈɪ s t | karl k ˈa ʁ l
samuel z ˈaː m u ɛ l | daniel d ˈaː n i ɛ l | israel ʔ ˈɪ s ʁ a ʔ eː l | europa ʔ ɔʏ̯ ʁ ˈoː p a
paris p a ʁ ˈiː s | italien ʔ i t ˈaː l j ə n | afrika ʔ ˈaː f ʁ i k a | amerika ʔ a m ˈeː ʁ i k a
mexiko m ˈɛ k s i k oː | kamera k ˈa m ə ʁ a | theater t e ˈaː t ɐ | museum m u z ˈeː ʊ m
radio ʁ ˈaː d i oː | studio ʃ t ˈuː d i oː | video v ˈiː d e oː | situation z i t u a t͡s j ˈoː n
union ʔ u n j ˈoː n | ihn ʔ iː n | ihm ʔ iː m | ihnen ʔ iː n ə n | ihre ʔ iː ʁ ə
ihren ʔ iː ʁ ə n | ihrer ʔ iː ʁ ɐ | uns ʔ ʊ n s | diese d iː z ə | dieser d iː z ɐ
diesen d iː z ə n | diesem d iː z ə m | dieses d iː z ə s | jetzt j ˈɛ t͡s t
lebhaft l ˈeː p h a f t | ostern ʔ ˈoː s t ɐ n | kloster k l ˈoː s t ɐ | sprache ʃ p ʁ ˈaː x ə
vorteil f ˈɔ ʁ t aɪ̯ l | süßigkeit z ˈyː s ɪ ç k aɪ̯ t | chemie ç e m ˈiː | china ç ˈiː n a
chaos k ˈaː ɔ s | chor k ˈoː ɐ | charakter k a ʁ ˈa k t ɐ | chirurgie ç i ʁ ʊ ʁ g ˈiː
architekt ʔ a ʁ ç i t ˈɛ k t | orchester ʔ ɔ ʁ k ˈɛ s t ɐ | general g e n ə ʁ ˈaː l
generation g e n ə ʁ a t͡s j ˈoː n | politik p o l i t ˈiː k | politiker p o l ˈiː t i k ɐ
familie f a m ˈiː l j ə | mathematik m a t e m a t ˈiː k | direktor d i ʁ ˈɛ k t oː ɐ
professor p ʁ o f ˈɛ s oː ɐ | doktor d ˈɔ k t oː ɐ | roboter ʁ ˈɔ b ɔ t ɐ
telefon t e l e f ˈoː n | sekunde z e k ˈʊ n d ə | republik ʁ e p u b l ˈiː k
kapitän k a p i t ˈɛː n | zuvor t͡s u f ˈoː ɐ | zuletzt t͡s u l ˈɛ t͡s t | ebenso ʔ ˈeː b ə n z oː
österreich ʔ ˈøː s t ə ʁ aɪ̯ ç | ungar ʔ ˈʊ ŋ g a ʁ | christentum k ʁ ˈɪ s t ə n t uː m
abermals ʔ ˈaː b ɐ m aː l s | desselben d ɛ s z ˈɛ l b ə n | unser ʔ ʊ n z ɐ | ski ʃ ˈiː
insbesondere ʔ ɪ n s b ə z ˈɔ n d ə ʁ ə | interesse ʔ ɪ n t ə ʁ ˈɛ s ə | manager m ˈɛ n ɛ d͡ʒ ɐ
ensemble ʔ ã s ˈãː b ə l | medaille m e d ˈa l j ə | renaissance ʁ e n ɛ s ˈãː s
karriere k a ʁ j ˈeː ʁ ə | region ʁ e g j ˈoː n | oregon ʔ ˈɔ ʁ ə g ɔ n | jackson d͡ʒ ˈɛ k s ə n
tom t ˈɔ m | jean ʒ ˈãː | bruce b ʁ ˈuː s | pionier p i o n ˈiː ɐ | periode p e ʁ j ˈoː d ə
italienisch ʔ i t a l j ˈeː n ɪ ʃ | richtlinie ʁ ˈɪ ç t l iː n j ə | kapelle k a p ˈɛ l ə
kollege k ɔ l ˈeː g ə | kommission k ɔ m ɪ s j ˈoː n | violine v i o l ˈiː n ə
"""


def _read(table: str) -> dict[str, tuple[str, ...]]:
    """Words and their sounds; a vowel that is written short, but never is in German, is long."""
    long = {"e": "eː", "i": "iː", "o": "oː", "u": "uː", "y": "yː", "ã": "ãː"}
    found = {}
    for entry in table.replace("\n", "|").split("|"):
        if entry:
            word, *sounds = entry.split()
            found[word] = tuple(long.get(sound, sound) for sound in sounds)
    return found


IRREGULAR = _read(_TABLE)
