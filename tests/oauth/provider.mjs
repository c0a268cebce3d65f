// An OAuth server that was not written here: npm's oidc-provider behind TLS, with the paths of iinked Sign, PKCE and rotation.
// Services authenticate by a secret, a signed JWT or a client certificate; the public client may log in by device code.
// argv: certificate, key, seconds that an access token lives. Prints its port. GET /stats counts what it was asked.
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { Provider } from "oidc-provider";

const [certificate, key, lifetime] = process.argv.slice(2);
const secret = process.env.CLIENT_SECRET;
const redirects = JSON.parse(process.env.REDIRECT_URIS);
const loopbacks = JSON.parse(process.env.LOOPBACK_URIS);
const serviceKeys = JSON.parse(process.env.SERVICE_KEYS); // a JWKS
const refreshed = []; // when, in seconds
const counts = { code: 0, refresh: 0, refused: 0, service: 0, unread: 0, revoked: 0, api: 0, rejected: 0 };

const server = createServer({
  cert: readFileSync(certificate),
  key: readFileSync(key),
  ca: readFileSync(process.env.CA_FILE),
  requestCert: true,
  rejectUnauthorized: false,
});
server.listen(0, "127.0.0.1", () => {
  const origin = `https://localhost:${server.address().port}`;
  const client = (id, method) => ({
    client_id: id,
    client_secret: secret,
    redirect_uris: redirects,
    grant_types: ["authorization_code", "refresh_token"],
    token_endpoint_auth_method: method,
  });
  const cli = {
    client_id: "acme-cli",
    redirect_uris: loopbacks,
    grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
    token_endpoint_auth_method: "none",
    application_type: "native",
  };
  const service = (id, method, more) => ({
    client_id: id,
    grant_types: ["client_credentials"],
    redirect_uris: [],
    response_types: [],
    token_endpoint_auth_method: method,
    ...more,
  });
  const services = [
    service("service-basic", "client_secret_basic", { client_secret: secret }),
    service("service-body", "client_secret_post", { client_secret: secret }),
    service("service-key", "private_key_jwt", { jwks: serviceKeys, token_endpoint_auth_signing_alg: "ES256" }),
    service("service-certificate", "tls_client_auth", { tls_client_auth_san_dns: "service.example.test" }),
  ];
  const provider = new Provider(origin, {
    clients: [client("acme-basic", "client_secret_basic"), client("acme-body", "client_secret_post"), cli, ...services],
    clientAuthMethods: ["none", "client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth"],
    cookies: { keys: ["synthetic"] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: true },
      deviceFlow: { enabled: true },
      mTLS: {
        enabled: true,
        tlsClientAuth: true,
        getCertificate: (ctx) => ctx.socket.getPeerX509Certificate(),
        certificateAuthorized: (ctx) => ctx.socket.authorized,
        certificateSubjectMatches: (ctx, _, name) => Boolean(ctx.socket.getPeerX509Certificate().checkHost(name)),
      },
      revocation: { enabled: true },
    },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    routes: { authorization: "/connect/authorize", token: "/connect/token", revocation: "/connect/revocation" },
    scopes: ["profile", "offline_access", "organization"],
    ttl: { AccessToken: Number(lifetime), ClientCredentials: Number(lifetime), DeviceCode: 600, Grant: 3600, Session: 3600, Interaction: 600, RefreshToken: 3600 },
  });
  provider.on("grant.success", (ctx) => {
    if (ctx.oidc.params.grant_type === "client_credentials") return (counts.service += 1);
    const isRefresh = ctx.oidc.params.grant_type === "refresh_token";
    counts[isRefresh ? "refresh" : "code"] += 1;
    if (isRefresh) refreshed.push(Date.now() / 1000);
  });
  provider.on("grant.error", (_, { error }) => {
    if (error === "authorization_pending") return;
    counts[error === "invalid_grant" ? "refused" : "unread"] += 1; // unread: whoever asked went away in the middle
  });
  provider.on("grant.revoked", () => (counts.revoked += 1));
  const oauth = provider.callback();
  server.on("request", async (request, response) => {
    const answer = (status, content) => {
      response.writeHead(status, { "Content-Type": "application/json" });
      response.end(JSON.stringify(content));
    };
    if (request.url === "/stats") return answer(200, counts);
    if (request.url === "/refreshed") return answer(200, refreshed);
    if (!request.url.startsWith("/api/v1/")) return oauth(request, response);
    const given = (request.headers.authorization ?? "").replace(/^Bearer /, "");
    const token = (await provider.AccessToken.find(given)) ?? (await provider.ClientCredentials.find(given));
    counts[token?.isValid ? "api" : "rejected"] += 1;
    request.resume();
    return token?.isValid
      ? answer(200, { items: [], total: 0, take: 1, skip: 0 })
      : answer(401, { error: "user_not_authenticated", message: "The credential is not valid." });
  });
  process.stdout.write(`${server.address().port}\n`);
});
