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
    sealed bytea NOT NULL
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
INSERT INTO public.connform_grants VALUES ('customer', 'https://login.acme.example/connect/token', 'acme-portal', 'profile offline_access', 1772366400, 1772370000, 1, 'https://login.acme.example/connect/revocation', NULL, '', '', '\x87c3d2a1b6931fff1f7220557729c632c82b0e3cc0adc0f2685f9ffe1f66b351e460166f4f40b0c5f35c86f74394417683f72bab1bcba32b74076bda0b09e564597e9cd8b70491ca5b1b0d59bd28296cfb');
INSERT INTO public.connform_meta VALUES ('version', '\x32');
INSERT INTO public.connform_meta VALUES ('key-check', '\x29bdd18a3325b866835f8cf17bf4f681cf2a56f0b3d92894bb8e01e8');
ALTER TABLE ONLY public.connform_connections
    ADD CONSTRAINT connform_connections_pkey PRIMARY KEY (connection);
ALTER TABLE ONLY public.connform_grants
    ADD CONSTRAINT connform_grants_pkey PRIMARY KEY (connection);
ALTER TABLE ONLY public.connform_history
    ADD CONSTRAINT connform_history_pkey PRIMARY KEY (connection, at);
ALTER TABLE ONLY public.connform_meta
    ADD CONSTRAINT connform_meta_pkey PRIMARY KEY (name);
