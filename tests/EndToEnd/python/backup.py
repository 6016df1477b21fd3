"""For BackupTests: python3 backup.py VERB ...; ports and password come from the environment."""
import hashlib, imaplib, json, os, re, smtplib, sys, threading

E = os.environ
HOST, PASSWORD = "127.0.0.1", E["PASSWORD"]


def ok(answer):
    assert answer[0] == "OK", answer
    return answer[1]


def imap(user, box=None):
    m = imaplib.IMAP4(HOST, int(E["IMAP"]))
    m.login(user, PASSWORD)
    if box:
        ok(m.select(box))
    return m


def text(n, size=3000):
    body = hashlib.sha256(str(n).encode()).hexdigest()
    return (f"From: sender@example.org\r\nTo: x@example.test\r\nSubject: letter {n}\r\nMessage-ID: <{n}@backup.test>\r\n"
            f"Date: Mon, 02 Feb 2026 10:00:00 +0000\r\n\r\n" + (body + "\r\n") * (size // 66))


def fill(user, first, count):
    s = smtplib.SMTP(HOST, int(E["SMTP"]))
    for n in range(int(first), int(first) + int(count)):
        s.sendmail("sender@example.org", [user], text(n, 500 + n * 97 % 20000))
    s.quit()


def change(user):
    """flags, keywords, copies, moves, a mailbox with a subscription"""
    m = imap(user, "INBOX")
    ok(m.uid("STORE", "1:10", "+FLAGS", "(\\Seen \\Flagged Work)"))
    ok(m.create("Courses/Spring"))
    ok(m.subscribe("Courses/Spring"))
    ok(m.uid("COPY", "3:7", "Courses/Spring"))
    ok(m.uid("MOVE", "11:13", "Archive"))
    ok(m.append("Sent", "(\\Seen \\Answered)", '"05-Jan-2021 11:22:33 +0300"', text("appended").encode()))
    m.logout()


def destroy(user):
    """what somebody does by mistake"""
    m = imap(user, "INBOX")
    ok(m.uid("STORE", "2:9", "+FLAGS", "(\\Deleted)"))
    ok(m.expunge())
    ok(m.uid("MOVE", "14:15", "Trash"))
    ok(m.uid("MOVE", "16", "Archive"))
    ok(m.delete("Courses/Spring"))
    m.logout()


def census(user, uids="yes"):
    m = imap(user)
    found = {}
    for line in ok(m.list()):
        name = re.search(r'"/" "?([^"]*)"?$', line.decode()).group(1)
        if b"\\Noselect" in line or b"\\NonExistent" in line:
            continue
        ok(m.select(f'"{name}"', readonly=True))
        rows = []
        if int(m.untagged_responses["EXISTS"][-1]):
            for answer in ok(m.uid("FETCH", "1:*", "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")):
                if not isinstance(answer, tuple):
                    continue
                head = answer[0].decode()
                flags = sorted(f for f in re.search(r"FLAGS \(([^)]*)\)", head).group(1).split() if f != "\\Recent")
                row = [flags, re.search(r'INTERNALDATE "([^"]*)"', head).group(1), len(answer[1]), hashlib.sha256(answer[1]).hexdigest()]
                rows.append(([int(re.search(r"UID (\d+)", head).group(1))] if uids == "yes" else []) + row)
        status = m.response("UIDVALIDITY")[1]
        found[name] = {"validity": int(status[0]) if uids == "yes" and status[0] else 0, "messages": rows if uids == "yes" else sorted(rows)}
    subscribed = sorted(line.decode().rsplit(" ", 1)[1] for line in ok(m.lsub()) if line)
    print(json.dumps({"mailboxes": found, "subscribed": subscribed}, sort_keys=True))
    m.logout()


def load(user, path, threads="4"):
    """delivers until standard input ends; writes down each message once it is acknowledged"""
    stop, lock, out = threading.Event(), threading.Lock(), open(path, "a")

    def work(k):
        s = smtplib.SMTP(HOST, int(E["SMTP"]))
        n = (k + 1) * 1000000
        while not stop.is_set():
            n += 1
            try:
                s.sendmail("sender@example.org", [user], text(n))
            except Exception:
                return
            with lock:
                out.write(f"{n}\n")
                out.flush()

    all = [threading.Thread(target=work, args=(k,)) for k in range(int(threads))]
    for t in all:
        t.start()
    sys.stdin.read()
    stop.set()
    for t in all:
        t.join()


def holds(user, path):
    """every message of the list is in INBOX, once, whole"""
    m = imap(user, "INBOX")
    have = {}
    for answer in ok(m.uid("FETCH", "1:*", "(BODY.PEEK[])")):
        if isinstance(answer, tuple):
            found = re.search(rb"Message-ID: <([^@]*)@backup.test>", answer[1])
            n = found.group(1).decode()
            assert n not in have, f"{n} twice"
            have[n] = True
            if len(n) >= 7:
                assert answer[1].endswith(text(n).encode()), f"{n} is not whole"
    missing = [n for n in open(path).read().split() if n not in have]
    assert not missing, f"{len(missing)} acknowledged messages are missing: {missing[:5]}"
    print(len(have))


def top(user):
    m = imap(user, "INBOX")
    print(max(int(u) for u in ok(m.uid("SEARCH", "ALL"))[0].split()))


globals()[sys.argv[1]](*sys.argv[2:])
