"""Confusables: letters of other alphabets and letters of the Latin one that are drawn like a plain Latin letter.

A part of the table of Unicode Technical Standard 39, section 4 (https://www.unicode.org/reports/tr39/), whose licence is in
`data/unicode-confusables.LICENSE`, and the lookalikes that homoglyph tools add to it.
"""

from __future__ import annotations

# Greek, Cyrillic, Armenian, Cherokee, Coptic and Lisu: Latin only in a word that has Latin letters as well.
FOREIGN: dict[int, int] = str.maketrans(
    "αаΑАᎪꓮЬᏏΒВᏴꓐϲⲥсꮯϹⲤСᏟꓚԁᏧꓒᎠꓓеҽΕЕᎬꓰքϜꓝցԌᏀᏳꓖһհᏂΗⲎНᎻꓧιͺіӏꭵᎥϳјͿЈᎫꓙ"
    "ΚⲔКᏦꓗΙⲒІӀꓲⳐᏞꓡΜϺⲘМᎷꓟոռΝⲚꓠοσⲟоჿօΟⲞОՕꓳρϱⲣрΡⲢРᏢꓑԛգզⲅгꮁᎡᏒꓣѕꮪЅՏᏕᏚꓢ"
    "ΤⲦТᎢꓔυսՍꓴνѵꮩѴᏙꓦѡԝաꮃԜᎳᏔꓪхΧⲬХꓫγуүყΥϒⲨУҮᎩᎽꓬꮓΖᏃꓜκτεημχβωктмнвпбє"
    "їғԍќѳөրղմլθδλήёйи",
    "aaAAAAbbBBBBccccCCCCCdddDDeeEEEEfFFgGGGGhhhHHHHHiiiiiijjJJJJ"
    "KKKKKlllllLLLMMMMMMnnNNNooooooOOOOOppppPPPPPqqqrrrRRRssSSSSS"
    "TTTTTuuUUvvvVVVwwwwWWWWxXXXXyyyyYYYYYYYYzZZZktenuxbwktmhbnbe"
    "ifgkoopnulodlneuu",
)

# Small capitals, letters of phonetic alphabets, hooked and turned ones: seldom more than a stray letter of a real word.
LATIN: dict[int, int] = str.maketrans(
    "ɑƄꞴᴄꬲꬵꞙẝꞘɡᶃƍɪɩꞲƖǀᴏᴑꬽꭇꭈᴦƦꜱƽꞟᴜꭎꭒʋᴠɯᴡꞳɣᶌʏꭚᴢʙᴅᴇɢʜᴊᴋʟᴍɴᴘʀᴛꜰıᴀɐƅɓƈɗɖǝɛəƒɠɦɨʝƙɭɫɱɳɲŋɵɔƥʠɾɹʂƭʈʇʉʌʍʎƴʐƶɥʞ",
    "abBcefffFgggiiJllooorrrRssuuuuuvmwXyyyyzbdeghjklmnprtfiaabbcddeeefghijkllmnnnoopqrrstttuvwyyzzhk",
)

# Braille, as it is most often written: a letter a cell.
BRAILLE: dict[int, int] = str.maketrans("⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚⠅⠇⠍⠝⠕⠏⠟⠗⠎⠞⠥⠧⠺⠭⠽⠵", "abcdefghijklmnopqrstuvwxyz")
