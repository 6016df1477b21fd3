// An issuer of OpenID Connect (npm's oidc-provider) on loopback: node issuer.mjs PORT CALLBACK PEOPLE. PEOPLE is a file, read each time: {login: claims}.
import fs from 'node:fs';
import Provider from 'oidc-provider';

const [port, callback, people] = process.argv.slice(2);
const claimsOf = id => JSON.parse(fs.readFileSync(people, 'utf8'))[id];
const mail = { audience: 'cbamail', scope: 'mail', accessTokenFormat: 'jwt', accessTokenTTL: 3600 };
const resources = {
  'urn:mail': mail,
  'urn:mail:opaque': { ...mail, accessTokenFormat: 'opaque' },
  'urn:mail:brief': { ...mail, accessTokenTTL: 2 },
  'urn:files': { ...mail, audience: 'files' },
};

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    { client_id: 'cba mail', client_secret: 'a secret: 100%', redirect_uris: [callback], grant_types: ['authorization_code'], response_types: ['code'] },
    { client_id: 'thunder', application_type: 'native', token_endpoint_auth_method: 'none', redirect_uris: ['http://127.0.0.1/back'], grant_types: ['authorization_code'], response_types: ['code'] },
  ],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
  scopes: ['openid', 'email', 'profile', 'groups', 'mail'],
  findAccount: (_, id) => claimsOf(id) && { accountId: id, claims: () => ({ sub: id, ...claimsOf(id) }) },
  extraTokenClaims: (_, token) => { const { email, email_verified, name } = claimsOf(token.accountId) ?? {}; return { email, email_verified, name }; },
  pkce: { required: () => true },
  features: {
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true, allowedPolicy: () => true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, indicator) => resources[indicator],
    },
  },
});
provider.listen(Number(port), '127.0.0.1');
