"""Invitations as calendar programs write them, sent by smtplib; the answers are read by imaplib and icalendar (Debian: python3-icalendar)."""
import base64
import datetime
import email
import email.policy
import imaplib
import os
import smtplib
import ssl
import sys
import uuid

import icalendar

ANNA, HALL, PASSWORD = os.environ["ANNA"], os.environ["HALL"], os.environ["PASSWORD"]
UTC = datetime.timezone.utc
TODAY = datetime.datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

BERLIN_OF_WINDOWS = """BEGIN:VTIMEZONE
TZID:{name}
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""


def day(days):
    return TODAY + datetime.timedelta(days=days)


def local(time):
    return time.strftime("%Y%m%dT%H%M%S")


def utc(time):
    return local(time) + "Z"


def send(raw):
    with smtplib.SMTP_SSL("127.0.0.1", int(os.environ["SUBMISSIONS"]), context=ssl._create_unverified_context()) as smtp:
        smtp.login(ANNA, PASSWORD)
        smtp.sendmail(ANNA, [HALL], raw.replace("\r\n", "\n").replace("\n", "\r\n").encode())


def answers(uid):
    """The calendars that the hall has sent about an event, in order; each has been read by a parser that is not ours."""
    found = []
    with imaplib.IMAP4("127.0.0.1", int(os.environ["IMAP"])) as imap:
        imap.login(ANNA, PASSWORD)
        imap.select("INBOX")
        for number in imap.search(None, "ALL")[1][0].split():
            message = email.message_from_bytes(imap.fetch(number, "(BODY.PEEK[])")[1][0][1], policy=email.policy.default)
            assert message["Auto-Submitted"] == "auto-replied"
            for part in message.walk():
                if part.get_content_type() != "text/calendar":
                    continue
                assert part.get_param("method") == "REPLY" and part.get_content_charset() == "utf-8", part["Content-Type"]
                calendar = icalendar.Calendar.from_ical(part.get_payload(decode=True))
                assert calendar["METHOD"] == "REPLY" and calendar["VERSION"] == "2.0" and calendar["PRODID"]
                events = [one for one in calendar.walk("VEVENT")]
                if events[0]["UID"] == uid:
                    assert all(not one.errors for one in events), [one.errors for one in events]
                    found.append(events)
    return found


def answered(uid, parts, attendee=None):
    """The last answer: PARTSTAT of each event in it."""
    events = answers(uid)[-1]
    assert [one["ATTENDEE"].params["PARTSTAT"] for one in events] == parts, events
    for one in events:
        assert not isinstance(one["ATTENDEE"], list) and str(one["ATTENDEE"]).lower() == "mailto:" + (attendee or HALL).lower(), one["ATTENDEE"]
        assert str(one["ORGANIZER"]).lower() == "mailto:" + ANNA and one["DTSTAMP"].dt.tzinfo is not None
    return events


def wrapped(text, limit=75):
    """Folds as programs do that count octets, also inside of a character (RFC 5545 3.1)."""
    lines = []
    for line in text.strip().split("\n"):
        octets = line.encode()
        lines.append(octets[:limit])
        lines += [b" " + octets[at:at + limit - 1] for at in range(limit, len(octets), limit - 1)]
    return b"\r\n".join(lines) + b"\r\n"


def base(octets):
    return base64.encodebytes(octets).decode()


def exchange():
    """Outlook by Exchange: one part in base64, zones of Windows by name, properties of its own, the room among several with CUTYPE."""
    uid = "040000008200E00074C5B7101A82E008" + uuid.uuid4().hex.upper()
    start, words = day(20).replace(hour=10), "Слово за слово\\, и так далее. " * 20
    calendar = f"""BEGIN:VCALENDAR
METHOD:REQUEST
PRODID:Microsoft Exchange Server 2010
VERSION:2.0
{BERLIN_OF_WINDOWS.format(name="W. Europe Standard Time").strip()}
BEGIN:VEVENT
ORGANIZER;CN="Петрова, Анна":mailto:{ANNA}
ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN=far@elsewhere.test:mailto:far@elsewhere.test
ATTENDEE;CUTYPE=ROOM;ROLE=NON-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN="Hall, great":MAILTO:{HALL.upper()}
DESCRIPTION;LANGUAGE=ru-RU:{words}\\n
UID:{uid}
SUMMARY;LANGUAGE=ru-RU:Совет; и ещё
DTSTART;TZID=W. Europe Standard Time:{local(start)}
DTEND;TZID=W. Europe Standard Time:{local(start.replace(hour=11))}
CLASS:PUBLIC
PRIORITY:5
DTSTAMP:{utc(TODAY)}
TRANSP:OPAQUE
STATUS:CONFIRMED
SEQUENCE:0
LOCATION;LANGUAGE=ru-RU:Hall
X-MICROSOFT-CDO-APPT-SEQUENCE:0
X-MICROSOFT-CDO-OWNERAPPTID:2120853310
X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE
X-MICROSOFT-CDO-INTENDEDSTATUS:BUSY
X-MICROSOFT-CDO-ALLDAYEVENT:FALSE
X-MICROSOFT-CDO-INSTTYPE:0
X-MICROSOFT-DISALLOW-COUNTER:FALSE
BEGIN:VALARM
DESCRIPTION:REMINDER
TRIGGER;RELATED=START:-PT15M
ACTION:DISPLAY
END:VALARM
END:VEVENT
END:VCALENDAR
"""
    send(f"""From: Anna <{ANNA}>
To: far@elsewhere.test, {HALL}
Subject: =?utf-8?B?0KHQvtCy0LXRgg==?=
Thread-Topic: x
MIME-Version: 1.0
X-MS-Has-Attach:
Content-Language: ru-RU
Content-Type: multipart/alternative;
\tboundary="_000_AM0PR01MB_"

--_000_AM0PR01MB_
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: base64

{base(b"see above")}
--_000_AM0PR01MB_
Content-Type: text/html; charset="utf-8"
Content-Transfer-Encoding: base64

{base(b"<p>see above</p>")}
--_000_AM0PR01MB_
Content-Type: text/calendar; charset="utf-8"; method=REQUEST
Content-Transfer-Encoding: base64

{base(wrapped(calendar, 74))}
--_000_AM0PR01MB_--
""")
    [event] = answered(uid, ["ACCEPTED"])
    assert event["ATTENDEE"].params["CUTYPE"] == "ROOM"
    assert event["SUMMARY"] == "Совет; и ещё", event["SUMMARY"]
    # the wall clock of Berlin, by the zone that came along: summer or winter
    assert event["DTSTART"].dt.replace(tzinfo=None) == start.replace(tzinfo=None)


def customized_zone():
    """A zone that only the calendar itself describes, as Outlook names it."""
    uid, start = str(uuid.uuid4()), day(21).replace(hour=10)
    name = "(UTC+01:00) Amsterdam, Berlin, Bern"
    send(plain(f"""BEGIN:VCALENDAR
PRODID:-//Microsoft Corporation//Outlook 16.0 MIMEDIR//EN
VERSION:2.0
METHOD:REQUEST
X-MS-OLK-FORCEINSPECTOROPEN:TRUE
{BERLIN_OF_WINDOWS.format(name=name.replace(",", chr(92) + ",")).strip()}
BEGIN:VEVENT
ATTENDEE;CN=hall;RSVP=TRUE:mailto:{HALL}
DTEND;TZID="{name}":{local(start.replace(hour=12))}
DTSTAMP:{utc(TODAY)}
DTSTART;TZID="{name}":{local(start)}
ORGANIZER;CN="Anna":mailto:{ANNA}
SEQUENCE:0
SUMMARY;LANGUAGE=en-us:Zone
UID:{uid}
X-ALT-DESC;FMTTYPE=text/html:<html><body>a: b; c, d</body></html>
END:VEVENT
END:VCALENDAR
"""))
    answered(uid, ["ACCEPTED"])


def plain(calendar, method="REQUEST", encoding="8bit", kind="text/calendar"):
    return f"""From: {ANNA}
To: {HALL}
Subject: x
MIME-Version: 1.0
Content-Type: {kind}; charset=UTF-8; method={method}
Content-Transfer-Encoding: {encoding}

{calendar}"""


def google_event(uid, start, more="", sequence=0):
    return f"""BEGIN:VCALENDAR
PRODID:-//Google Inc//Google Calendar 70.9054//EN
VERSION:2.0
CALSCALE:GREGORIAN
METHOD:REQUEST
BEGIN:VEVENT
DTSTART:{utc(start)}
DTEND:{utc(start + datetime.timedelta(hours=1))}
DTSTAMP:{utc(TODAY)}
ORGANIZER;CN=Anna:mailto:{ANNA}
UID:{uid}
ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=TRUE;CN=Anna;X-NUM-GUESTS=0:mailto:{ANNA}
ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN={HALL};X-NUM-GUESTS=0:mailto:{HALL}
X-MICROSOFT-CDO-OWNERAPPTID:-1254011471
CREATED:{utc(TODAY)}
DESCRIPTION:-::~:~::~:~:~:~:~:~\\nhttps://meet.google.com/abc-defg-hij
LAST-MODIFIED:{utc(TODAY)}
LOCATION:
SEQUENCE:{sequence}
STATUS:CONFIRMED
SUMMARY:Планёрка
TRANSP:OPAQUE
{more}END:VEVENT
END:VCALENDAR
"""


def google():
    """The same calendar twice: beside the texts, and attached as invite.ics in another type; 7bit and base64."""
    uid = uuid.uuid4().hex + "@google.com"
    octets = wrapped(google_event(uid, day(22).replace(hour=9)))
    send(f"""MIME-Version: 1.0
Reply-To: Anna <{ANNA}>
Sender: Google Calendar <calendar-notification@google.com>
Auto-Submitted: auto-generated
From: "Anna" <{ANNA}>
To: {HALL}
Subject: Invitation
Content-Type: multipart/mixed; boundary="000000000000aa"

--000000000000aa
Content-Type: multipart/alternative; boundary="000000000000bb"

--000000000000bb
Content-Type: text/plain; charset="UTF-8"; format=flowed; delsp=yes
Content-Transfer-Encoding: base64

{base(b"You have been invited")}
--000000000000bb
Content-Type: text/html; charset="UTF-8"
Content-Transfer-Encoding: quoted-printable

<p>You have been invited</p>
--000000000000bb
Content-Type: text/calendar; charset="UTF-8"; method=REQUEST
Content-Transfer-Encoding: base64

{base(octets)}
--000000000000bb--
--000000000000aa
Content-Type: application/ics; name="invite.ics"
Content-Disposition: attachment; filename="invite.ics"
Content-Transfer-Encoding: base64

{base(octets)}
--000000000000aa--
""")
    [event] = answered(uid, ["ACCEPTED"])
    assert event["ATTENDEE"].params["CUTYPE"] == "ROOM"  # INDIVIDUAL is what Google takes everybody for
    assert len(answers(uid)) == 1


def apple():
    """Apple Mail: the calendar is only attached, its type has no method; whole days; a duration in place of an end."""
    uid, first = str(uuid.uuid4()).upper(), day(23)
    calendar = f"""BEGIN:VCALENDAR
CALSCALE:GREGORIAN
VERSION:2.0
METHOD:REQUEST
PRODID:-//Apple Inc.//macOS 14.5//EN
X-WR-CALNAME:home
BEGIN:VEVENT
TRANSP:OPAQUE
DTEND;VALUE=DATE:{(first + datetime.timedelta(days=2)).strftime("%Y%m%d")}
UID:{uid}
DTSTAMP:{utc(TODAY)}
SEQUENCE:0
X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC
SUMMARY:Two days
DTSTART;VALUE=DATE:{first.strftime("%Y%m%d")}
CREATED:{utc(TODAY)}
ORGANIZER;CN="Anna";EMAIL="{ANNA}":mailto:{ANNA}
ATTENDEE;CN="Anna";CUTYPE=INDIVIDUAL;EMAIL="{ANNA}";PARTSTAT=ACCEPTED;ROLE=CHAIR:mailto:{ANNA}
ATTENDEE;CUTYPE=INDIVIDUAL;EMAIL="{HALL}";PARTSTAT=NEEDS-ACTION:mailto:{HALL}
END:VEVENT
END:VCALENDAR
"""
    send(f"""From: Anna <{ANNA}>
Content-Type: multipart/mixed; boundary="Apple-Mail=_1"
Mime-Version: 1.0 (Mac OS X Mail 16.0)
Subject: Two days
To: {HALL}

--Apple-Mail=_1
Content-Transfer-Encoding: 7bit
Content-Type: text/plain; charset=us-ascii

Anna has invited you.
--Apple-Mail=_1
Content-Disposition: attachment; filename=iCal-20260901-1.ics
Content-Type: text/calendar; x-unix-mode=0644; name="iCal-20260901-1.ics"
Content-Transfer-Encoding: quoted-printable

{calendar.replace("=", "=3D")}
--Apple-Mail=_1--
""")
    [event] = answered(uid, ["ACCEPTED"])
    assert event["DTSTART"].dt == first.date() and event["DTEND"].dt == (first + datetime.timedelta(days=2)).date()
    other = uuid.uuid4().hex
    send(plain(google_event(other, first.replace(hour=12) + datetime.timedelta(days=1))))  # on the second of the two days
    [event] = answered(other, ["DECLINED"])
    assert str(event["COMMENT"]).startswith("It is taken: "), event["COMMENT"]


def thunderbird():
    """Thunderbird: the calendar beside the text and attached again as application/ics, a zone of IANA's that is described, a series of which one day differs."""
    uid, start = str(uuid.uuid4()), day(30).replace(hour=9)
    moved = start + datetime.timedelta(days=1, hours=3)
    zone = """BEGIN:VTIMEZONE
TZID:Europe/Moscow
X-TZINFO:Europe/Moscow[2024a]
BEGIN:STANDARD
TZOFFSETTO:+030000
TZOFFSETFROM:+040000
TZNAME:MSK
DTSTART:20141026T020000
RDATE:20141026T020000
END:STANDARD
END:VTIMEZONE"""
    people = f"""ORGANIZER;CN=Anna;SENT-BY="mailto:{ANNA}":mailto:{ANNA}
ATTENDEE;CN=Anna;PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT:mailto:{ANNA}
ATTENDEE;RSVP=TRUE;CUTYPE=RESOURCE;PARTSTAT=NEEDS-ACTION;ROLE=REQ-PARTICIPANT:mailto:{HALL}"""
    calendar = f"""BEGIN:VCALENDAR
PRODID:-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN
VERSION:2.0
METHOD:REQUEST
{zone}
BEGIN:VEVENT
CREATED:{utc(TODAY)}
LAST-MODIFIED:{utc(TODAY)}
DTSTAMP:{utc(TODAY)}
UID:{uid}
SUMMARY:Series
RRULE:FREQ=DAILY;COUNT=3
{people}
DTSTART;TZID=Europe/Moscow:{local(start)}
DURATION:PT1H
SEQUENCE:1
TRANSP:OPAQUE
X-MOZ-SEND-INVITATIONS:TRUE
X-MOZ-GENERATION:2
END:VEVENT
BEGIN:VEVENT
DTSTAMP:{utc(TODAY)}
UID:{uid}
SUMMARY:Series\\, later
RECURRENCE-ID;TZID=Europe/Moscow:{local(start + datetime.timedelta(days=1))}
{people}
DTSTART;TZID=Europe/Moscow:{local(moved)}
DTEND;TZID=Europe/Moscow:{local(moved + datetime.timedelta(hours=1))}
SEQUENCE:1
END:VEVENT
END:VCALENDAR
"""
    octets = wrapped(calendar)
    send(f"""From: Anna <{ANNA}>
To: {HALL}
Subject: Series
MIME-Version: 1.0
Content-type: multipart/mixed; boundary="Boundary_(ID_qyG4)"

--Boundary_(ID_qyG4)
Content-type: multipart/alternative; boundary="Boundary_(ID_PQi)"

--Boundary_(ID_PQi)
Content-type: text/plain; charset=UTF-8
Content-transfer-encoding: base64

{base(b"Anna has invited you")}
--Boundary_(ID_PQi)
Content-type: text/calendar; method=REQUEST; charset=UTF-8
Content-transfer-encoding: base64

{base(octets)}
--Boundary_(ID_PQi)--
--Boundary_(ID_qyG4)
Content-type: application/ics; name=invite.ics
Content-transfer-encoding: base64
Content-disposition: attachment; filename=invite.ics

{base(octets)}
--Boundary_(ID_qyG4)--
""")
    events = answered(uid, ["ACCEPTED", "ACCEPTED"])
    assert "RECURRENCE-ID" not in events[0] and events[1]["RECURRENCE-ID"].dt.replace(tzinfo=None) == (start + datetime.timedelta(days=1)).replace(tzinfo=None)
    assert events[0]["ATTENDEE"].params["CUTYPE"] == "RESOURCE"
    # what was left of the second day is free, what it was moved to is not: Moscow is three hours ahead
    for hours, part in ((24 - 3, "ACCEPTED"), (24 + 3 - 3, "DECLINED")):
        other = uuid.uuid4().hex
        send(plain(google_event(other, start + datetime.timedelta(hours=hours))))
        answered(other, [part])


def old_charset():
    """A calendar in a character set of old, with bare line feeds, its method told by the type alone."""
    uid = str(uuid.uuid4())
    calendar = google_event(uid, day(40).replace(hour=9)).replace("METHOD:REQUEST\n", "")
    raw = f"""From: {ANNA}
To: {HALL}
Subject: x
MIME-Version: 1.0
Content-Type: text/calendar; charset=windows-1251; method=request
Content-Transfer-Encoding: base64

{base64.encodebytes(calendar.encode("cp1251")).decode()}"""
    send(raw)
    [event] = answered(uid, ["ACCEPTED"])
    assert event["SUMMARY"] == "Планёрка", event["SUMMARY"]


def alias():
    """Invited by another name: the answer comes from the attendee whom the organizer knows."""
    uid, other = str(uuid.uuid4()), os.environ["ALIAS"]
    send(plain(google_event(uid, day(41).replace(hour=9)).replace(f"mailto:{HALL}", f"mailto:{other}")))
    answered(uid, ["ACCEPTED"], attendee=other)


def attached_letter():
    """An invitation to others that stands in a letter which is passed on asks nothing."""
    inner = plain(google_event(str(uuid.uuid4()), day(42).replace(hour=9)))
    try:
        send(f"""From: {ANNA}
To: {HALL}
Subject: Fwd
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

Look.
--b
Content-Type: message/rfc822

{inner}
--b--
""")
    except smtplib.SMTPDataError as refused:
        assert refused.smtp_code == 550, refused
    else:
        raise AssertionError("it was taken")


globals()[sys.argv[1]]()
