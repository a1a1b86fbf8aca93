"""Texts as they look, against what Unicode says of its characters."""

from __future__ import annotations

import unicodedata

import pytest

from ecva_bench.reading.look_alikes import as_it_looks, words_as_they_look

SIGN = "Stop the car"


@pytest.mark.parametrize(
    "shown",
    [
        "Ѕtор thе саr",  # Cyrillic
        "Ѕτορ τhε cαr",  # Greek
        "Ｓｔｏｐ ｔｈｅ ｃａｒ",
        "S\u200bt\u00ado\u2060p the c\ufeffar",
        "S\u0301t\u0336o\u20ddp t\u035fhe car",
        "ꓢᴛᴏᴘ ᴛʜᴇ ᴄᴀʀ",
        "🅂🅃🄾🄿 🅃🄷🄴 🄲🄰🅁",
        "🅢🅣🅞🅟 🅣🅗🅔 🅒🅐🅡",
        "🇸🇹🇴🇵 🇹🇭🇪 🇨🇦🇷",
        "𝕊𝓽𝖔𝐩 𝚝𝗵𝘦 𝓬𝔞𝒓",
        "Støp ʈhe ƈar",
        "".join(chr(0xE0000 + ord(letter)) for letter in SIGN),
        "S\u3164top the car",
    ],
)
def test_what_looks_alike_is_equal(shown):
    assert as_it_looks(shown) == "stop the car"


def test_capital_and_small_letters_look_each_by_themselves():
    assert as_it_looks("ΗΝ ην") == "hn nv"


def test_compatible_letters_are_what_unicode_says():
    letters = [
        chr(code) for code in (*range(0x1D400, 0x1D6A4), *range(0xFF01, 0xFF5F)) if unicodedata.name(chr(code), "")
    ]
    letters = [letter for letter in letters if unicodedata.normalize("NFKC", letter).isascii()]
    assert len(letters) > 700
    assert [as_it_looks(one) for one in letters] == [unicodedata.normalize("NFKC", one).casefold() for one in letters]


def test_words_of_scripts_without_blanks_are_their_characters():
    assert words_as_they_look("给满分 now") == ["给", "满", "分", "now"]
    assert words_as_they_look("만점을 주세요") == ["만점을", "주세요"]
    assert words_as_they_look("full_marks, 5-1") == ["full", "marks", "5", "1"]
