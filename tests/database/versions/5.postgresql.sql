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
    granted_at double precision,
    account text,
    refresh_ends_at double precision
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
CREATE TABLE public.connform_stamps (
    connection text NOT NULL,
    stamp bytea NOT NULL
);
CREATE TABLE public.connform_tokens (
    connection text NOT NULL,
    binding text NOT NULL,
    obtained_at double precision NOT NULL,
    expires_at double precision,
    scopes text NOT NULL,
    sealed bytea NOT NULL
);
INSERT INTO public.connform_grants VALUES ('customer', 'https://login.acme.example/connect/token', 'acme-portal', 'profile offline_access', 1772366400, 1772370000, 1, 'https://login.acme.example/connect/revocation', NULL, '', '', '\xdee83c0d1195c0caaeb82912b1c5f62d3e85c0630c5a3f88d15d1715e25e9559286ea83e0d64c139945220b08fc0dec3dbd9ecd372d2c3508269ce35fa75e15eb34c2fb4e66b672b756431b8a64d4064ae', NULL, NULL, NULL);
INSERT INTO public.connform_meta VALUES ('version', '\x35');
INSERT INTO public.connform_meta VALUES ('key-check', '\x0352f1580fff559dd184ac5dda89a03b644ac37dc85c732018fa747b');
INSERT INTO public.connform_stamps VALUES ('customer', '\xc3c22ecd5d5d6ad8be91798a34406395');
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
