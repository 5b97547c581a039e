"""Asia, from Turkey and Israel to Japan."""

from __future__ import annotations

from stdnum.cn import uscc
from stdnum.id import npwp
from stdnum.il import idnr
from stdnum.in_ import aadhaar, epic, gstin
from stdnum.iso7064 import mod_11_2
from stdnum.jp import in_ as my_number
from stdnum.kr import brn, rrn
from stdnum.th import pin
from stdnum.tr import tckimlik, vkn
from stdnum.vn import mst

from yett.detectors.pii.checks import is_date, luhn, varied, weighted
from yett.detectors.pii.national.identifier import Identifier
from yett.detectors.pii.words import CODE, SHORT_NUMBER, digits

_TAIWAN_LETTERS = "ABCDEFGHJKLMNPQRSTUVXYWZIO"
_NRIC_WEIGHTS = (2, 7, 6, 5, 4, 3, 2)
_NRIC_LETTERS = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "F": "XWUTRQPNMLK", "G": "XWUTRQPNMLK", "M": "XWUTRQPNJLK"}
_NRIC_OFFSETS = {"S": 0, "F": 0, "T": 4, "G": 4, "M": 3}


def _ric(text: str) -> bool:
    """GB 11643-1999: place, date of birth, serial number, ISO 7064 MOD 11-2."""
    return is_date(int(text[6:10]), int(text[10:12]), int(text[12:14])) and bool(mod_11_2.is_valid(text))


def _nric(text: str) -> bool:
    """Singapore, Immigration and Checkpoints Authority: seven digits weighted, an offset and letters by series."""
    series = text[0]
    place = (weighted(text[1:8], _NRIC_WEIGHTS) + _NRIC_OFFSETS[series]) % 11
    return _NRIC_LETTERS[series][place] == text[8]


def _hkid(text: str) -> bool:
    """Hong Kong, Immigration Department: one or two letters and six digits weighted 9 to 2, modulo 11, A for 10."""
    letters = text[:-7].rjust(2)
    values = [36 if letter == " " else ord(letter) - 55 for letter in letters]
    total = values[0] * 9 + values[1] * 8 + weighted(text[-7:-1], range(7, 1, -1))
    return (total + (10 if text[-1] == "A" else int(text[-1]))) % 11 == 0


def _taiwan(text: str) -> bool:
    """戶政司: the letter counts as two digits, weights 1, 9 to 1 and 1, modulo 10."""
    tens, ones = divmod(_TAIWAN_LETTERS.index(text[0]) + 10, 10)
    return (tens + ones * 9 + weighted(text[1:], (8, 7, 6, 5, 4, 3, 2, 1, 1))) % 10 == 0


def _rrn(text: str) -> bool:
    """주민등록번호: date of birth and sex; since October 2020 the rest is random."""
    return bool(rrn.is_valid(text)) or is_date(int(text[:2]), int(text[2:4]), int(text[4:6]))


def _malaysian(text: str) -> bool:
    """Jabatan Pendaftaran Negara: date of birth, place of birth, serial number."""
    return is_date(int(text[:2]), int(text[2:4]), int(text[4:6])) and 1 <= int(text[6:8]) <= 98


def _nik(text: str) -> bool:
    """Dukcapil: place, date of birth with 40 added to the day of women, serial number."""
    return is_date(int(text[10:12]), int(text[8:10]), int(text[6:8]) % 40) and int(text[:2]) >= 11


def _iranian(text: str) -> bool:
    """سازمان ثبت احوال: nine digits weighted 10 to 2, modulo 11."""
    rest = weighted(text[:9], range(10, 1, -1)) % 11
    return int(text[9]) == (rest if rest < 2 else 11 - rest)


def _emirates(text: str) -> bool:
    """Federal Authority for Identity: 784, year of birth, serial number, a check digit that not all cards keep."""
    return 1900 <= int(text[3:7]) <= 2100


def _lankan(text: str) -> bool:
    """Department for Registration of Persons: year and day of birth (500 added for women)."""
    day = int(text[2:5] if len(text) == 10 else text[4:7])
    return 1 <= day % 500 <= 366


IDENTIFIERS: tuple[Identifier, ...] = (
    Identifier(
        id="in-pan",
        words="pan|pan card|pan no|pan number|permanent account number|income tax pan",
        shape=r"[A-Za-z]{5}[0-9]{4}[A-Za-z]",
        besides=SHORT_NUMBER,
        valid=lambda text: True,
        alone=r"[A-Z]{3}[ABCFGHJLPT][A-Z][0-9]{4}[A-Z]",
    ),
    Identifier(
        id="in-aadhaar",
        words="aadhaar|aadhar|adhaar|adhar|aadhaar number|aadhaar no|aadhaar card|uidai|uid|आधार|आधार संख्या|आधार नंबर",
        shape=digits(12),
        checked=False,
        valid=lambda text: bool(aadhaar.is_valid(text)) or text[0] > "1",
    ),
    Identifier(
        id="in-gstin",
        words="gstin|gst|gst no|gst number|gst identification number",
        shape=r"[0-9]{2}[A-Za-z]{5}[0-9]{4}[A-Za-z][0-9A-Za-z][Zz][0-9A-Za-z]",
        besides=SHORT_NUMBER,
        valid=gstin.is_valid,
        alone=r"[0-3][0-9][A-Z]{5}[0-9]{4}[A-Z][0-9A-Z]Z[0-9A-Z]",
    ),
    Identifier(
        id="in-epic",
        words="epic|voter id|voter id card|voter card|election card|epic no|epic number",
        shape=r"[A-Za-z]{3}[0-9]{7}",
        checked=False,
        valid=lambda text: bool(epic.is_valid(text)) or varied(text),
    ),
    Identifier(
        id="cn-ric",
        words="身份证|身份证号|身份证号码|居民身份证|公民身份号码|证件号码|resident identity card|resident id|chinese id|cn id",
        shape=r"[1-9][0-9]{5}(?:19|20)[0-9]{2}[01][0-9][0-3][0-9]{4}[0-9Xx]|[1-9][0-9]{5} (?:19|20)[0-9]{2}[01][0-9][0-3][0-9] [0-9]{4}",
        valid=_ric,
        alone=r"[1-8][0-9]{5}(?:19|20)[0-9]{2}[01][0-9][0-3][0-9]{4}[0-9Xx]|[1-8][0-9]{5} (?:19|20)[0-9]{2}[01][0-9][0-3][0-9] [0-9]{4}",
    ),
    Identifier(
        id="cn-uscc",
        words="统一社会信用代码|信用代码|unified social credit code",
        shape=r"[0-9A-Z]{18}",
        besides=CODE,
        valid=uscc.is_valid,
    ),
    Identifier(
        id="tw-id",
        words="身分證|身分證字號|身份證字號|身分證號碼|統一證號|taiwan id|tw id",
        shape=r"[A-Za-z][1289][0-9]{8}",
        valid=_taiwan,
    ),
    Identifier(
        id="hk-id",
        words="hkid|hkid no|香港身份證|身份證|身份證號碼",
        shape=r"[A-Za-z]{1,2}[0-9]{6}(?:[0-9Aa]|\([0-9Aa]\))",
        valid=_hkid,
        alone=r"[A-Z]{1,2}[0-9]{6}\([0-9A]\)",
    ),
    Identifier(
        id="jp-my-number",
        words="マイナンバー|個人番号|my number|mynumber|individual number|kojin bango",
        shape=digits(12),
        valid=my_number.is_valid,
    ),
    Identifier(
        id="kr-rrn",
        words="주민등록번호|주민번호|외국인등록번호|resident registration number|rrn|jumin",
        shape=r"[0-9]{2}[01][0-9][0-3][0-9][ -]?[1-8][0-9]{6}",
        valid=_rrn,
        alone=r"[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])-[1-8][0-9]{6}",
    ),
    Identifier(
        id="kr-brn",
        words="사업자등록번호|사업자번호|business registration number|brn",
        shape=r"[0-9]{3}-?[0-9]{2}-?[0-9]{5}",
        valid=brn.is_valid,
    ),
    Identifier(
        id="sg-nric",
        words="nric|fin|nric no|nric number|fin number|nric/fin",
        shape=r"[STFGMstfgm][0-9]{7}[A-Za-z]",
        valid=_nric,
        alone=r"[STFGM][0-9]{7}[A-Z]",
    ),
    Identifier(
        id="my-nric",
        words="mykad|my kad|nric|ic number|ic no|nombor kad pengenalan|no kad pengenalan|kad pengenalan|no kp|ic",
        shape=r"[0-9]{6}[ -]?[0-9]{2}[ -]?[0-9]{4}",
        valid=_malaysian,
        alone=r"[0-9]{2}[01][0-9][0-3][0-9]-[0-9]{2}-[0-9]{4}",
    ),
    Identifier(
        id="th-pin",
        words="เลขประจำตัวประชาชน|เลขบัตรประชาชน|บัตรประชาชน|หมายเลขบัตรประชาชน|citizen id",
        shape=digits(13),
        valid=pin.is_valid,
        alone=r"[1-8]-[0-9]{4}-[0-9]{5}-[0-9]{2}-[0-9]",
    ),
    Identifier(
        id="id-nik",
        words="nik|ktp|nomor induk kependudukan|nomor ktp|no ktp|e ktp",
        shape=digits(16),
        valid=_nik,
    ),
    Identifier(
        id="id-npwp",
        words="npwp|nomor pokok wajib pajak",
        shape=digits(15, 16),
        checked=False,
        valid=lambda text: bool(npwp.is_valid(text)) or len(text) == 16,
        alone=r"[0-9]{2}\.[0-9]{3}\.[0-9]{3}\.[0-9]-[0-9]{3}\.[0-9]{3}",
    ),
    Identifier(
        id="vn-cccd",
        words="cccd|căn cước công dân|số cccd|cmnd|chứng minh nhân dân|số cmnd|căn cước",
        shape=r"0[0-9]{11}|[0-9]{9}",
        checked=False,
        valid=varied,
    ),
    Identifier(id="vn-mst", words="mst|mã số thuế", shape=r"[0-9]{10}(?:-[0-9]{3})?", valid=mst.is_valid),
    Identifier(
        id="ph-id",
        words="philsys|psn|pcn|philsys number|philid|umid|crn|sss|sss number|sss no|philhealth|pag ibig|gsis",
        shape=rf"[0-9]{{2}}-[0-9]{{7}}-[0-9]|[0-9]{{4}}-[0-9]{{7}}-[0-9]|[0-9]{{2}}-[0-9]{{9}}-[0-9]|{digits(10, 16)}",
        checked=False,
        valid=varied,
        alone=r"[0-9]{4}-[0-9]{7}-[0-9]",
    ),
    Identifier(
        id="pk-cnic",
        words="cnic|nicop|snic|cnic no|cnic number|computerized national identity card",
        shape=r"[1-9][0-9]{4}-?[0-9]{7}-?[0-9]",
        checked=False,
        valid=varied,
        alone=r"[1-7][0-9]{4}-[0-9]{7}-[0-9]",
    ),
    Identifier(
        id="bd-nid",
        words="nid|nid number|nid no|জাতীয় পরিচয়পত্র|এনআইডি",
        shape=r"[0-9]{17}|[0-9]{13}|[0-9]{10}",
        checked=False,
        valid=varied,
    ),
    Identifier(
        id="lk-nic",
        words="nic|nic no|nic number|national identity card",
        shape=r"[0-9]{9}[VvXx]|(?:19|20)[0-9]{10}",
        checked=False,
        valid=_lankan,
        alone=r"[0-9]{9}[Vv]",
    ),
    Identifier(
        id="tr-tckn",
        words="tckn|tc kimlik|t.c. kimlik|tc kimlik no|t.c. kimlik no|kimlik no|kimlik numarası|kimlik numaram|tc no|tc kimlik numarası|vatandaşlık numarası|tc|t.c.",
        shape=r"[1-9](?:[ ]?[0-9]){10}",
        valid=tckimlik.is_valid,
    ),
    Identifier(
        id="tr-vkn",
        words="vkn|vergi no|vergi numarası|vergi kimlik no",
        shape=r"[0-9]{10}",
        valid=vkn.is_valid,
    ),
    Identifier(
        id="il-id",
        words='תעודת זהות|ת.ז.|ת״ז|ת"ז|מספר זהות|teudat zehut|israeli id|israeli id number|israeli identity number|israeli national id|tz',
        shape=r"[0-9]{8}-?[0-9]",
        valid=idnr.is_valid,
    ),
    Identifier(
        id="ae-eid",
        words="emirates id|eid|emirates id number|رقم الهوية|الهوية الإماراتية",
        shape=r"784[ -]?[0-9]{4}[ -]?[0-9]{7}[ -]?[0-9]",
        valid=_emirates,
        alone=r"784[ -][12][0-9]{3}[ -][0-9]{7}[ -][0-9]",
    ),
    Identifier(
        id="sa-nid",
        words="iqama|iqama number|الهوية الوطنية|رقم الهوية|هوية مقيم|رقم الإقامة|national id",
        shape=r"[12][0-9]{9}",
        valid=luhn,
    ),
    Identifier(
        id="ir-melli",
        words="کد ملی|شماره ملی|کدملی|code melli|kode melli",
        shape=r"[0-9]{3}-?[0-9]{6}-?[0-9]",
        valid=_iranian,
    ),
)
