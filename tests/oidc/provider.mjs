// A certified OpenID provider on loopback for the tests of operators' sign-in: node provider.mjs PORT CONSOLE
// Whoever signs in is who they say; the groups of an account are what its name says: "ada+gate-admins" is in gate-admins.
import Provider from 'oidc-provider';

const [port, home] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const audience = 'https://yett.example/api';

const groups = (login) => login.split('+').slice(1);

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'console', client_secret: 'a+secret/of:the%console', redirect_uris: [`${home}/console/callback`],
      post_logout_redirect_uris: [`${home}/console/signed-out`],
    },
    {
      client_id: 'public', token_endpoint_auth_method: 'none', redirect_uris: [`${home}/console/callback`],
      post_logout_redirect_uris: [`${home}/console/signed-out`],
    },
    { client_id: 'other', client_secret: 'another-secret', redirect_uris: [`${home}/console/callback`] },
    {
      client_id: 'robot', client_secret: 'robot-secret', grant_types: ['client_credentials'], redirect_uris: [],
      response_types: [],
    },
  ],
  pkce: { required: () => true },
  conformIdTokenClaims: false,
  claims: { openid: ['sub', 'groups'], email: ['email'], profile: ['name'] },
  cookies: { keys: ['of the tests'] },
  ttl: { Session: 600, Grant: 600, Interaction: 600, AccessToken: 600, IdToken: 600, ClientCredentials: 600 },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, name: `Name of ${id.split('+')[0]}`, email: `${id.split('+')[0]}@acme.example`, groups: groups(id) }),
  }),
  extraTokenClaims: (_, token) => (token.kind === 'ClientCredentials' ? { sub: 'robot', groups: ['gate-operators'] } : undefined),
  loadExistingGrant: async (context) => {
    const { oidc } = context;
    const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope('openid email profile');
    await grant.save();
    return grant;
  },
  features: {
    devInteractions: { enabled: true },
    clientCredentials: { enabled: true },
    rpInitiatedLogout: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      getResourceServerInfo: (_, resource) => ({
        scope: '', audience: resource, accessTokenTTL: 600, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
});

provider.listen(Number(port), '127.0.0.1', () => console.log(`ready: ${issuer}, ${audience}`));
