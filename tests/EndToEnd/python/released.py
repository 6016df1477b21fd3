"""Data of a released version.

  released.py make PROGRAM NAME     runs that release's program and writes NAME.tgz (a data directory as kill -9 leaves it) and NAME.json
                                    (what its mailboxes held) into tests/Vectors/released: once, before a release goes out
  released.py check JSON IMAP PORT  compares a running server with what the file says; prints the differences, exit 1 if there are any
"""
import base64, hashlib, imaplib, json, os, random, re, shutil, smtplib, subprocess, sys, tarfile, tempfile, time

USERS = ('anna', 'boris', 'many', 'office')
HOST = '127.0.0.1'


def dump(imap_port):
    out = {}
    for who in USERS:
        m = imaplib.IMAP4(HOST, imap_port)
        m.login(who + '@school.test', 'secret-' + who)
        boxes = {}
        for line in m.list()[1]:
            name = line.decode().split(' "/" ', 1)[1]
            assert m.select(name, readonly=True)[0] == 'OK', name
            validity = m.response('UIDVALIDITY')[1][0].decode()
            rows = {}
            for item in m.uid('FETCH', '1:*', '(UID FLAGS INTERNALDATE BODY.PEEK[])')[1]:
                if not isinstance(item, tuple):
                    continue
                head = item[0].decode()
                flags = sorted(f for f in re.search(r'FLAGS \(([^)]*)\)', head).group(1).split() if f != '\\Recent')
                rows[re.search(r'UID (\d+)', head).group(1)] = {
                    'flags': ' '.join(flags), 'date': re.search(r'INTERNALDATE "([^"]*)"', head).group(1), 'sha256': hashlib.sha256(item[1]).hexdigest()}
            boxes[name.strip('"')] = {'uidvalidity': validity, 'messages': rows}
            m.close()
        boxes['~subscribed'] = sorted(line.decode().split(' "/" ', 1)[1] for line in m.lsub()[1] if line)
        out[who] = boxes
        m.logout()
    return out


def check(file, imap_port):
    """What was there is there, byte for byte; more may have come (mail that waited in the queue may have come back)."""
    wanted, found, wrong = json.load(open(file)), dump(imap_port), []
    for who in USERS:
        for name, box in wanted[who].items():
            have = found[who].get(name)
            if name.startswith('~') or have is None:
                if have != box:
                    wrong.append(f'{who} {name}: {have} instead of {box}')
                continue
            if have['uidvalidity'] != box['uidvalidity']:
                wrong.append(f'{who} {name}: UIDVALIDITY {have["uidvalidity"]} instead of {box["uidvalidity"]}')
            for uid, row in box['messages'].items():
                if have['messages'].get(uid) != row:
                    wrong.append(f'{who} {name} {uid}: {have["messages"].get(uid)} instead of {row}')
            late = [u for u in have['messages'] if u not in box['messages'] and int(u) <= max(map(int, box['messages']), default=0)]
            if late:
                wrong.append(f'{who} {name}: {late} were not there before')
    print('\n'.join(wrong) or f'{sum(len(b["messages"]) for w in USERS for n, b in wanted[w].items() if n[0] != "~")} messages are as they were')
    return 1 if wrong else 0


def letter(rnd, i, size, attachment=None, sender=None):
    words = ' '.join(rnd.choice(['урок', 'лекция', 'course', 'homework', 'письмо', 'привет']) for _ in range(size // 8))
    body = '\r\n'.join(words[k:k + 60] for k in range(0, len(words), 60))
    head = (f'From: {sender or f"s{i}@elsewhere.test"}\r\nTo: anna@school.test\r\nSubject: Message number {i}\r\n'
            f'Date: Mon, 2 Nov 2026 10:00:{i % 60:02d} +0300\r\nMessage-ID: <fix{i}@elsewhere.test>\r\nMIME-Version: 1.0\r\n')
    text = 'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n' + body + '\r\n'
    if attachment is None:
        return (head + text).encode()
    return (head + 'Content-Type: multipart/mixed; boundary=b1\r\n\r\n--b1\r\n' + text +
            '--b1\r\nContent-Type: application/octet-stream; name=a.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n').encode() + attachment + b'--b1--\r\n'


def make(program, name):
    work = tempfile.mkdtemp()
    data, config = work + '/data', work + '/cbamail.yaml'
    open(config, 'w').write('storage:\n  pack-bytes: 40000\n  pack-ahead-bytes: 4096\n')
    offset = 20000 + random.randrange(2000)
    imap = 143 + offset
    server = subprocess.Popen([program, 'serve', '--evaluation', '--config', config, '--data', data, '--port-offset', str(offset)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def cli(*verb, text=b''):
        return subprocess.run([program, *verb, '--data', data], input=text, capture_output=True, check=True).stdout.decode()

    for _ in range(300):
        try:
            imaplib.IMAP4(HOST, imap).logout()
            break
        except OSError:
            time.sleep(.1)
    cli('domain', 'add', 'school.test')
    for user, full in (('anna', 'Анна Петрова'), ('boris', 'Boris'), ('many', 'Все'), ('office', 'Office')):
        cli('account', 'add', user + '@school.test', '--name', full, '--password-stdin', '--quota', '50M', text=f'secret-{user}\n'.encode())
    cli('alias', 'add', 'all@school.test', 'anna@school.test')

    rnd = random.Random(1)
    attachment = base64.encodebytes(random.Random(2).randbytes(40000)).replace(b'\n', b'\r\n')
    s = smtplib.SMTP(HOST, 25 + offset)
    for i in range(30):
        to = [u + '@school.test' for u in ('anna', 'boris', 'many')] if i % 3 == 0 else ['anna@school.test']
        s.sendmail(f's{i}@elsewhere.test', to, letter(rnd, i, rnd.choice([200, 2000, 20000]), attachment if i % 7 == 0 else None), mail_options=['BODY=8BITMIME'])
    s.quit()
    m = imaplib.IMAP4(HOST, imap)
    m.login('anna@school.test', 'secret-anna')
    for box in ('Projects', 'Projects/&BBoEQwRABEE-', 'Gone'):
        m.create(box)
    m.subscribe('Projects')
    m.subscribe('Gone')
    m.delete('Gone')
    m.select('INBOX')
    m.store('1:10', '+FLAGS', '(\\Seen)')
    m.store('3,5', '+FLAGS', '(\\Flagged $Forwarded urok)')
    m.copy('1:8', 'Projects')
    m.store('2,4,6', '+FLAGS', '(\\Deleted)')
    m.expunge()
    m.uid('MOVE', '7:9', '"Projects/&BBoEQwRABEE-"')
    m.append('Drafts', '(\\Draft)', None, letter(rnd, 99, 500))
    m.logout()
    s = smtplib.SMTP(HOST, 587 + offset)
    s.login('boris@school.test', 'secret-boris')
    for i in range(3):
        s.sendmail('boris@school.test', [f'x{i}@nowhere.test'], letter(rnd, 200 + i, 300, sender='boris@school.test'), mail_options=['BODY=8BITMIME'])
    s.quit()

    open(work + '/p.csv', 'w').write('address,name,group\nanna@school.test,Анна,A\nboris@school.test,Борис,B\nmany@school.test,Все,A\n')
    open(work + '/t.html', 'w').write('<p>Здравствуйте, {{name}}! Group {{group}}</p>' + '<p>текст</p>' * 100)
    course = cli('course', 'add', 'Курс', '--domain', 'school.test', '--language', 'ru').split()[-1]
    cli('course', 'import', course, work + '/p.csv')
    mailing = cli('mailing', 'create', course, '--from', 'office@school.test', '--subject', 'Привет, {{name}}', '--html', work + '/t.html').split()[-1]
    cli('mailing', 'send', mailing, '--wait')

    contents = dump(imap)
    m = imaplib.IMAP4(HOST, imap)
    m.login('many@school.test', 'secret-many')
    last = letter(rnd, 300, 400)
    answer = m.append('INBOX', '(\\Answered)', '" 5-Nov-2026 10:00:00 +0000"', last)[1][0]
    server.kill()  # the log has not been moved
    server.wait()
    contents['many']['INBOX']['messages'][re.search(rb'APPENDUID \d+ (\d+)', answer).group(1).decode()] = {
        'flags': '\\Answered', 'date': ' 5-Nov-2026 10:00:00 +0000', 'sha256': hashlib.sha256(last).hexdigest()}
    target = os.path.join(os.path.dirname(__file__), '../../Vectors/released/', name)
    json.dump(contents, open(target + '.json', 'w'), ensure_ascii=False, indent=1, sort_keys=True)
    with tarfile.open(target + '.tgz', 'w:gz') as tar:
        for root, folders, files in os.walk(data):
            for file in files:
                path = os.path.relpath(os.path.join(root, file), data)
                if not path.startswith('tls') and not file.endswith('.sock') and not file.endswith('-shm'):
                    tar.add(os.path.join(root, file), path)
    shutil.rmtree(work)


if __name__ == '__main__':
    if sys.argv[1] == 'make':
        make(sys.argv[2], sys.argv[3])
    else:
        sys.exit(check(sys.argv[2], int(sys.argv[3])))
