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

CREATE TABLE public.connform_meta (
    name text NOT NULL,
    value bytea NOT NULL
);

INSERT INTO public.connform_grants VALUES ('customer', 'https://login.acme.example/connect/token', 'acme-portal', 'profile offline_access', 1772366400, 1772370000, 1, 'https://login.acme.example/connect/revocation', NULL, '', '', '\x5742ff63cc489c9ca41d60686cc33601ada5d495f4d1dbb578085eb0c01d3a997acc22c65fbb8730a567a3fa48f176816b5bc3e981ab12916599895265c88f0b645ea35e92d11f2ebcec9cd34eed61b442');

INSERT INTO public.connform_meta VALUES ('version', '\x31');
INSERT INTO public.connform_meta VALUES ('key-check', '\x2c71eb2d60f4129296629e914b9afc1b06d916e44952b2657b1f0f48');

ALTER TABLE ONLY public.connform_grants
    ADD CONSTRAINT connform_grants_pkey PRIMARY KEY (connection);

ALTER TABLE ONLY public.connform_meta
    ADD CONSTRAINT connform_meta_pkey PRIMARY KEY (name);
