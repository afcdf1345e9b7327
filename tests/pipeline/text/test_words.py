"""Words are the text, and nothing made of them is cut inside one: in any language, however it was recognised."""

# ruff: noqa: RUF001 (letters that look like others are the point)

from __future__ import annotations

import random
import re

import pytest

from tasks_app.exports import Document, ExportOptions
from tasks_app.exports.captions import Cue, cues_in_order
from tasks_app.pipeline.speakers.assign import Turn, assign
from tasks_app.pipeline.text.segments import split_words
from tasks_app.pipeline.text.words import WITHOUT_SPACES, Piece, ends_sentence, timed_words, width
from tasks_app.pipeline.transcript import Segment, Transcript, Word, text_of

TEXTS = {
    "en": """My mother-in-law, who's 21-year-old $1,250.75 richer, didn't say: 12.5% of it's O'Brien's! At 3:45 p.m.
        e-mails came (well-known) from a@b.org. "Really?" she asked - "yes", I said. Dr. Smith's son is 6'2" tall.""",
    "fr": """C'est bien sûr aujourd'hui qu'on parle de l'actualité : « Qu'est-ce que c'est ? » dit-il. Y a-t-il 12 % de
        plus ? Puis-je vous aider, s'il vous plaît ! Jusqu'à 3,5 millions d'euros.""",
    "de": """Die E-Mail kam um 15:30 Uhr. Das U-Boot kostet 3,5 Millionen Euro, also 12,5 % mehr; z.B. für
        Müller-Lüdenscheidt. „Wie geht's?“, fragte er.""",
    "it": "L'amico dell'uomo c'è stato all'una: un po' d'acqua costa 1.200,50 €. Perché no? Dov'è andato quell'altro?",
    "es": "¿Cómo está usted? ¡Muy bien! El 50% de los niños franco-canadienses... ¿y tú? Son las 3:45. ¿ Qué ?",
    "pt": "Deu-se conta de que fê-lo às 15h30: guarda-chuva, d'água e 12,5% a mais. Disse-lhe: «não sei»!",
    "ru": "Кто-то из-за угла сказал: «Что-нибудь ещё?» Это стоит 1 250,75 руб., т.е. на 12,5% больше - во-первых.",
    "he": "בית-ספר וצה\"ל, ג'ירפה ב-12.5% יותר? כן! ירושלים תל-אביב.",
    "ko": "안녕하세요, 여러분! 오늘은 3월 15일이고 25.5도입니다. K-pop을 좋아하세요? 네, 정말로요.",
    "ja": """パビコンサイト名称が正しくない印象になります。3月15日にiPhoneで、ニュースタブをテストしました！
        「本当ですか？」と彼は言った。コンピューターは １２.５％ 速いです。Google 検索の結果では my fellow Americans と
        出ます。東京都に行って、ゆっくりしています。""",
    "zh": """今天是2024年3月15日，我们用iPhone测试。“真的吗？”他问。殺自己的腳 and so my fellow Americans, 我們
在公園散步。        増加了12.5%！""",
    "th": "วันนี้อากาศดีมาก เราไปเที่ยวทะเลกันเถอะ ราคา 1,250.75 บาท iPhone รุ่นใหม่ น้ำใสๆ และของอร่อย",
}


def random_text(language: str, chance: random.Random) -> str:
    """Some of the words of the text of `language`, in any order; in a language without spaces any part of it."""
    text = " ".join(TEXTS[language].split())
    if language not in WITHOUT_SPACES:
        words = text.split()
        return " ".join(chance.choices(words, k=chance.randrange(1, 40)))
    parts = []
    for _ in range(chance.randrange(1, 5)):
        part = text[chance.randrange(len(text)) :][: chance.randrange(1, 60)]
        parts.append(re.sub(r"^[\W\u0e30-\u0e4e]+", "", part))  # what cannot begin a text
    return " ".join("".join(parts).split()) or text[:2]


def random_pieces(text: str, language: str, chance: random.Random) -> list[Piece]:
    """`text` cut as Whisper's tokenizer does: anywhere, but a space always begins a piece. Some take no time."""
    if language not in WITHOUT_SPACES:
        text = " " + text
    pieces, now, start = [], 0.0, 0
    while start < len(text):
        end = min(start + 1 + chance.randrange(6), len(text))
        space = text.find(" ", start + 1, end)
        end = space if space > 0 else end
        length = chance.choice([0.0, 0.0, 0.1, 0.3, 2.0])
        pieces.append(Piece(text[start:end], now, now + length, [chance.random()]))
        now += length + chance.choice([0.0, 0.0, 0.0, 0.2, 1.5])
        start = end
    return pieces


def borders(text: str, parts: list[str]) -> list[int]:
    """Where in `text` each part begins. Together, and with nothing but spaces between them, they must be all of it."""
    found, position = [], 0
    for part in parts:
        position += len(text[position:]) - len(text[position:].lstrip())
        assert text.startswith(part, position), f"{part!r} is not what {text!r} has at {position}"
        found.append(position)
        position += len(part)
    assert not text[position:].strip()
    return found


# What stands on both sides of a place where nothing may be cut, in languages that have no spaces between words.
INSIDE = re.compile(
    r"[ァ-ヺー]{2}|[A-Za-z][A-Za-z'.,%-]|[0-9][0-9A-Za-z年月日,.%]|.[ーっゃゅょッャュョ々ๆาะำ、。，！？」”]"
)


def assert_no_border_inside_a_word(text: str, language: str, parts: list[str]) -> None:
    for position in borders(text, parts)[1:]:
        if text[position - 1] != " ":
            assert language in WITHOUT_SPACES, f"{text!r} is cut inside a word: {parts}"
            around = text[position - 1 : position + 1]
            assert not INSIDE.fullmatch(around), f"cut inside {around!r}: {parts}"


def cues_of(transcript: Transcript) -> list[Cue]:
    return list(cues_in_order(Document.of(transcript), ExportOptions(), lambda speaker: ""))


@pytest.mark.parametrize("language", TEXTS)
def test_whatever_is_made_of_a_text_joins_to_it_again_and_cuts_no_word(language: str) -> None:
    chance = random.Random(language)  # noqa: S311
    for _ in range(10_000 // len(TEXTS) + 1):
        text = random_text(language, chance)
        words = timed_words(random_pieces(text, language, chance))
        assert text_of(words) == text
        assert_no_border_inside_a_word(text, language, [word.text for word in words])
        assert [word.start for word in words] == sorted(word.start for word in words)

        segments = split_words(words)
        assert_no_border_inside_a_word(text, language, [segment.text for segment in segments])

        until = words[-1].end + 1
        turns = [Turn(at, at + 0.5, chance.choice("abc")) for at in (i / 2 for i in range(int(2 * until)))]
        parts = assign(segments, turns)
        assert_no_border_inside_a_word(text, language, [part.text for part in parts])
        assert all(part.text == text_of(part.words) for part in segments + parts)

        cues = cues_of(Transcript(language, until, parts))
        lines = [line for cue in cues for line in cue.lines]
        assert_no_border_inside_a_word(text, language, lines)
        assert max(map(width, lines)) <= 42


def words_of(*pieces: str) -> list[str]:
    return [word.text for word in timed_words([Piece(text, i, i + 1.0) for i, text in enumerate(pieces)])]


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ([" mother", "-", "in", "-", "law"], ["mother-in-law"]),
        ([" $", "1", ",", "250", "."], ["$1,250."]),
        ([" c", "'", "est", " l", "'act", "ualité"], ["c'est", "l'actualité"]),
        ([" 12", ",", "5", " %", " mehr"], ["12,5 %", "mehr"]),
        ([" «", " oui", " »", " dit", "-il", " ?"], ["« oui »", "dit-il ?"]),
        ([" -", " Yes", "."], ["- Yes."]),
        ([" wait", " ..."], ["wait ..."]),
        ([" ..."], ["..."]),
        ([" -"], ["-"]),
        (["パ", "ビ", "コン", "アイ", "コン", "は"], ["パビコンアイコンは"]),
        (["殺自己的", "腳", " and", " so"], ["殺", "自己", "的", "腳", "and", "so"]),
        (["མི", "་", "ད", "མངས"], ["མི་", "ད", "མངས"]),
    ],
)
def test_a_piece_without_a_space_belongs_to_the_word_before(pieces: list[str], words: list[str]) -> None:
    assert words_of(*pieces) == words


def test_a_word_has_the_time_of_its_pieces_and_their_mean_score() -> None:
    pieces = [
        Piece(" well", 1.0, 1.4, [0.9]),
        Piece("-", 1.4, 1.5, [0.5]),
        Piece("known", 1.5, 2.0, [0.4]),
        Piece(" so", 2, 3),
    ]
    assert timed_words(pieces) == [Word("well-known", 1.0, 2.0, 0.6), Word("so", 2, 3, None)]


def test_characters_of_one_piece_share_its_time() -> None:
    first, second = timed_words([Piece("今天是", 0.0, 3.0)])
    assert (first.text, first.start, first.end, first.spaced) == ("今天", 0.0, 2.0, False)
    assert (second.text, second.start, second.end, second.spaced) == ("是", 2.0, 3.0, False)


@pytest.mark.parametrize("word", ["Dr.", "U.S.", "e.g.", "J.", "3.5", "Mrs.", "etc."])
def test_abbreviations_end_no_sentence(word: str) -> None:
    assert not ends_sentence(word)


@pytest.mark.parametrize("word", ["done.", "done.”", "why?!", "quoi ?", "了。", "है।", "what…"])
def test_sentence_ends_of_many_scripts(word: str) -> None:
    assert ends_sentence(word)


def test_segments_of_wide_characters_are_as_wide_as_others() -> None:
    text = random_text("ja", random.Random(0)) * 5  # noqa: S311
    assert all(width(segment.text) <= 84 for segment in split_words(timed_words([Piece(text, 0, 60)])))


def test_a_text_that_somebody_corrected_is_cut_between_its_own_words() -> None:
    segment = Segment(0, 10, "東京都に行ってゆっくりしています。" * 4, [Word("東京", 0, 10, spaced=False)])
    lines = [line for cue in cues_of(Transcript("ja", 10, [segment])) for line in cue.lines]
    assert_no_border_inside_a_word(segment.text, "ja", lines)
