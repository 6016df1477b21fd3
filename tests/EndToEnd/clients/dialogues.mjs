// Dialogues with imapflow and nodemailer: node dialogues.mjs NAME. Ports and accounts come from the environment.
import assert from 'node:assert/strict';
import { ImapFlow } from 'imapflow';
import nodemailer from 'nodemailer';

const { ANNA, BORIS, PASSWORD } = process.env;
const port = name => Number(process.env[name]);
const tls = { rejectUnauthorized: false };

async function imap(user = ANNA, secure = false) {
  const client = new ImapFlow({ host: '127.0.0.1', port: port(secure ? 'IMAPS' : 'IMAP'), secure, tls, auth: { user, pass: PASSWORD }, logger: false });
  await client.connect();
  return client;
}

function letter(subject) {
  return nodemailer.createTransport({ streamTransport: true, buffer: true, newline: 'windows' }).sendMail({
    from: `Анна <${ANNA}>`, to: BORIS, subject, text: 'Простой текст', html: '<p>Красивый <b>текст</b></p>',
    attachments: [{ filename: 'учебный план.pdf', content: Buffer.alloc(5000, 7), contentType: 'application/pdf' }],
  }).then(made => made.message);
}

const dialogues = {
  async imapflow_lists_and_makes_mailboxes() {
    const client = await imap(ANNA, true);
    const uses = new Map((await client.list({ statusQuery: { messages: true } })).map(box => [box.specialUse, box.path]));
    for (const use of ['\\Sent', '\\Drafts', '\\Trash', '\\Junk', '\\Archive']) assert.ok(uses.has(use), `no ${use}`);
    await client.mailboxCreate('Курсы/Весна');
    assert.ok((await client.list()).some(box => box.path === 'Курсы/Весна'));
    await client.mailboxRename('Курсы/Весна', 'Курсы/Осень');
    await client.mailboxSubscribe('Курсы/Осень');
    assert.ok((await client.list()).some(box => box.path === 'Курсы/Осень' && box.subscribed));
    await client.mailboxDelete('Курсы/Осень');
    await client.logout();
  },

  async imapflow_appends_fetches_downloads() {
    const client = await imap();
    await client.mailboxCreate('flow');
    const source = await letter('Письмо для imapflow');
    const put = await client.append('flow', source, ['\\Seen', 'важное'.length ? '$Important' : ''], new Date('2026-01-02T03:04:05Z'));
    assert.ok(put.uid > 0 && put.uidValidity > 0n);
    const lock = await client.getMailboxLock('flow');
    try {
      const got = await client.fetchOne(put.uid, { envelope: true, bodyStructure: true, flags: true, internalDate: true, size: true, source: true, headers: ['subject'] }, { uid: true });
      assert.equal(got.envelope.subject, 'Письмо для imapflow');
      assert.equal(got.envelope.from[0].name, 'Анна');
      assert.equal(got.envelope.to[0].address, BORIS);
      assert.deepEqual(got.source, source);
      assert.equal(got.size, source.length);
      assert.ok(got.flags.has('\\Seen') && got.flags.has('$Important'));
      assert.equal(got.internalDate.toISOString(), '2026-01-02T03:04:05.000Z');
      assert.equal(got.bodyStructure.type, 'multipart/mixed');
      const attachment = got.bodyStructure.childNodes.find(part => part.disposition === 'attachment');
      assert.equal(attachment.dispositionParameters.filename, 'учебный план.pdf');
      const { content } = await client.download(put.uid, attachment.part, { uid: true });
      const chunks = [];
      for await (const chunk of content) chunks.push(chunk);
      assert.deepEqual(Buffer.concat(chunks), Buffer.alloc(5000, 7));
    } finally { lock.release(); }
    await client.mailboxDelete('flow');
    await client.logout();
  },

  async imapflow_searches_flags_copies_moves() {
    const client = await imap();
    for (const box of ['from here', 'to there']) await client.mailboxCreate(box);
    for (let i = 0; i < 5; i++) await client.append('from here', await letter(`Тема ${i}`), []);
    const lock = await client.getMailboxLock('from here');
    try {
      assert.deepEqual(await client.search({ subject: 'Тема 3' }), [4]);
      assert.equal((await client.search({ seen: false })).length, 5);
      assert.ok(await client.messageFlagsAdd('1:2', ['\\Flagged', 'kurs']));
      assert.deepEqual(await client.search({ flagged: true, keyword: 'kurs' }), [1, 2]);
      assert.ok(await client.messageFlagsRemove('1', ['\\Flagged']));
      const copied = await client.messageCopy('1:2', 'to there');
      assert.equal(copied.uidMap.size, 2);
      const moved = await client.messageMove('3', 'to there');
      assert.equal(moved.uidMap.size, 1);
      assert.ok(await client.messageDelete('1'));
      assert.equal(client.mailbox.exists, 3);
    } finally { lock.release(); }
    assert.equal((await client.status('to there', { messages: true, unseen: true, uidNext: true, highestModseq: true })).messages, 3);
    for (const box of ['from here', 'to there']) await client.mailboxDelete(box);
    await client.logout();
  },

  async imapflow_compresses() {
    for (const disableCompression of [false, true]) {
      const client = new ImapFlow({ host: '127.0.0.1', port: port('IMAPS'), secure: true, tls, auth: { user: ANNA, pass: PASSWORD }, logger: false, disableCompression });
      await client.connect();
      assert.equal(!!client._inflate, !disableCompression, 'imapflow compresses by itself where the server can');
      const path = 'flow-compressed-' + disableCompression;
      await client.mailboxCreate(path);
      const text = 'From: a@example.test\r\nSubject: z\r\n\r\n' + 'Строка за строкой.\r\n'.repeat(20000);
      for (let i = 0; i < 5; i++) await client.append(path, text);
      await client.mailboxOpen(path);
      for await (const message of client.fetch('1:*', { source: true })) assert.equal(message.source.toString(), text);
      const idle = client.idle();
      await client.noop();
      await idle;
      await client.mailboxClose();
      await client.mailboxDelete(path);
      await client.logout();
    }
  },

  async imapflow_idles() {
    const client = await imap(BORIS);
    await client.mailboxOpen('INBOX');
    const count = client.mailbox.exists;
    const woken = new Promise((resolve, reject) => {
      client.on('exists', resolve);
      setTimeout(() => reject(new Error('no EXISTS within 60 s')), 60000).unref();
    });
    const idle = client.idle();
    await dialogues.nodemailer_sends();
    assert.equal((await woken).prevCount, count);
    await client.noop();
    await idle;
    await client.logout();
  },

  async nodemailer_sends() {
    for (const options of [{ port: port('SUBMISSION'), secure: false, requireTLS: true }, { port: port('SUBMISSIONS'), secure: true }]) {
      const transport = nodemailer.createTransport({ host: '127.0.0.1', tls, auth: { user: ANNA, pass: PASSWORD }, ...options });
      assert.ok(await transport.verify());
      const sent = await transport.sendMail({ from: ANNA, to: [BORIS, ANNA], subject: 'Проверка nodemailer', text: 'x\n.\ny', dsn: { return: 'headers', notify: ['failure'], recipient: ANNA } });
      assert.deepEqual(sent.accepted, [BORIS, ANNA]);
      transport.close();
    }
  },

  async nodemailer_pools() {
    const transport = nodemailer.createTransport({ pool: true, maxConnections: 3, host: '127.0.0.1', port: port('SUBMISSIONS'), secure: true, tls, auth: { user: ANNA, pass: PASSWORD } });
    const sent = await Promise.all(Array.from({ length: 30 }, (_, i) => transport.sendMail({ from: ANNA, to: BORIS, subject: `pool ${i}`, text: 'x' })));
    assert.equal(sent.length, 30);
    transport.close();
  },

  async nodemailer_is_told_of_a_wrong_password() {
    const transport = nodemailer.createTransport({ host: '127.0.0.1', port: port('SUBMISSIONS'), secure: true, tls, auth: { user: ANNA, pass: 'wrong' } });
    await assert.rejects(transport.verify(), error => error.code === 'EAUTH' && error.responseCode === 535);
    transport.close();
  },
};

await dialogues[process.argv[2]]();
process.exit(0);
