alter table users
  add column is_in_mailing_list boolean not null default false,
  add column is_plugin_user boolean not null default false,
  add column wants_job_mail boolean not null default false,
  -- A program of ours. Nobody signs in as it, and nobody is mailed a way to.
  add column is_service boolean not null default false;
update users set is_service = true where email = 'worker@fieldstation.local' and password_hash is null;
create index users_newest on users (id desc) where deleted_at is null;

alter table sessions
  add column last_used_at timestamptz not null default now(),
  add column address text,
  add column user_agent text;

-- Failures to sign in, by account and by network address; accounts that do not exist count like any other. Also how often an address
-- has asked for a way back in.
create table sign_in_failures (
  key text primary key,
  count integer not null,
  -- When counting begins anew.
  expires_at timestamptz not null,
  blocked_until timestamptz,
  -- Whether the audit log has heard of the present block.
  is_told boolean not null default false
);
create index sign_in_failures_expired on sign_in_failures (expires_at);

create table password_resets (
  token_hash bytea primary key,
  user_id uuid not null references users on delete cascade,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz
);
create index password_resets_user on password_resets (user_id);
create index password_resets_expired on password_resets (expires_at);

-- Who somebody is to an issuer of tokens that we trust.
create table identities (
  issuer text not null,
  subject text not null,
  user_id uuid not null references users on delete cascade,
  created_at timestamptz not null default now(),
  -- When the token was made whose groups decided on roles last.
  roles_as_of timestamptz,
  primary key (issuer, subject)
);
create index identities_user on identities (user_id);

-- Mail that is to be sent, and for a while what was. It holds no secret: the link of a recovery is made when the mail is written.
create table mails (
  id uuid primary key,
  template text not null,
  recipient text not null,
  user_id uuid references users on delete cascade,
  -- Who had it sent, where that was a person.
  sender_id uuid references users on delete set null,
  data jsonb not null,
  created_at timestamptz not null default now(),
  -- When it is tried next. A try moves this on first, so that one that dies is followed by another.
  due_at timestamptz not null default now(),
  attempts integer not null default 0,
  sent_at timestamptz,
  failed_at timestamptz,
  error text
);
create index mails_due on mails (due_at) where sent_at is null and failed_at is null;
create index mails_user on mails (user_id, template, created_at);
create index mails_sender on mails (sender_id, created_at) where sender_id is not null;

alter table job_requests add column mail_due boolean not null default false;
create index job_requests_mail_due on job_requests (job_id) where mail_due;

create table audit_events (
  id uuid primary key,
  action text not null,
  occurred_at timestamptz not null default now(),
  actor_kind text not null,
  actor_id uuid,
  user_id uuid,
  address text,
  request_id text,
  details jsonb,
  constraint audit_events_actor_known check (actor_kind in ('anonymous', 'session', 'apiKey', 'operator', 'system'))
);
create index audit_events_actor on audit_events (actor_id, id desc);
create index audit_events_user on audit_events (user_id, id desc);
create index audit_events_action on audit_events (action, id desc);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name;
end $$;
create trigger audit_events_append_only
  before update or delete or truncate on audit_events
  for each statement execute function refuse_change();
