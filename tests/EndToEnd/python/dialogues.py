"""Dialogues with Python's own imaplib, poplib and smtplib: python3 dialogues.py NAME. Ports and accounts come from the environment."""
import base64, email, email.policy, imaplib, os, poplib, smtplib, ssl, sys, threading, time, zlib
from email.message import EmailMessage

E = os.environ
HOST, ANNA, BORIS, PASSWORD = "127.0.0.1", E["ANNA"], E["BORIS"], E["PASSWORD"]
PORT = {name: int(E[name]) for name in ("SMTP", "SUBMISSION", "SUBMISSIONS", "LMTP", "IMAP", "IMAPS", "POP3", "POP3S")}
TLS = ssl._create_unverified_context()


def imap(user=ANNA, box="INBOX"):
    m = imaplib.IMAP4(HOST, PORT["IMAP"])
    m.login(user, PASSWORD)
    if box:
        ok(m.select(box))
    return m


def ok(answer):
    assert answer[0] == "OK", answer
    return answer[1]


def fresh(name):
    m = imap(box=None)
    m.delete(name)
    ok(m.create(name))
    ok(m.subscribe(name))
    ok(m.select(name))
    return m


def letter(subject, body="text", **headers):
    m = EmailMessage(policy=email.policy.SMTP)
    m["From"], m["To"], m["Subject"] = ANNA, BORIS, subject
    for k, v in headers.items():
        m[k.replace("_", "-")] = v
    m.set_content(body)
    return m


def imap_capability_and_tls():
    m = imaplib.IMAP4(HOST, PORT["IMAP"])
    for c in ("IMAP4REV1", "IDLE", "NAMESPACE", "UIDPLUS", "MOVE", "SPECIAL-USE", "ID", "ENABLE", "UNSELECT", "LITERAL+",
              "ESEARCH", "LIST-EXTENDED", "LIST-STATUS", "CHILDREN", "CONDSTORE"):
        m2 = imap(box=None) if c not in ("IMAP4REV1",) else m
        caps = m2._simple_command("CAPABILITY") and m2.untagged_responses["CAPABILITY"][-1].decode().upper().split()
        assert c in caps or c == "LITERAL+" and "LITERAL-" in caps, (c, caps)
        if m2 is not m:
            m2.logout()
    assert "SASL-IR" in m.capabilities, m.capabilities
    m.starttls(TLS)
    m.authenticate("PLAIN", lambda _: f"\0{ANNA}\0{PASSWORD}".encode())
    ok(m.select("INBOX"))
    m.logout()
    m = imaplib.IMAP4_SSL(HOST, PORT["IMAPS"], ssl_context=TLS)
    m.login(ANNA, PASSWORD)
    ok(m.namespace())
    m.logout()


def imap_wrong_password():
    m = imaplib.IMAP4(HOST, PORT["IMAP"])
    for password in ("wrong", "", PASSWORD + " "):
        try:
            m.login(ANNA, password)
            raise AssertionError("signed in")
        except imaplib.IMAP4.error as e:
            assert "AUTHENTICATIONFAILED" in str(e) or "failed" in str(e).lower(), e
    m.login(ANNA, PASSWORD)
    m.logout()


def imap_mailboxes():
    m = imap(box=None)
    for name in ("a/b/c", "a/b", "a", "renamed", '"with space"', '"&BBoEQwRABEE-"'):
        m.delete(name)
    ok(m.create("a/b/c"))
    names = b"\n".join(ok(m.list('""', "*")))
    for name in (b"a/b/c", b"a/b", b"INBOX"):
        assert name in names, names
    assert b"a/b/c" not in b"\n".join(x for x in ok(m.list('""', "%")) if x)
    ok(m.rename("a/b/c", "renamed"))
    assert b"renamed" in b"\n".join(ok(m.list('""', "r*")))
    ok(m.create('"with space"'))
    ok(m.create('"&BBoEQwRABEE-"'))
    assert m.create("INBOX")[0] == "NO"
    assert m.create("renamed")[0] == "NO"
    assert m.delete("INBOX")[0] == "NO"
    assert m.delete('"no such"')[0] == "NO"
    assert m.select('"no such box"')[0] == "NO"
    for name in ("renamed", '"with space"', '"&BBoEQwRABEE-"'):
        ok(m.delete(name))
    m.logout()


def imap_append_fetch():
    m = fresh("fetching")
    text = letter("Проверка связи", "Тело письма\n" * 5).as_bytes()
    ok(m.append("fetching", r"(\Seen custom)", imaplib.Time2Internaldate(1700000000), text))
    n = int(ok(m.select("fetching"))[0])
    assert n == 1
    data = ok(m.fetch("1", "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[])"))
    head = data[0][0] + data[1]
    assert data[0][1] == text, (data[0][1], text)
    assert f"RFC822.SIZE {len(text)}".encode() in head, head
    assert b"\\Seen" in head and b"custom" in head, head
    assert imaplib.Internaldate2tuple(head) == time.localtime(1700000000)
    assert ok(m.fetch("1", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))[0][1].lower().startswith(b"subject:")
    assert ok(m.fetch("1", "(BODY.PEEK[]<10.20>)"))[0][1] == text[10:30]
    assert ok(m.fetch("1", "(BODY.PEEK[TEXT])"))[0][1] == text.split(b"\r\n\r\n", 1)[1]
    assert ok(m.fetch("1", "(BODY.PEEK[1.MIME])"))[0][1] is not None
    m.close()
    m.logout()


def imap_search():
    m = fresh("searching")
    for i in range(10):
        ok(m.append("searching", r"(\Flagged)" if i % 2 else "()", None, letter(f"word{i}", f"body number{i} общий", X_Course="a" if i < 5 else "b").as_bytes()))
    ok(m.noop())
    hits = lambda *q: len(ok(m.search(None, *q))[0].split())
    assert hits("ALL") == 10
    assert hits("FLAGGED") == 5
    assert hits("SUBJECT", "word3") == 1
    assert hits("BODY", "NUMBER7") == 1
    assert hits("TEXT", "number") == 10
    assert hits("OR", "SUBJECT", "word1", "SUBJECT", "word2") == 2
    assert hits("NOT", "FLAGGED") == 5
    assert hits("HEADER", "X-Course", "b") == 5
    assert hits("FROM", "anna", "UNSEEN") == 10
    assert hits("SINCE", "1-Jan-2020") == 10 and hits("BEFORE", "1-Jan-2020") == 0
    assert hits("LARGER", "1") == 10 and hits("SMALLER", "1") == 0
    assert hits("2:4") == 3
    assert hits("UID", "1:*") == 10
    assert hits("(FLAGGED SUBJECT word1)") == 1
    m.literal = "общий".encode()
    assert len(ok(m.uid("SEARCH", "CHARSET", "UTF-8", "BODY"))[0].split()) == 10
    m.logout()


def imap_store_copy_move_expunge():
    m = fresh("moving")
    for i in range(6):
        ok(m.append("moving", "()", None, letter(f"m{i}").as_bytes()))
    m.delete("target")
    ok(m.create("target"))
    ok(m.noop())
    ok(m.store("1:3", "+FLAGS", r"(\Seen kw1)"))
    ok(m.store("2", "-FLAGS", r"(\Seen)"))
    ok(m.store("3", "FLAGS", r"(\Answered)"))
    flags = [imaplib.ParseFlags(x) for x in ok(m.fetch("1:4", "(FLAGS)"))]
    assert set(flags[0]) - {b"\\Recent"} == {b"\\Seen", b"kw1"}, flags
    assert set(flags[1]) - {b"\\Recent"} == {b"kw1"}, flags
    assert set(flags[2]) - {b"\\Recent"} == {b"\\Answered"}, flags
    ok(m.copy("1:2", "target"))
    typ, data = m._simple_command("UID", "MOVE", "3", "target")
    assert typ == "OK", (typ, data)
    ok(m.store("1", "+FLAGS", r"(\Deleted)"))
    ok(m.store("2", "+FLAGS", r"(\Deleted)"))
    m.untagged_responses.clear()
    assert m._simple_command("UID", "EXPUNGE", "1")[0] == "OK"
    assert len(ok(m.search(None, "ALL"))[0].split()) == 4
    ok(m.expunge())
    assert len(ok(m.search(None, "ALL"))[0].split()) == 3
    assert int(ok(m.select("target"))[0]) == 3
    subjects = b"".join(x[1] for x in ok(m.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")) if isinstance(x, tuple))
    assert all(f"m{i}".encode() in subjects for i in range(3)), subjects
    m.logout()


def imap_idle():
    m = fresh("idling")
    m.send(b"i1 IDLE\r\n")
    assert m.readline().startswith(b"+")

    def deliver():
        other = imap(box=None)
        ok(other.append("idling", "()", None, letter("wake up").as_bytes()))
        other.logout()

    threading.Thread(target=deliver).start()
    started, seen = time.time(), b""
    while b"EXISTS" not in seen:
        assert time.time() - started < 10
        seen += m.readline()
    m.send(b"DONE\r\n")
    while not (line := m.readline()).startswith(b"i1 "):
        pass
    assert line.startswith(b"i1 OK"), line
    m.logout()


def imap_two_sessions_see_each_other():
    one, two = fresh("shared"), None
    for i in range(3):
        ok(one.append("shared", "()", None, letter(f"s{i}").as_bytes()))
    two = imap(box="shared")
    ok(one.select("shared"))
    ok(two.store("2", "+FLAGS", r"(\Deleted)"))
    ok(two.expunge())
    ok(one.noop())
    assert b"2" in one.untagged_responses.get("EXPUNGE", []), one.untagged_responses
    assert len(ok(one.search(None, "ALL"))[0].split()) == 2
    one.logout()
    two.logout()


def imap_condstore():
    m = fresh("modseqs")
    for i in range(3):
        ok(m.append("modseqs", "()", None, letter(f"c{i}").as_bytes()))
    ok(m._simple_command("SELECT", "modseqs", "(CONDSTORE)"))
    m.state = "SELECTED"
    high = int(m.untagged_responses["HIGHESTMODSEQ"][-1]) if "HIGHESTMODSEQ" in m.untagged_responses else None
    assert high, m.untagged_responses
    ok(m.store("2", "+FLAGS", r"(\Flagged)"))
    data = ok(m.fetch("1:*", f"(FLAGS) (CHANGEDSINCE {high})"))
    assert len([x for x in data if x]) == 1 and b"MODSEQ" in data[0], data
    m.untagged_responses.clear()
    typ, answer = m._simple_command("STORE", "1,2", f"(UNCHANGEDSINCE {high})", "+FLAGS.SILENT", r"(\Seen)")
    assert typ == "OK" and b"MODIFIED 2" in answer[0], (typ, answer)
    m.logout()


def smtp_sends_and_delivers():
    for make in (lambda: smtplib.SMTP(HOST, PORT["SUBMISSION"], "client.example.org"),
                 lambda: smtplib.SMTP_SSL(HOST, PORT["SUBMISSIONS"], "client.example.org", context=TLS)):
        s = make()
        if not isinstance(s, smtplib.SMTP_SSL):
            s.starttls(context=TLS)
        s.login(ANNA, PASSWORD)
        assert s.send_message(letter("Привет от smtplib", "строка\n.точка\n..две\n"), ANNA, [BORIS]) == {}
        s.quit()
    m = imap(BORIS)
    for n in ok(m.search(None, "FROM", "anna"))[0].split():
        raw = ok(m.fetch(n, "(BODY.PEEK[])"))[0][1]
        got = email.message_from_bytes(raw, policy=email.policy.default)
        if got["Subject"] == "Привет от smtplib":
            assert got.get_content().replace("\r\n", "\n") == "строка\n.точка\n..две\n", repr(got.get_content())
            break
    else:
        raise AssertionError("not delivered")
    m.logout()


def smtp_partial_refusal_and_codes():
    s = smtplib.SMTP(HOST, PORT["SMTP"], "client.example.org")
    refused = s.sendmail("x@example.org", [BORIS, "nobody@example.test"], letter("some").as_bytes())
    assert list(refused) == ["nobody@example.test"] and refused["nobody@example.test"][0] == 550, refused
    assert s.vrfy(BORIS)[0] in (250, 252)
    assert s.docmd("NOOP")[0] == 250
    assert s.docmd("RSET")[0] == 250
    assert s.docmd("NONSENSE")[0] == 500
    assert s.docmd("RCPT", f"TO:<{BORIS}>")[0] == 503
    assert s.docmd("MAIL", "FROM:<x@example.org> SIZE=99999999999")[0] == 552
    s.quit()


def smtp_utf8_and_bdat():
    s = smtplib.SMTP(HOST, PORT["SMTP"], "client.example.org")
    s.ehlo()
    assert s.mail("почта@пример.рф", ["SMTPUTF8", "BODY=8BITMIME"])[0] == 250
    assert s.rcpt(BORIS)[0] == 250
    text = "From: почта@пример.рф\r\nTo: b\r\nSubject: Сырой UTF-8\r\n\r\nтекст\r\n".encode()
    half = len(text) // 2
    s.send(b"BDAT %d\r\n" % half + text[:half] + b"BDAT %d LAST\r\n" % (len(text) - half) + text[half:])
    assert s.getreply()[0] == 250
    assert s.getreply()[0] == 250
    s.quit()
    m = imap(BORIS)
    m.literal = "Сырой".encode()
    assert len(ok(m.uid("SEARCH", "CHARSET", "UTF-8", "SUBJECT"))[0].split()) == 1
    m.logout()


def lmtp_delivers():
    s = smtplib.LMTP(HOST, PORT["LMTP"])
    refused = s.sendmail("x@example.org", [ANNA, "nobody@example.test"], letter("by lmtp").as_bytes())
    assert list(refused) == ["nobody@example.test"], refused
    s.quit()


def pop3(make=lambda: poplib.POP3(HOST, PORT["POP3"]), user=ANNA):
    p = make()
    p.user(user)
    p.pass_(PASSWORD)
    return p


def empty_inbox():
    p = pop3()
    for n in range(1, p.stat()[0] + 1):
        p.dele(n)
    p.quit()


def pop3_fetches_and_deletes():
    empty_inbox()
    m = imap()
    texts = [letter(f"pop {i}", "строка\n.точка\n..две\n" * 5).as_bytes() for i in range(3)]
    for t in texts:
        ok(m.append("INBOX", None, None, t))
    for make in (lambda: poplib.POP3(HOST, PORT["POP3"]), lambda: poplib.POP3_SSL(HOST, PORT["POP3S"], context=TLS)):
        p = pop3(make)
        assert p.stat() == (3, sum(map(len, texts))), p.stat()
        assert p.list()[1] == [b"%d %d" % (i + 1, len(t)) for i, t in enumerate(texts)]
        ids = p.uidl()[1]
        assert len(set(ids)) == 3 and p.uidl(2).split(b" ", 1)[1] == ids[1], ids
        for i, t in enumerate(texts):
            answer, lines, octets = p.retr(i + 1)
            assert b"\r\n".join(lines) + b"\r\n" == t and octets >= len(t), (answer, lines)
        head = p.top(1, 0)[1]
        assert head[-1] == b"" and b"Subject: pop 0" in head, head
        assert p.noop().startswith(b"+OK") and p.rset().startswith(b"+OK")
        p.quit()
    p = pop3()
    p.dele(2)
    try:
        p.retr(2)
        raise AssertionError("a deleted message was sent")
    except poplib.error_proto:
        pass
    p.quit()
    ok(m.noop())
    assert ok(m.search(None, "ALL"))[0] == b"1 2"
    m.logout()
    p = pop3()
    assert [i.split()[1] for i in p.uidl()[1]] == [ids[0].split()[1], ids[2].split()[1]]
    p.quit()


def pop3_stls_capabilities_and_utf8():
    p = poplib.POP3(HOST, PORT["POP3"])
    capabilities = p.capa()
    for c in ("STLS", "TOP", "UIDL", "USER", "SASL", "PIPELINING", "RESP-CODES", "AUTH-RESP-CODE", "UTF8", "LANG", "EXPIRE", "IMPLEMENTATION"):
        assert c in capabilities, capabilities
    p.stls(context=TLS)
    assert "STLS" not in p.capa()
    assert p.utf8().startswith(b"+OK")
    p.user(ANNA)
    p.pass_(PASSWORD)
    p.quit()


def pop3_refusals():
    p = poplib.POP3(HOST, PORT["POP3"])
    for wrong in (lambda: p.apop(ANNA, PASSWORD), lambda: (p.user(ANNA), p.pass_("wrong")), lambda: p.stat()):
        try:
            wrong()
            raise AssertionError("was not refused")
        except poplib.error_proto:
            pass
    p.user(ANNA)
    p.pass_(PASSWORD)
    other = poplib.POP3(HOST, PORT["POP3"])
    other.user(ANNA)
    try:
        other.pass_(PASSWORD)
        raise AssertionError("two sessions in one maildrop")
    except poplib.error_proto as e:
        assert b"[IN-USE]" in e.args[0], e
    p.quit()
    other.user(ANNA)
    other.pass_(PASSWORD)
    other.quit()


def compressed(m):
    """Turns on COMPRESS=DEFLATE (RFC 4978) below imaplib; counts what is on the wire."""
    imaplib.Commands["COMPRESS"] = ("AUTH", "SELECTED")
    ok(m._simple_command("COMPRESS", "DEFLATE"))
    out, back, have = zlib.compressobj(9, zlib.DEFLATED, -15), zlib.decompressobj(-15), bytearray()
    m.received = m.inflated = 0

    def send(data):
        m.sock.sendall(out.compress(data) + out.flush(zlib.Z_SYNC_FLUSH))

    def more():
        data = m.file.read1(65536)
        assert data, "closed"
        m.received += len(data)
        plain = back.decompress(data)
        m.inflated += len(plain)
        have.extend(plain)

    def read(size):
        while len(have) < size:
            more()
        data = bytes(have[:size])
        del have[:size]
        return data

    def readline():
        while b"\n" not in have:
            more()
        return read(have.index(b"\n") + 1)

    m.send, m.read, m.readline, m.out, m.back = send, read, readline, out, back
    return m


def imap_compresses_both_ways():
    for secure in (False, True):
        m = imaplib.IMAP4_SSL(HOST, PORT["IMAPS"], ssl_context=TLS) if secure else imaplib.IMAP4(HOST, PORT["IMAP"])
        m.login(ANNA, PASSWORD)
        m._simple_command("CAPABILITY")
        assert b"COMPRESS=DEFLATE" in m.untagged_responses["CAPABILITY"][-1].split()
        compressed(m)
        name = f"compressed-{secure}"
        m.delete(name)
        ok(m.create(name))
        texts = [letter(f"{i}", "Привет, это текст. " * (i * i)).as_bytes() for i in range(1, 60)]
        for text in texts:
            ok(m.append(name, None, None, text))
        ok(m.select(name))
        before = m.received, m.inflated
        got = [part[1] for part in ok(m.fetch("1:*", "(BODY.PEEK[])")) if isinstance(part, tuple)]
        assert got == [t.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for t in texts]
        assert (m.received - before[0]) * 3 < m.inflated - before[1], (m.received, m.inflated)
        ok(m.store("1:5", "+FLAGS", "\\Deleted"))
        ok(m.expunge())
        assert ok(m.search(None, "ALL"))[0].split()[-1] == b"54"
        ok(m.unselect())
        m.delete(name)
        m.logout()


def imap_compresses_until_unauthenticate():
    """RFC 8437 4.1: by a last block, by a flush, and with the next commands in the same packet."""
    for how in ("finish", "flush", "flush and finish"):
        m = compressed(imap(box=None))
        end = m.out.compress(b"u UNAUTHENTICATE\r\n")
        end += {"finish": lambda: m.out.flush(zlib.Z_FINISH), "flush": lambda: m.out.flush(zlib.Z_SYNC_FLUSH),
                "flush and finish": lambda: m.out.flush(zlib.Z_SYNC_FLUSH) + m.out.flush(zlib.Z_FINISH)}[how]()
        m.sock.sendall(end + f"v LOGIN {BORIS} \"{PASSWORD}\"\r\nw NOOP\r\n".encode())
        data, plain = b"", b""
        while not m.back.eof or b"w OK" not in m.back.unused_data + data:
            piece = m.file.read1(65536)
            assert piece, (plain, data)
            if m.back.eof:
                data += piece
            else:
                plain += m.back.decompress(piece)
        assert plain.endswith(b"u OK UNAUTHENTICATE completed\r\n"), plain
        assert (m.back.unused_data + data).startswith(b"v OK [CAPABILITY "), data
        m.sock.close()


def imap_bombs_end_where_lines_do():
    """80 MB of one line are 80 KB: the line is refused, the next command is heard or the session ends; nobody else notices."""
    m = compressed(imap(box=None))
    try:
        m.sock.sendall(m.out.compress(b"x " + b"0" * (80 << 20) + b"\r\ny NOOP\r\n") + m.out.flush(zlib.Z_SYNC_FLUSH))
        while True:
            line = m.readline()
            if line.startswith((b"* BYE", b"y OK")):
                break
    except (AssertionError, OSError):
        pass
    other = imap()
    ok(other.noop())
    other.logout()


def imap_speaks_russian():
    """RFC 5255 3."""
    imaplib.Commands["LANGUAGE"] = ("NONAUTH", "AUTH", "SELECTED")
    m = imaplib.IMAP4(HOST, PORT["IMAP"])
    assert "LANGUAGE" in m.capabilities, m.capabilities
    ok(m._simple_command("LANGUAGE", "ru-RU", "en"))
    assert m.untagged_responses["LANGUAGE"] == [b"(ru)"], m.untagged_responses
    try:
        m.login(ANNA, "wrong")
        raise AssertionError("signed in")
    except imaplib.IMAP4.error as e:
        assert "Имя или пароль неверны" in (e.args[0].decode() if isinstance(e.args[0], bytes) else str(e)), e
    m.login(ANNA, PASSWORD)
    no, text = m.select("Nowhere")
    assert no == "NO" and "Такой папки нет" in text[0].decode(), text
    m.logout()


if __name__ == "__main__":
    globals()[sys.argv[1]]()
