create table users (
  id uuid primary key,
  email text not null,
  name text,
  password_hash text,
  roles text[] not null default '{USER}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  constraint users_roles_known check (roles <@ array['USER', 'WORKER', 'ADMIN'])
);
create unique index users_email_unique on users (lower(email)) where deleted_at is null;

create table sessions (
  id uuid primary key,
  user_id uuid not null references users on delete cascade,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz
);
create index sessions_user on sessions (user_id) where revoked_at is null;

-- One row for each refresh token of a session. The successor of a token follows from the token and a secret of ours.
create table refresh_tokens (
  token_hash bytea primary key,
  session_id uuid not null references sessions on delete cascade,
  created_at timestamptz not null default now(),
  used_at timestamptz
);
create index refresh_tokens_session on refresh_tokens (session_id);

create table api_keys (
  id uuid primary key,
  user_id uuid not null references users on delete cascade,
  name text not null,
  key_hash bytea not null,
  prefix text not null,
  scopes text[] not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  constraint api_keys_hash_unique unique (key_hash)
);
create index api_keys_user on api_keys (user_id, id desc) where revoked_at is null;
