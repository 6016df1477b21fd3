"""A milter by pymilter, that is by Sendmail's own library: asks for every kind of change, and writes down what it was told."""
import sys

import Milter

SOCKET, LOG = sys.argv[1:3]


def note(*words):
    with open(LOG, "a", encoding="utf-8", errors="surrogateescape") as log:
        log.write(" ".join(str(word) for word in words) + "\n")


class Changing(Milter.Base):
    def __init__(self):
        self.text = b""

    def connect(self, name, family, address):
        note("connect", name, address[0], self.getsymval("{daemon_name}"), self.getsymval("j"))
        return Milter.CONTINUE

    def hello(self, name):
        note("hello", name)
        return Milter.CONTINUE

    def envfrom(self, sender, *parameters):
        note("from", sender, *parameters)
        return Milter.CONTINUE

    def envrcpt(self, recipient, *parameters):
        note("to", recipient, *parameters, self.getsymval("{rcpt_mailer}"))
        if recipient == "<boris@example.test>":
            self.setreply("550", "5.7.1", "one 100%%", "two")
            return Milter.REJECT
        return Milter.CONTINUE

    def data(self):
        note("data")
        return Milter.CONTINUE

    def header(self, name, value):
        note("header", name, repr(value))
        return Milter.CONTINUE

    def eoh(self):
        note("eoh")
        return Milter.CONTINUE

    def body(self, chunk):
        self.text += chunk
        return Milter.CONTINUE

    def eom(self):
        note("eom", len(self.text), self.getsymval("i") is not None)
        self.progress()
        self.addheader("X-Added", "at the end")
        self.addheader("X-First", "at the top", 1)
        self.chgheader("X-Old", 1, "new\n\tfolded")
        self.chgheader("X-Gone", 1, None)
        self.chgfrom("<other@example.org>")
        self.addrcpt("<carol@example.test>")
        self.delrcpt("<anna@example.test>")
        self.replacebody(self.text.upper())
        if b"odd" in self.text:
            self.quarantine("it looks odd")
        return Milter.ACCEPT

    def abort(self):
        note("abort")
        return Milter.CONTINUE

    def close(self):
        note("close")
        return Milter.CONTINUE


Milter.factory = Changing
Milter.set_flags(Milter.ADDHDRS | Milter.CHGHDRS | Milter.CHGBODY | Milter.ADDRCPT | Milter.DELRCPT | Milter.CHGFROM | Milter.QUARANTINE)
Milter.runmilter("changing", SOCKET, 20)
