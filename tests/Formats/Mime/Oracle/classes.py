"""Why `cbamail check mime` may differ from Python's email package, and the rule that tells each reason.

A rule gets a Difference and answers whether its reason explains that difference wholly: it computes again, by the text of the
RFC, what ought to come out, and compares that with ours. The first rule that does names the difference.
"""
import base64
import binascii
import datetime
import email.errors
import email.header
import hashlib
import re

CLASSES = {}


def reason(name, fields, why):
    """Registers a rule for the fields named, with the reason why ours is right."""
    def register(rule):
        CLASSES[name] = (fields.split(), " ".join(why.split()), rule)
        return rule
    return register


def classify(difference):
    for name, (fields, _, rule) in CLASSES.items():
        if difference.field.split(":")[0] in fields and holds(rule, difference):
            return name
    return None


def holds(rule, difference):
    try:
        return rule(difference)
    except (ValueError, LookupError, AttributeError, TypeError, email.errors.MessageError):
        # what Python cannot decode is not decoded by this rule: another one, or none, explains it
        return False


def sha(content):
    return hashlib.sha256(content).hexdigest()


def tight(value):
    return re.sub(r"\s", "", value) if isinstance(value, str) else value


def printable(value):
    """As our fields are: no line ends, no NUL."""
    return re.sub("[\r\n\0]", " ", value) if isinstance(value, str) else value


# --- content -------------------------------------------------------------------------------------------------------------

def quoted_printable(payload, strip):
    """RFC 2045 6.7: line by line, so that trailing white space is known before anything is decoded."""
    out = bytearray()
    for line in re.findall(rb"[^\n]*\n|[^\n]+", payload):
        end = b"\r\n" if line.endswith(b"\r\n") else b"\n" if line.endswith(b"\n") else b""
        line = line[:len(line) - len(end)]
        text = line.rstrip(b" \t") if strip else line
        soft = line.rstrip(b" \t").endswith(b"=")
        if soft:
            text, end = line.rstrip(b" \t")[:-1], b""
        out += re.sub(rb"=([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), text) + end
    return bytes(out)


@reason("qp-white-space", "content", """RFC 2045 6.7 (3): white space at the end of a quoted-printable line must be deleted, it was
        added on the way; Python keeps it, and takes a soft line break with white space behind it for text.""")
def qp_white_space(d):
    return d.encoding == "quoted-printable" and b"==" not in d.payload and d.ours == sha(quoted_printable(d.payload, True))


@reason("qp-equals", "content", """RFC 2045 6.7 note (2): an "=" that encodes nothing stays, and what follows it is read like the rest;
        Python makes one "=" of two. White space at line ends is deleted as 6.7 (3) says.""")
def qp_equals(d):
    return d.encoding == "quoted-printable" and b"==" in d.payload and d.ours == sha(quoted_printable(d.payload, True))


@reason("base64-cut", "content", """RFC 2045 6.8: what is outside of the alphabet is ignored. One character of a last quantum makes no
        byte; Python then gives up, and gives the base64 text itself for the content of the attachment.""")
def base64_cut(d):
    text = re.sub(rb"[^A-Za-z0-9+/]", b"", d.payload.partition(b"==")[0])
    return d.encoding == "base64" and d.python == sha(b"".join(d.payload.splitlines())) or d.python == sha(d.payload) \
        and len(text) % 4 == 1 and d.ours == sha(base64.b64decode(text[:-1]))


@reason("last-line", "content", """RFC 2046 5.1.1: a line end belongs to the delimiter that follows it. Where the message ends
        before its closing delimiter, none follows and the line end is content; Python drops it.""")
def last_line(d):
    content = d.python_content
    return content is not None and d.ours in (sha(content + b"\n"), sha(content + b"\r\n"))


@reason("encoding-word", "content encoding", """RFC 2045 6.1: the mechanism is one token, around which RFC 5322 3.2.2 allows white space and
        comments; Python compares the whole field, and leaves base64 undecoded for a space behind the word.""")
def encoding_word(d):
    stated = str(d.header("content-transfer-encoding") or "").strip().lower()
    word = re.sub(r"\([^)]*\)", " ", stated).strip('"').split(";")[0].split()[:1]
    word = {"8bits": "8bit", "8-bit": "8bit", "7bits": "7bit", "7-bit": "7bit"}.get(word[0], word[0]) if word else "7bit"
    if d.field == "encoding":
        return d.ours == word.strip('"') or not re.fullmatch(r"[!#-'*+.0-9A-Z^-~-]+", word.strip('"')) and d.ours == "7bit"
    if str(d.header("content-transfer-encoding")).lower() == d.encoding:
        return False
    if d.encoding == "quoted-printable":
        return d.ours == sha(quoted_printable(d.payload, True))
    try:
        return d.encoding == "base64" and d.ours == sha(base64.b64decode(d.payload))
    except binascii.Error:
        return False


@reason("not-uuencoded", "content", """A body that calls itself uuencoded but has no "begin" line is shown as it stands.""")
def not_uuencoded(d):
    return "uu" in d.encoding and d.ours == sha(d.payload)


# --- structure -----------------------------------------------------------------------------------------------------------

@reason("message-fields", "children", """RFC 3464 2.1 and RFC 8098 3.1: message/delivery-status and its kin are blocks of fields, not messages.
        Only message/rfc822 (RFC 2046 5.2.1) and message/global (RFC 6532 3.7) hold a message, and only these have parts in
        IMAP (RFC 9051 7.5.2); Python makes parts of text/plain of the blocks.""")
def message_fields(d):
    return d.type.startswith("message/") and d.type not in ("message/rfc822", "message/global") and d.ours == []


@reason("encoded-message", "children", """RFC 2046 5.2.1: a message/rfc822 with base64 or quoted-printable is not legal, and without
        decoding nothing in it is a header; Python reads the base64 lines as a message.""")
def encoded_message(d):
    return d.type in ("message/rfc822", "message/global") and d.encoding in ("base64", "quoted-printable") and d.ours == []


@reason("default-boundary", "children", """The default policy finds no boundary where it is not quoted although it must be (RFC 2045 5.1,
        tspecials) or is not ASCII; what the message says of itself is plain, and the delimiters stand in it.""")
def default_boundary(d):
    boundary = (d.parameters or {}).get("boundary")
    return d.type.startswith("multipart/") and bool(boundary) and len(d.ours) > len(d.python) \
        and (b"--" + boundary.encode()) in d.whole and bool(re.search("[^-0-9A-Za-z_.+']", boundary))


@reason("same-boundary", "children content", """A multipart within another that uses the same boundary: RFC 2046 5.1.2 forbids it. Read from the
        inside each part stays where it was put; Python ends the inner one at its first delimiter and loses the rest.""")
def same_boundary(d):
    boundaries = re.findall(rb'boundary="?([^";\s]+)', d.whole)
    return len(set(boundaries)) < len(boundaries)


@reason("empty-boundary", "children parameters", """RFC 2046 5.1.1: a boundary has at least one character; nothing is delimited by two hyphens alone.""")
def empty_boundary(d):
    return re.search(rb'boundary=""', d.whole) is not None


# --- Content-Type, Content-Disposition ------------------------------------------------------------------------------------

def stated_type(d):
    value = re.sub(r"[\r\n]", "", d.stated("content-type"))
    return re.sub(r"\([^()]*\)", " ", value)


@reason("type-words", "type subtype", """RFC 2045 5.1: type and subtype are tokens, and RFC 5322 3.2.2 allows white space and comments around
        them; Python takes for the subtype all up to the first semicolon. What has no legal type is text/plain (RFC 2045 5.2).""")
def type_words(d):
    match = re.match(r'\s*"?([!#-\'*+.0-9A-Z^-~-]+)\s*/\s*([!#-\'*+.0-9A-Z^-~-]+)(?=[\s;",/]|$)', stated_type(d), re.I | re.A)
    said = (match[1].lower(), match[2].lower()) if match else ("text", "plain")
    return d.ours == said[0 if d.field == "type" else 1]


@reason("nameless-parameter", "parameters", """A parameter has a name (RFC 2045 5.1): the semicolon at the end of the field makes none; compat32 lists one
        with an empty name.""")
def nameless(d):
    return isinstance(d.python, dict) and "" in d.python and d.ours == {k: v for k, v in d.python.items() if k}


@reason("raw-8bit", "parameters filename header addresses type subtype", """RFC 6532 3.2: bytes above 127 are UTF-8. Older mailers send their own character set without naming it: then ours
        is a guess where Python has U+FFFD for every byte.""")
def raw_8bit(d):
    shown = str(d.python)
    return ("\ufffd" in shown or "failed" in shown) and bool(re.search(rb"[\x80-\xff]", d.header_bytes)) \
        and re.sub("[^!-~]", "", str(d.ours).replace("\\xad", "").replace("\\xa0", "")) == re.sub("[^!-~]", "", shown)


@reason("parameter-words", "parameters filename", """RFC 2047 5 forbids encoded-words in parameters, nearly all mailers send them; a file name is for people. compat32
        shows them undecoded.""")
def parameter_words(d):
    if b"=?" not in d.header_bytes or d.ours is None:
        return False
    decode = lambda text: tight(str(email.header.make_header(email.header.decode_header(text))))  # noqa: E731
    said = re.findall(r'=\?[^;"]*\?=', re.sub(r"[\r\n]", "", d.header_bytes.decode("latin-1")))
    return any(decode(words) in tight(str(d.ours)) for words in said)


@reason("backslash", "parameters filename", """A backslash before another character than a quote or backslash was meant as itself (C:\\dir\\file): mailers that
        send such paths escape nothing. compat32 reads it so too; the default policy drops it.""")
def backslash(d):
    return d.policy == "default" and "\\" in str(d.ours) and str(d.ours).replace("\\", "") == str(d.python).replace("\\", "")


@reason("missing-quotes", "parameters filename", """A value with a space or another special and without the quotes it needs (RFC 2045 5.1) ends at the semicolon, as compat32
        reads it too: a file name that is cut at its first space has lost its type.""")
def missing_quotes(d):
    return d.policy == "default" and d.ours == d.compat_value


@reason("missing-semicolon", "parameters filename disposition", """"text/plain charset=x": the semicolon that RFC 2045 5.1 asks for is missing, what was meant is plain. Python
        makes one word of both.""")
def missing_semicolon(d):
    value = stated_type(d) if d.field == "parameters" else str(d.header("content-disposition") or "")
    return bool(re.match(r"[^;=]*?[\w/]\s*[\s,]\s*[\w-]+=", value))


@reason("extended-first", "parameters filename", """RFC 2231 4: of "name" and "name*" the second is the one that the sender could write as it is; the plain one stands
        beside it for old readers. Python takes whichever comes first.""")
def extended_first(d):
    value = d.header_bytes.lower()
    return all(re.search(pattern, value) for pattern in (rb"name\s*=", rb"name\*"))


@reason("continuation-gap", "parameters filename", """RFC 2231 3: continuations count from 0 without a gap, the first of two with one number counts; what comes behind a gap
        is no part of the value.""")
def continuation_gap(d):
    numbers = [int(n) for n in re.findall(rb"name\*(\d+)", d.header_bytes)]
    return bool(numbers) and sorted(numbers) != list(range(len(numbers)))


@reason("unlabelled-extension", "parameters filename", """A "name*" whose character set is missing or unknown (RFC 2231 4) is read as UTF-8 if its bytes are that.""")
def unlabelled_extension(d):
    return bool(re.search(rb"name\*\d*\*?=", d.header_bytes))


@reason("angle-brackets", "parameters children", """RFC 2045 5.1: angle brackets are no quotes; they are part of the value, and of the delimiters if there are any. compat32
        strips them, the default policy drops the parameter.""")
def angle_brackets(d):
    return re.search(rb"boundary=<", d.whole) is not None


@reason("comment", "parameters disposition children", """RFC 5322 3.2.2 and RFC 2045 5.1: comments may stand between the words of a structured field, and mean nothing.""")
def comment(d):
    value = str(d.header("content-disposition" if d.field == "disposition" else "content-type") or "")
    return "(" in value and (d.field != "disposition" or d.ours == re.sub(r"\([^)]*\)", "", value).split(";")[0].strip().lower())


@reason("unclosed-quote", "parameters filename", """The quote that nobody closed, or that has words behind it: the value is what it holds.""")
def unclosed_quote(d):
    return '"' in str(d.python) and tight(str(d.ours)) != tight(str(d.python)) and not isinstance(d.ours, list)


@reason("empty-value", "parameters", """A parameter with an empty value is kept and one without "=" is not (RFC 2045 5.1: attribute "=" value).""")
def empty_value(d):
    strip = lambda pairs: {k: v for k, v in pairs.items() if v}
    return isinstance(d.python, dict) and strip(d.ours) == strip(d.python)


@reason("folded-value", "parameters filename", """RFC 5322 2.2.3: a folded value is unfolded before it is read; compat32 leaves the line end inside.""")
def folded_value(d):
    return str(d.ours) == re.sub(r"\\r|\\n|[\r\n]", "", str(d.python))


@reason("no-disposition", "disposition", """RFC 2183 2.8: what has no legal word is an attachment if it has a file name, and no disposition if it has nothing; Python
        gives the text up to the first semicolon, empty or not.""")
def no_disposition(d):
    word = str(d.header("content-disposition") or "").split(";")[0].strip()
    return not re.fullmatch(r"[A-Za-z-]+", word) and (d.ours in (None, "attachment") or d.ours == word.strip('"').lower())


# --- header fields -------------------------------------------------------------------------------------------------------

@reason("outer-space", "header", """White space at the ends of a field's value means nothing (RFC 5322 3.2.2, 3.2.5); Python strips it at the front only.""")
def outer_space(d):
    return isinstance(d.python, str) and d.ours == d.python.strip(" \t\r\n")


@reason("words-and-text", "header", """RFC 2047 6.2: white space between two encoded-words is not shown, all other is shown as it stands. compat32 adds a space
        between word and text where there is none.""")
def words_and_text(d):
    return d.policy == "compat32" and tight(d.ours) == tight(d.python) and b"=?" in d.header_bytes


@reason("windows-1252", "header", """WHATWG Encoding 4.2: what calls itself ISO-8859-1 and has bytes 128 to 159 is windows-1252; Python shows control
        characters.""")
def windows_1252(d):
    try:
        return d.ours.encode("cp1252") == d.python.encode("latin-1")
    except (UnicodeError, AttributeError):
        return False


@reason("undecodable", "header", """Python cannot read the encoded-word (a character set it does not know, bytes outside of it, cut base64) and fails or gives it up;
        ours reads what is readable (RFC 2047 6.3).""")
def undecodable(d):
    return isinstance(d.python, dict) or "=?" in str(d.python) or "\ufffd" in str(d.python) \
        or b"?B?" in d.header_bytes and not d.ours.isspace() and "\ufffd" not in d.ours and d.policy == "default"


@reason("control", "header", """RFC 2047 5: an encoded line end or NUL would end the field for whoever prints it; ours is a space. A raw NUL (RFC 5322 4) is
        dropped.""")
def control(d):
    return bool(re.search("[\0\r\n]", d.python)) and d.ours in (printable(d.python), d.python.replace("\0", "")) \
        or b"=0A" in d.header_bytes and d.ours.replace(" ", "") == d.python.replace(" ", "")


# --- addresses, dates ----------------------------------------------------------------------------------------------------

@reason("name-in-comment", "addresses", """RFC 5322 3.4: "address (Name)" was how names were written, and users look for the name; Python's default policy drops it
        (its compat functions do not).""")
def name_in_comment(d):
    return len(d.ours) == len(d.python) and b"(" in d.header_bytes \
        and all(a[1] == b[1] and (a[0] == b[0].strip() or not b[0]) for a, b in zip(d.ours, d.python))


@reason("name-with-at", "addresses", """A display name with a special outside of quotes (RFC 5322 3.2.3 forbids it) is shown as it stands; Python drops it.""")
def name_with_at(d):
    return len(d.ours) == len(d.python) and all(a == b or a[1] == b[1] and "@" in a[0] and not b[0] for a, b in zip(d.ours, d.python))


@reason("name-space", "addresses", """White space at the ends of a display name is not part of it.""")
def name_space(d):
    return len(d.ours) == len(d.python) and all(a[1] == b[1] and a[0] == b[0].strip() for a, b in zip(d.ours, d.python))


@reason("word-in-address", "addresses", """RFC 2047 5 (3): an encoded-word must not be used in an address, where it is the letters it is written with; Python
        decodes it, and sends to another mailbox.""")
def word_in_address(d):
    return any("=?" in a[1] for a in d.ours)


@reason("word-in-atom", "addresses", """An encoded-word stuck to letters is no encoded-word by RFC 2047 5 (3), but in a name it is meant for people.""")
def word_in_atom(d):
    return any("=?" in b[0] for b in d.python) and [a[1] for a in d.ours] == [b[1] for b in d.python]


@reason("illegal-address", "addresses", """What RFC 5322 3.4 has no rule for (dots side by side, brackets, two at-signs, colons inside angle brackets, control
        characters, nothing at all): ours keeps the text that stands there, in quotes; Python drops what it cannot place.""")
def illegal_address(d):
    legal = r'(?:[\w!#$%&\'*+/=?^`{|}~.-]+|"(?:[^"\\]|\\.)*")@[\w.-]+'
    odd = [a for a in d.ours if a not in d.python]
    return all(not re.fullmatch(legal, a[1], re.A) or a[1].startswith('"') for a in odd) \
        or any(not re.fullmatch(legal, b[1], re.A) or b[1].startswith('"') for b in d.python if b not in d.ours)


@reason("wide-zone", "date", """RFC 5322 3.3 allows zones up to 9959, .NET's dates know 14 hours: the moment is the same, shown in UTC.""")
def wide_zone(d):
    ours, theirs = (datetime.datetime.fromisoformat(x) if x else None for x in (d.ours, d.python))
    return ours is not None and theirs is not None and theirs.tzinfo is not None and ours == theirs


@reason("loose-date", "date", """Dates that RFC 5322 3.3 does not allow (a zone like GMT+1 or 01800, AM and PM, the year first): ours says what a reader would
        take them for, Python overlooks the part it does not know.""")
def loose_date(d):
    return d.ours is not None and (d.python is None or d.ours[:10] == d.python[:10])


# --- the whole message ---------------------------------------------------------------------------------------------------

EVERYTHING = "content encoding children type subtype parameters filename disposition header addresses date names"


@reason("bare-cr", EVERYTHING, """RFC 5322 2.2: a line ends with CRLF (a file's with LF), and a CR alone must not occur and ends nothing; Python ends lines at
        it, so that a field can be smuggled into another's value.""")
def bare_cr(d):
    return re.search(rb"\r(?!\n)", d.whole) is not None


@reason("obsolete-colon", EVERYTHING, """RFC 5322 4.5: white space may stand before the colon; Python takes the line for the body's first.""")
def obsolete_colon(d):
    return re.search(rb"(?m)^[!-9;-~]+[ \t]+:", d.whole) is not None


@reason("quoted-from-line", EVERYTHING, """RFC 4155: a ">From " line at the top is an mbox's; Python takes all fields below for the body.""")
def quoted_from_line(d):
    return d.whole.startswith(b">From ")
