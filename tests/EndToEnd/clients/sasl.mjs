// SCRAM (RFC 5802, RFC 7677) written from the RFCs with Node's own crypto: node sasl.mjs NAME. Ports and accounts come from the environment.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import net from 'node:net';
import tls from 'node:tls';

const { ANNA, PASSWORD } = process.env;
const b64 = text => Buffer.from(text).toString('base64');

class Lines {
  constructor(socket) {
    this.socket = socket; this.buffer = ''; this.waiting = []; this.ended = false;
    socket.setEncoding('latin1');
    socket.on('data', data => { this.buffer += data; this.wake(); });
    for (const event of ['end', 'error', 'close']) socket.on(event, () => { this.ended = true; this.wake(); });
  }
  wake() { for (const one of this.waiting.splice(0)) one(); }
  async line() {
    while (!this.buffer.includes('\r\n')) {
      if (this.ended) throw new Error('closed');
      await new Promise(done => this.waiting.push(done));
    }
    const end = this.buffer.indexOf('\r\n'), line = this.buffer.slice(0, end);
    this.buffer = this.buffer.slice(end + 2);
    return line;
  }
  say(text) { this.socket.write(text + '\r\n'); }
}

async function connect(name, version) {
  const port = Number(process.env[name]), secure = /S$/.test(name);
  const options = { host: '127.0.0.1', port, rejectUnauthorized: false, ...(version ? { minVersion: version, maxVersion: version } : {}) };
  const socket = secure ? tls.connect(options) : net.connect(options);
  await new Promise((done, fail) => { socket.once(secure ? 'secureConnect' : 'connect', done); socket.once('error', fail); });
  return new Lines(socket);
}

// RFC 5929 4.1, RFC 9266 2
function binding(socket, type) {
  if (type === 'tls-exporter') return socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
  return crypto.createHash('sha256').update(socket.getPeerX509Certificate().raw).digest();
}

function client(mechanism, { user = ANNA, password = PASSWORD, flag, socket }) {
  const hash = /SHA-256/.test(mechanism) ? 'sha256' : 'sha1', size = hash === 'sha1' ? 20 : 32;
  const hmac = (key, text) => crypto.createHmac(hash, key).update(text).digest();
  flag ??= 'n';
  const header = `${flag},,`, cbind = flag.startsWith('p=') ? binding(socket, flag.slice(2)) : Buffer.alloc(0);
  const nonce = crypto.randomBytes(18).toString('base64'), bare = `n=${user.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`;
  let signature;
  return {
    first: header + bare,
    final(serverFirst) {
      const [r, s, i] = serverFirst.split(',').map(field => field.slice(2));
      assert.ok(r.startsWith(nonce) && r.length > nonce.length);
      assert.ok(Number(i) >= 4096);
      const salted = crypto.pbkdf2Sync(password.normalize('NFKC'), Buffer.from(s, 'base64'), Number(i), size, hash);
      const key = hmac(salted, 'Client Key'), stored = crypto.createHash(hash).update(key).digest();
      const without = `c=${Buffer.concat([Buffer.from(header), cbind]).toString('base64')},r=${r}`;
      const message = `${bare},${serverFirst},${without}`;
      const proof = hmac(stored, message).map((byte, at) => byte ^ key[at]);
      signature = 'v=' + hmac(hmac(salted, 'Server Key'), message).toString('base64');
      return `${without},p=${Buffer.from(proof).toString('base64')}`;
    },
    check(serverFinal) { assert.equal(serverFinal, signature); },
  };
}

async function imap(port, mechanism, { flag, password, user, version, initial = true } = {}) {
  const lines = await connect(port, version);
  const greeting = await lines.line();
  const scram = client(mechanism, { flag, password, user, socket: lines.socket });
  const asked = async () => { const line = await lines.line(); assert.match(line, /^\+ /, line); return Buffer.from(line.slice(2), 'base64').toString(); };
  if (initial) lines.say(`a AUTHENTICATE ${mechanism} ${b64(scram.first)}`);
  else {
    lines.say(`a AUTHENTICATE ${mechanism}`);
    assert.equal(await asked(), '');
    lines.say(b64(scram.first));
  }
  const next = await lines.line();
  if (!next.startsWith('+ ')) { lines.socket.destroy(); return { greeting, answer: next }; }
  lines.say(b64(scram.final(Buffer.from(next.slice(2), 'base64').toString())));
  const final = await lines.line();
  if (!final.startsWith('+ ')) { lines.socket.destroy(); return { greeting, answer: final }; }
  scram.check(Buffer.from(final.slice(2), 'base64').toString());
  lines.say('');
  const answer = await lines.line();
  lines.say('b LOGOUT');
  lines.socket.end();
  return { greeting, answer };
}

async function smtp(port, mechanism, options = {}) {
  const lines = await connect(port, options.version);
  await lines.line();
  lines.say('EHLO client.example.org');
  let hello = '', line;
  do { line = await lines.line(); hello += line + '\n'; } while (line[3] === '-');
  const scram = client(mechanism, { ...options, socket: lines.socket });
  lines.say(`AUTH ${mechanism} ${b64(scram.first)}`);
  const first = await lines.line();
  if (!first.startsWith('334 ')) return { hello, answer: first };
  lines.say(b64(scram.final(Buffer.from(first.slice(4), 'base64').toString())));
  const final = await lines.line();
  if (!final.startsWith('334 ')) return { hello, answer: final };
  scram.check(Buffer.from(final.slice(4), 'base64').toString());
  lines.say('');
  const answer = await lines.line();
  lines.socket.end();
  return { hello, answer };
}

const dialogues = {
  async imap_scram_in_clear_text() {
    for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-1'])
      for (const initial of [true, false]) {
        const { greeting, answer } = await imap('IMAP', mechanism, { initial });
        assert.match(answer, /^a OK \[CAPABILITY /);
        assert.match(greeting, new RegExp(` AUTH=${mechanism}[ \\]]`));
        assert.doesNotMatch(greeting, /-PLUS/); // no TLS, no channel
      }
  },

  async imap_scram_plus_by_every_binding_and_version() {
    for (const [version, type] of [['TLSv1.3', 'tls-exporter'], ['TLSv1.3', 'tls-server-end-point'], ['TLSv1.2', 'tls-server-end-point']])
      for (const mechanism of ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1-PLUS']) {
        const { greeting, answer } = await imap('IMAPS', mechanism, { version, flag: `p=${type}` });
        assert.match(greeting, new RegExp(` AUTH=${mechanism}[ \\]]`));
        assert.match(answer, /^a OK /, `${version} ${type} ${mechanism}: ${answer}`);
      }
  },

  async imap_scram_refuses_a_downgrade() {
    assert.match((await imap('IMAPS', 'SCRAM-SHA-256', { flag: 'y' })).answer, /^a NO \[AUTHENTICATIONFAILED\]/);
    assert.match((await imap('IMAPS', 'SCRAM-SHA-256', { flag: 'n' })).answer, /^a OK /);
    assert.match((await imap('IMAP', 'SCRAM-SHA-256', { flag: 'y' })).answer, /^a OK /);
    assert.match((await imap('IMAP', 'SCRAM-SHA-256-PLUS', { flag: 'n' })).answer, /^a NO \[CANNOT\]/);
  },

  async imap_scram_wrong_password_and_nobody() {
    assert.match((await imap('IMAP', 'SCRAM-SHA-256', { password: 'wrong' })).answer, /^a NO \[AUTHENTICATIONFAILED\]/);
    assert.match((await imap('IMAP', 'SCRAM-SHA-256', { user: 'nobody@example.test' })).answer, /^a NO \[AUTHENTICATIONFAILED\]/);
    assert.match((await imap('IMAP', 'SCRAM-SHA-1', { user: 'no address, at all = none' })).answer, /^a NO \[AUTHENTICATIONFAILED\]/);
  },

  async smtp_scram() {
    for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-1']) {
      const { hello, answer } = await smtp('SUBMISSION', mechanism);
      assert.match(hello, new RegExp(`AUTH .*${mechanism}`));
      assert.match(answer, /^235 2\.7\.0/);
    }
    assert.match((await smtp('SUBMISSIONS', 'SCRAM-SHA-256-PLUS', { flag: 'p=tls-exporter' })).answer, /^235 /);
    assert.match((await smtp('SUBMISSIONS', 'SCRAM-SHA-256-PLUS', { flag: 'p=tls-server-end-point', password: 'wrong' })).answer, /^535 5\.7\.8/);
    assert.match((await smtp('SUBMISSIONS', 'SCRAM-SHA-256', { flag: 'y' })).answer, /^535 5\.7\.8/);
  },
};

await dialogues[process.argv[2]]();
process.exit(0);
