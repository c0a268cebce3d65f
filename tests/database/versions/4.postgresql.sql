CREATE TABLE public.connform_connections (
    connection text NOT NULL,
    file text NOT NULL,
    digest text NOT NULL,
    is_applied integer NOT NULL,
    verdict text NOT NULL,
    fault text NOT NULL,
    latency_ms double precision,
    certificate_expires_at text NOT NULL,
    tried_at text NOT NULL,
    tried_by text NOT NULL,
    spec text NOT NULL,
    latest text NOT NULL
);
CREATE TABLE public.connform_grants (
    connection text NOT NULL,
    token_url text NOT NULL,
    client_id text NOT NULL,
    scopes text NOT NULL,
    obtained_at double precision NOT NULL,
    expires_at double precision,
    is_renewable integer NOT NULL,
    revoke_url text NOT NULL,
    pending_since double precision,
    pending_holder text NOT NULL,
    ended text NOT NULL,
    sealed bytea NOT NULL,
    granted_at double precision
);
CREATE TABLE public.connform_history (
    connection text NOT NULL,
    at double precision NOT NULL,
    attempt text NOT NULL
);
CREATE TABLE public.connform_meta (
    name text NOT NULL,
    value bytea NOT NULL
);
CREATE TABLE public.connform_tokens (
    connection text NOT NULL,
    binding text NOT NULL,
    obtained_at double precision NOT NULL,
    expires_at double precision,
    scopes text NOT NULL,
    sealed bytea NOT NULL
);
CREATE TABLE public.connform_stamps (
    connection text NOT NULL,
    stamp bytea NOT NULL
);
INSERT INTO public.connform_grants VALUES ('customer', 'https://login.acme.example/connect/token', 'acme-portal', 'profile offline_access', 1772366400, 1772370000, 1, 'https://login.acme.example/connect/revocation', NULL, '', '', '\x4e703e19ac55ecddda2922f0304514281122fe25814a2db6e1eb1923d2ffd29f3ad478f97f4a33870962a8423efde8131a10e8d0db58865917edc5e8c66c366d758e31304c66541abcba603d02606604d6', NULL);
INSERT INTO public.connform_meta VALUES ('version', '\x34');
INSERT INTO public.connform_meta VALUES ('key-check', '\xb38baab97cb66024b28ef5028fc62aa696a0f43fb745917a9c516eb1');
INSERT INTO public.connform_stamps VALUES ('customer', '\x3b24faeb22689f7a9e7c674003cacb29');
ALTER TABLE ONLY public.connform_connections
    ADD CONSTRAINT connform_connections_pkey PRIMARY KEY (connection);
ALTER TABLE ONLY public.connform_grants
    ADD CONSTRAINT connform_grants_pkey PRIMARY KEY (connection);
ALTER TABLE ONLY public.connform_history
    ADD CONSTRAINT connform_history_pkey PRIMARY KEY (connection, at);
ALTER TABLE ONLY public.connform_meta
    ADD CONSTRAINT connform_meta_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.connform_stamps
    ADD CONSTRAINT connform_stamps_pkey PRIMARY KEY (connection);
ALTER TABLE ONLY public.connform_tokens
    ADD CONSTRAINT connform_tokens_pkey PRIMARY KEY (connection);
