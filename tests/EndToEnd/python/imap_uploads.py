#!/usr/bin/env python3
"""Uploads by Python's imaplib, which is not ours: MULTIAPPEND, CATENATE, BINARY, REPLACE, UTF8=ACCEPT, OBJECTID. Arguments: port, user, password."""
import email
import email.policy
import imaplib
import re
import sys
from email.message import EmailMessage

port, user, password = int(sys.argv[1]), sys.argv[2], sys.argv[3]
imaplib.Commands.update({"REPLACE": ("SELECTED",)})
client = imaplib.IMAP4("127.0.0.1", port)
client.login(user, password)


def capabilities():
    return set(client.capability()[1][0].decode().split())


for word in "MULTIAPPEND CATENATE URL-PARTIAL BINARY REPLACE OBJECTID UTF8=ACCEPT LITERAL+".split():
    assert word in capabilities(), word


def command(*pieces):
    """Sends text and, as tuples, literals that wait for the server; gives kind and text of the tagged answer."""
    tag = client._new_tag()
    line = tag + b" "
    for piece in pieces:
        if not isinstance(piece, tuple):
            line += piece
            continue
        sign, data = piece
        client.send(line + b"%s{%d}\r\n" % (sign, len(data)))
        answer = client.readline()
        if not answer.startswith(b"+"):
            return answer[len(tag) + 1:].rstrip()
        client.send(data)
        line = b""
    client.send(line + b"\r\n")
    lines = []
    while not (answer := client.readline()).startswith(tag):
        assert answer, "closed"
        lines.append(answer)
    return b"".join(lines) + answer[len(tag) + 1:].rstrip()


def letter(number, attachment=None):
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"], message["To"], message["Subject"] = "anna@example.test", "boris@example.test", f"Letter {number}"
    message["Message-ID"] = f"<{number}@uploads.test>"
    message.set_content("Hello, Boris\n")
    if attachment is not None:
        message.add_attachment(attachment, maintype="application", subtype="octet-stream", filename="a.bin")
    return message.as_bytes()


# MULTIAPPEND
answer = command(b"APPEND Drafts (\\Draft) ", (b"", letter(1)), b" ", (b"", letter(2)))
assert re.match(rb"OK \[APPENDUID \d+ 1:2\]", answer), answer

# BINARY: what comes back is what went in
data = bytes(range(256)) * 40
assert client.append("Drafts", None, None, letter(3, data))[0] == "OK"
assert client.select("Drafts")[0] == "OK"
kind, answer = client.uid("FETCH", "3", "(BINARY.SIZE[2])")
assert kind == "OK" and b"BINARY.SIZE[2] %d" % len(data) in answer[0], answer
client.send(b"b1 UID FETCH 3 BINARY.PEEK[2]\r\n")
head = client.readline()
assert head.endswith(b"BINARY[2] ~{%d}\r\n" % len(data)), head
assert client.read(len(data)) == data
assert client.readline() == b")\r\n" and client.readline().startswith(b"b1 OK")

# CATENATE: the attachment of one message in another, without its bytes being sent
kind, answer = client.uid("FETCH", "3", "(BODY.PEEK[])")
stored = answer[0][1]
boundary = email.message_from_bytes(stored).get_boundary().encode()
answer = command(
    b"APPEND Drafts CATENATE (URL \"/Drafts/;UID=3/;SECTION=HEADER\" TEXT ", (b"", b"--" + boundary + b"\r\n\r\nanother text\r\n--" + boundary + b"\r\n"),
    b" URL \"/Drafts/;UID=3/;SECTION=2.MIME\" URL \"/Drafts/;UID=3/;SECTION=2\" TEXT ", (b"", b"\r\n--" + boundary + b"--\r\n"), b")")
assert b"OK [APPENDUID" in answer, answer
client.noop()
made = email.message_from_bytes(client.uid("FETCH", "4", "(BODY.PEEK[])")[1][0][1])
assert made.get_payload(0).get_payload().strip() == "another text"
assert made.get_payload(1).get_payload(decode=True) == data and made.get_payload(1).get_filename() == "a.bin"

# BINARY: content with NUL by literal8 reads as base64 for everybody
raw = b"Subject: nul\r\nMIME-Version: 1.0\r\nContent-Type: application/x\r\nContent-Transfer-Encoding: binary\r\n\r\n" + data
assert b"OK [APPENDUID" in command(b"APPEND Drafts ", (b"~", raw)), "literal8"
client.noop()
assert email.message_from_bytes(client.uid("FETCH", "5", "(BODY.PEEK[])")[1][0][1]).get_payload(decode=True) == data

# REPLACE
answer = command(b"UID REPLACE 1 Drafts (\\Draft) ", (b"", letter(6)))
assert re.search(rb"APPENDUID \d+ 6\].*\* 6 EXISTS.*\* 1 EXPUNGE", answer, re.S) and b"OK" in answer.splitlines()[-1], answer

# OBJECTID
ids = [re.search(rb"EMAILID \((M[\w-]+)\) THREADID \((T[\w-]+)\)", line).groups() for line in client.uid("FETCH", "2:6", "(EMAILID THREADID)")[1]]
assert len({one for one, _ in ids}) == 5
assert client.uid("SEARCH", "EMAILID", ids[0][0].decode())[1] == [b"2"]

# UTF8=ACCEPT: imaplib writes APPEND UTF8 (~{n}) and quoted names by itself
assert client.append("Drafts", None, None, "Subject: Привет\r\n\r\nx\r\n".encode())[0] == "NO"
client.unselect()
assert client.enable("UTF8=ACCEPT")[0] == "OK" and client.utf8_enabled
assert client.append("Drafts", None, None, "Subject: Привет\r\n\r\nx\r\n".encode())[0] == "OK"
assert client.create('"Письма"')[0] == "OK"
assert any("Письма".encode() in line for line in client.list()[1])
assert client.logout()[0] == "BYE"
print("uploads: ok")
