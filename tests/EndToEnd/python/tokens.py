"""Python's imaplib, smtplib and poplib with a token of an issuer, by OAUTHBEARER and XOAUTH2."""
import base64, imaplib, os, poplib, smtplib

anna, token = os.environ["ANNA"], os.environ["TOKEN"]
bearer = f"n,a={anna},\x01host=127.0.0.1\x01auth=Bearer {token}\x01\x01"
older = f"user={anna}\x01auth=Bearer {token}\x01\x01"

for mechanism, first in (("OAUTHBEARER", bearer), ("XOAUTH2", older)):
    imap = imaplib.IMAP4("127.0.0.1", int(os.environ["IMAP"]))
    assert f"AUTH={mechanism}" in imap.capabilities, imap.capabilities
    imap.authenticate(mechanism, lambda _: first.encode())
    imap.select("INBOX")
    imap.logout()

    smtp = smtplib.SMTP("127.0.0.1", int(os.environ["SUBMISSION"]))
    smtp.ehlo()
    assert mechanism in smtp.esmtp_features["auth"].split()
    assert smtp.auth(mechanism, lambda challenge=None: first)[0] == 235
    smtp.quit()

    pop = poplib.POP3("127.0.0.1", int(os.environ["POP3"]))
    assert mechanism in pop.capa()["SASL"]
    pop._shortcmd("AUTH " + mechanism + " " + base64.b64encode(first.encode()).decode()) if len(first) < 180 else None
    if len(first) >= 180:
        pop._putcmd("AUTH " + mechanism)
        assert pop._getline()[0].startswith(b"+ ")
        pop._shortcmd(base64.b64encode(first.encode()).decode())
    pop.stat()
    pop.quit()
