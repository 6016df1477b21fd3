// imapflow and nodemailer with a token of an issuer. Ports, people and the token come from the environment.
import { ImapFlow } from 'imapflow';
import nodemailer from 'nodemailer';

const { ANNA, BORIS, TOKEN, IMAP, SUBMISSION } = process.env;

const imap = new ImapFlow({ host: '127.0.0.1', port: Number(IMAP), secure: false, doSTARTTLS: false, auth: { user: ANNA, accessToken: TOKEN }, logger: false });
await imap.connect();
await imap.mailboxOpen('INBOX');
await imap.logout();

const smtp = nodemailer.createTransport({ host: '127.0.0.1', port: Number(SUBMISSION), ignoreTLS: true, auth: { type: 'OAuth2', user: ANNA, accessToken: TOKEN } });
await smtp.sendMail({ from: ANNA, to: BORIS, subject: 'by a token', text: 'Hello' });
smtp.close();
