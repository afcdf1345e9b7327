"""Where a line of captions may end, and how well.

After Netflix's Timed Text Style Guide ("Line Treatment") and the BBC's Subtitle Guidelines ("Line breaks"): after
punctuation or a pause; before conjunctions and prepositions; not between an article, a preposition or a conjunction and
what it belongs to. Where no space stands between words, the units are BudouX's phrases, after each of which a line may
end.
"""

from __future__ import annotations

from tasks_app.pipeline.text.words import ends_clause, ends_sentence

PAUSE = 400
"""Milliseconds of silence at which speech itself is parted."""

SENTENCE, CLAUSE, AT_PAUSE, BEFORE_LEADING, PHRASE, BETWEEN_WORDS, AFTER_LEADING, INSIDE_WORD = (
    *(0.0, 0.5, 0.7, 1.0, 1.5),
    *(2.0, 4.0, 12.0),
)

# Articles, prepositions, conjunctions and the like, which belong to what follows.
_LEADING = {
    "en": "a an the this that these those my your his her its our their and or but nor so because if when while "
    "although though since unless until where which who whose whom what how why than as of in on at to for "
    "from with without by about into onto over under after before between through during against among across "
    "behind beyond near per toward towards upon within not no very every each some any is are was were be been "
    "will would can could should may might must shall have has had do does did i i'm i've i'll you we they he "
    "she it",
    "de": "der die das den dem des ein eine einen einem einer eines mein meine sein seine ihr ihre unser unsere kein "
    "keine und oder aber denn sondern weil dass ob wenn als während obwohl damit bis bevor nachdem sodass wie "
    "wo was wer welche welcher welches in im an am auf aus bei beim mit nach von vom zu zum zur für durch "
    "gegen ohne um über unter vor hinter zwischen neben seit trotz wegen nicht sehr ich du er sie es wir",
    "fr": "le la les l' un une des du de d' au aux mon ma mes ton ta tes son sa ses notre nos votre vos leur leurs "
    "ce cet cette ces et ou mais donc or ni car que qu' qui quoi dont où si quand comme lorsque puisque parce "
    "pendant à en dans par pour sur sous avec sans chez vers entre contre avant après depuis ne pas très plus "
    "je tu il elle on nous vous ils",
    "es": "el la los las un una unos unas lo mi mis tu tus su sus nuestro nuestra este esta estos estas ese esa y e "
    "o u pero sino ni que porque si cuando como donde aunque mientras quien cual a al de del en con sin por "
    "para sobre bajo entre hacia hasta desde contra según tras durante no muy más se me te le yo él ella",
    "it": "il lo la i gli le un uno una l' mio mia tuo tua suo sua nostro nostra questo questa quello quella e ed o "
    "ma però che perché se quando come dove mentre anche né chi cui a al allo alla ai alle di del dello della "
    "dei delle da dal dalla in nel nella nei nelle con su sul sulla per tra fra senza verso contro dopo prima "
    "non molto più si mi ti",
    "pt": "o a os as um uma uns umas meu minha seu sua nosso nossa este esta esse essa e ou mas nem que porque se "
    "quando como onde embora enquanto quem qual de do da dos das em no na nos nas por pelo pela para com sem "
    "sobre sob entre até desde contra após ao aos à às não muito mais me te lhe eu ele ela",
    "nl": "de het een mijn jouw zijn haar ons onze hun deze die dit dat en of maar want omdat als toen terwijl "
    "hoewel zodat wie wat waar welke in op aan uit bij met na naar van voor door tegen zonder om over onder "
    "tussen sinds tot niet geen heel ik je jij hij ze zij wij we",
}
_WORDS = {language: frozenset(words.split()) for language, words in _LEADING.items()}
_MARKS = ".,;:!?…\"'“”„‘’«»()[]¿¡-–—"  # noqa: RUF001


def break_cost(before: str, after: str, *, spaced: bool, pause: int, language: str) -> float:
    """How bad it is to break a line between two units of text, from 0. `spaced`: there is a space between them;
    `pause`: milliseconds of silence; `language`: ISO 639-1.
    """
    if ends_sentence(before):
        return SENTENCE
    if ends_clause(before):
        return CLAUSE
    leading = _WORDS.get(language, frozenset())
    if before.strip(_MARKS).lower() in leading:
        return AFTER_LEADING
    if pause >= PAUSE:
        return AT_PAUSE
    if not spaced:
        return PHRASE
    return BEFORE_LEADING if after.strip(_MARKS).lower() in leading else BETWEEN_WORDS
