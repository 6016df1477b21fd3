// A passkey in a real browser with a virtual authenticator (WebAuthn 11.2): node passkey.mjs URL ADDRESS PASSWORD
import { chromium } from 'playwright-core';

const [site, address, password] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  const context = await browser.newContext({ bypassCSP: true }); // the pages of the server let no foreign script run
  const page = await context.newPage();
  const tools = await context.newCDPSession(page);
  await tools.send('WebAuthn.enable');
  const authenticator = verified => tools.send('WebAuthn.addVirtualAuthenticator', { options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: verified, isUserVerified: verified, automaticPresenceSimulation: true } });
  const { authenticatorId } = await authenticator(true);
  await page.goto(site);
  const run = (deed, ...args) => page.evaluate(deed, args);
  await page.evaluate(() => {
    window.ask = async (method, path, body) => {
      const answer = await fetch('/api/v1/' + path, { method, headers: { 'Content-Type': 'application/json', ...(window.proof ? { 'X-CSRF-Token': window.proof } : {}) }, body: body && JSON.stringify(body) });
      const json = await answer.json();
      if (json.proof) window.proof = json.proof;
      return { status: answer.status, ...json };
    };
    window.make = async path => {
      const asked = await ask('POST', path);
      const made = await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(asked.options) });
      return ask('POST', 'me/passkeys', { id: asked.id, name: 'Chromium', credential: made.toJSON() });
    };
    window.show = async asked => ({ id: asked.id, credential: (await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked.options) })).toJSON() });
  });
  const said = [];
  const say = (what, answer) => said.push(`${what}: ${answer.status} ${answer.address ?? answer.code ?? ''}`.trim());

  say('password', await run(([address, password]) => ask('POST', 'session', { address, password }), address, password));
  say('passkey made', await run(() => make('me/passkeys/options')));
  say('signed out', await run(() => ask('DELETE', 'session')));
  say('passkey alone', await run(async () => ask('POST', 'session/passkey', await show(await ask('POST', 'session/passkey/options')))));
  await run(() => ask('DELETE', 'session'));
  const needs = await run(([address, password]) => ask('POST', 'session', { address, password }), address, password);
  say('password alone', needs);
  say('password and passkey', await run(async ([address, password, asked]) => ask('POST', 'session', { address, password, passkey: await show(asked) }), address, password, needs.passkey));

  // a security key that asks for no PIN: good beside the password only
  await tools.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId });
  await authenticator(false);
  say('key made', await run(() => make('me/passkeys/options?second-factor=true')));
  await run(() => ask('DELETE', 'session'));
  say('key alone', await run(async () => { try { return await ask('POST', 'session/passkey', await show(await ask('POST', 'session/passkey/options'))); } catch (e) { return { status: e.name }; } }));
  const again = await run(([address, password]) => ask('POST', 'session', { address, password }), address, password);
  say('password and key', await run(async ([address, password, asked]) => ask('POST', 'session', { address, password, passkey: await show(asked) }), address, password, again.passkey));
  console.log(said.join('\n'));
} finally {
  await browser.close();
}
