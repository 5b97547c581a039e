"""Keys: private keys in every form they are written down in, and hashes of passwords.

Sources: RFC 7468 and RFC 4880 (armour), RFC 7517 and 7518 (JWK), PuTTY's "PPK file format", W3C XML Signature (`RSAKeyValue`),
BIP 32 and BIP 38, WireGuard's wg(8), crypt(5), the PHC string format.
"""

from __future__ import annotations

from yett.detectors import entropy
from yett.detectors.detector import BLOCK_LINE, Detector
from yett.detectors.secrets.token import after, token

_BASE58 = "1-9A-HJ-NP-Za-km-z"

KEYS: tuple[Detector, ...] = (
    Detector(
        id="pem-private-key",
        kind="secret.private-key",
        pattern=rf"(-----BEGIN(?: [A-Z0-9]{{1,12}}){{0,2}} PRIVATE KEY(?: BLOCK)?-----{BLOCK_LINE}[A-Za-z0-9+/]{{20}})",
        tail=r"""[A-Za-z0-9+/= \t\r\n\\"',:-]*?-----END[A-Z0-9 ]{1,40}-----|[A-Za-z0-9+/= \t\r\n\\"',:-]*""",
    ),
    after("putty-private-key", r"Private-Lines: [0-9]{1,3}(?:\r?\n|\\n)", r"[A-Za-z0-9+/=]{40}", kind="private-key", tail=r"[A-Za-z0-9+/=\r\n\\]*"),
    after("ssh-two-private-key", r"---- BEGIN SSH2 (?:ENCRYPTED )?PRIVATE KEY ----(?:\r?\n|\\n)(?:[A-Za-z]{4,10}: [ -~]{1,60}\r?\n)?", r"[A-Za-z0-9+/=]{20}", kind="private-key", tail=r"[A-Za-z0-9+/=\r\n\\]*"),
    # RFC 7518 section 6.2.2 and 6.3.2: `d` is the private part, of an elliptic curve key 43 characters at least.
    after("jwk-private-key", r"""[\\]?["']d[\\]?["'][ \t]{0,2}:[ \t\r\n]{0,2}[\\]?["']""", r"[A-Za-z0-9_-]{42}", kind="private-key", tail=r"[A-Za-z0-9_-]*"),
    after("jwk-symmetric-key", r"""kty[\\]?["'][ \t]{0,2}:[ \t]{0,2}[\\]?["']oct[\\]?["'],[ \t\r\n]{0,8}[\\]?["']k[\\]?["'][ \t]{0,2}:[ \t]{0,2}[\\]?["']""", r"[A-Za-z0-9_-]{16}", kind="private-key", tail=r"[A-Za-z0-9_-]*"),
    after("xml-private-key", r"<D>", r"[A-Za-z0-9+/]{40}", kind="private-key", tail=r"[A-Za-z0-9+/=]*"),
    # DER in base64 without its armour: what PKCS #1, PKCS #8, PKCS #12, SEC 1 and OpenSSH's format begin with.
    after("der-private-key", r"[^A-Za-z0-9+/]", r"(?:MII[A-Za-z0-9+/]{3}I(?:BADANBgkqhkiG9w0BAQEFAASC|BAAK[BC]|BAzCC)|MII[A-Za-z0-9+/]{3}(?:BABg|TBXBg)kqhkiG9w0BBQ0|MHcCAQEEI|MIGkAgEBBDA|MIHcAgEBBEI|MI[GH][A-Za-z0-9]AgEAMB[AM]GBy[oq]GSM49AgEG|MC4CAQAwBQYDK2VwBCIEI|b3BlbnNzaC1rZXktdjEA)[A-Za-z0-9+/]{36}", kind="private-key", tail=r"[A-Za-z0-9+/=\r\n\\]*"),
    token("nats-seed", r"S[AUONCX][A-Z2-7]{56}", kind="private-key"),
    after("otp-secret", r"otpauth://[th]otp/[A-Za-z0-9%:@._/?&=+-]{0,90}secret=", r"[A-Za-z2-7]{16,64}", kind="otp-secret", valid=entropy.random),
    after("wireguard-private-key", r"(?i:private_?key|presharedkey)[ \t]{0,4}=[ \t]{0,4}[\"']?", r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=", kind="private-key", end=r"[^A-Za-z0-9+/=]"),
    after("hexadecimal-private-key", r"(?i:private[_ -]?key|privkey|signing[_ -]?key|secret[_ -]?key|deployer|mnemonic|wallet)[A-Za-z0-9_]{0,16}[\"'`]?[ \t]{0,2}[=:(,][ \t]{0,2}[\"'`]?", r"0x[a-fA-F0-9]{64}", kind="private-key"),
    after("bitcoin-private-key", r"(?i:wif|priv(?:ate)?[ _-]?key|bitcoin|btc)[\"'`]?[ \t]{0,2}[=:( ][ \t]{0,2}[\"'`]?", rf"[5KLc9][{_BASE58}]{{50,51}}", kind="private-key"),
    token("extended-private-key", rf"[xtyz]prv[{_BASE58}]{{100,108}}", kind="private-key"),
    token("encrypted-bitcoin-key", rf"6P[{_BASE58}]{{56}}", kind="private-key", valid=entropy.mixed),
    after("stellar-secret-seed", r"(?i:secret|seed|stellar)[\"'`]?[ \t]{0,2}[=:( ][ \t]{0,2}[\"'`]?", r"S[A-Z2-7]{55}", kind="private-key"),
    token("minisign-secret-key", r"RWRTY0Iy[A-Za-z0-9+/]{60}", r"[A-Za-z0-9+/=]*", kind="private-key"),
    token("nostr-private-key", r"nsec1[02-9ac-hj-np-z]{58}", kind="private-key"),
    token("sui-private-key", r"suiprivkey1[02-9ac-hj-np-z]{58}", kind="private-key"),
    token("bcrypt-hash", r"\$2[abxy]\$[0-9]{2}\$[A-Za-z0-9./]{53}", kind="password-hash"),
    token("sha-crypt-hash", r"\$[156]\$(?:rounds=[0-9]{1,9}\$)?[A-Za-z0-9./]{1,16}\$[A-Za-z0-9./]{22,86}", kind="password-hash"),
    token("apr-hash", r"\$apr1\$[A-Za-z0-9./]{1,8}\$[A-Za-z0-9./]{22}", kind="password-hash"),
    token("yescrypt-hash", r"\$(?:y|7|gy)\$[A-Za-z0-9./]{1,8}\$[A-Za-z0-9./]{10,40}\$[A-Za-z0-9./]{43}", kind="password-hash"),
    token("phpass-hash", r"\$[PH]\$[A-Za-z0-9./]{31}", kind="password-hash"),
    after("argon-hash", r"\$argon2(?:id|i|d)\$v=[0-9]{2}\$m=[0-9]{1,8},t=[0-9]{1,3},p=[0-9]{1,3}\$", r"[A-Za-z0-9+/]{11,64}\$[A-Za-z0-9+/]{16,88}", kind="password-hash"),
    token("pbkdf-hash", r"pbkdf2_sha(?:256|1|512)\$[0-9]{4,8}\$[A-Za-z0-9]{8,32}\$[A-Za-z0-9+/]{27,88}={0,2}", kind="password-hash"),
    # Of Cisco IOS: PBKDF2 and scrypt.
    token("cisco-hash", r"\$[89]\$[A-Za-z0-9./]{14}\$[A-Za-z0-9./]{43}", kind="password-hash"),
    after("kerberos-hash", r"\$krb5(?:tgs|asrep|pa)\$(?:17|18|23)\$[!-~]{1,80}?", r"[a-f0-9]{24,32}\$[a-f0-9]{64}", kind="password-hash", tail=r"[a-f0-9]*"),
    # RFC 2307 section 5.3.
    token("ldap-hash", r"\{(?:S?SHA(?:256|384|512)?|SMD5)\}[A-Za-z0-9+/]{22,120}={0,2}", kind="password-hash"),
    after("ntlm-hash", r"[a-fA-F0-9]{32}:", r"[a-fA-F0-9]{32}", kind="password-hash", end=r":::"),
    after("vault-unseal-key", r"(?i:unseal[ _-]?key)(?:[ _]?[0-9])?[\"']?[ \t]{0,2}[=:][ \t]{0,2}[\"']?", r"[A-Za-z0-9+/]{43,44}={0,1}|[a-f0-9]{64,66}", kind="vault-token", end=r"[^A-Za-z0-9+/=]"),
    after("rdp-password", r"password[ \t]{1,2}51:b:", r"[A-Fa-f0-9]{64}", kind="password", tail=r"[A-Fa-f0-9]*"),
    after("kubernetes-bootstrap-token", r"(?i:kubeadm[ -~]{0,60}--token|bootstrap[-_ ]?token[\"']?)[ \t:=\"']{1,4}", r"[a-z0-9]{6}\.[a-z0-9]{16}", kind="kubernetes-token"),
    after("rails-master-key", r"(?i:RAILS_MASTER_KEY|secret_key_base)[\"']?[ \t]{0,2}[=:][ \t]{0,2}[\"']?", r"[a-f0-9]{32,128}", kind="framework-key"),
    after("laravel-app-key", r"APP_KEY[ \t]{0,2}[=:][ \t]{0,2}[\"']?", r"base64:[A-Za-z0-9+/]{43}=", kind="framework-key", end=r"[^A-Za-z0-9+/=]"),
    after("django-secret-key", r"SECRET_KEY[ \t]{0,2}[=:][ \t]{0,2}[\"']", r"[A-Za-z0-9!@#$%^&*()_=+-]{40,80}", kind="framework-key", end=r"[^A-Za-z0-9+/=]"),
    token("django-insecure-key", r"django-insecure-[A-Za-z0-9!@#$%^&*()_=+-]{40,60}", kind="framework-key"),
)  # fmt: skip
