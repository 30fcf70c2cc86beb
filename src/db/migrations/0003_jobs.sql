-- The hot row of a job: narrow, and the one lock and the one truth about who owns it. `assignment_id` and `lease_expires_at` are the
-- lease; every report of a worker must match them in the statement that acts on it.
create table jobs (
  id uuid primary key,
  type text not null,
  status text not null default 'PENDING',
  priority smallint not null default 0,
  user_id uuid not null references users,
  attempts smallint not null default 0,
  max_attempts smallint not null,
  last_event_id integer not null default 0,
  progress double precision,
  assignment_id uuid,
  lease_expires_at timestamptz,
  deadline_at timestamptz,
  available_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  cache_key bytea,
  constraint jobs_status_known check (status in ('PENDING', 'IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'CANCELLED')),
  constraint jobs_owned_in_progress check ((status = 'IN_PROGRESS') = (assignment_id is not null)),
  constraint jobs_leased_in_progress check ((status = 'IN_PROGRESS') = (lease_expires_at is not null)),
  constraint jobs_finished_when_final check ((status in ('PENDING', 'IN_PROGRESS')) = (finished_at is null)),
  constraint jobs_attempts_bounded check (attempts between 0 and max_attempts)
) with (
  -- Heartbeats touch no indexed column: with room on the page they stay off the indexes. Dead rows of a queue hurt early, so vacuum early.
  fillfactor = 80,
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_threshold = 500,
  autovacuum_vacuum_cost_delay = 0,
  autovacuum_analyze_scale_factor = 0.05
);
-- Claims look here only: its size goes with what waits, not with what is finished.
create index jobs_pending on jobs (type, priority desc, available_at, id) where status = 'PENDING';
create index jobs_in_progress on jobs (id) where status = 'IN_PROGRESS';
create index jobs_unfinished on jobs (user_id) where status in ('PENDING', 'IN_PROGRESS');
-- At most one shareable job for equal input.
create unique index jobs_cache_key_unique on jobs (cache_key)
  where cache_key is not null and status in ('PENDING', 'IN_PROGRESS', 'SUCCEEDED');

create function refuse_change_of_final_job() returns trigger language plpgsql as $$
begin
  raise exception 'job % is %, which is final', old.id, old.status using errcode = 'integrity_constraint_violation';
end
$$;
create trigger jobs_final_is_final before update on jobs for each row
  when (old.finished_at is not null and new.status is distinct from old.status)
  execute function refuse_change_of_final_job();

-- What a job takes: written once, read with the job, kept off the hot row.
create table job_payloads (
  job_id uuid primary key references jobs on delete cascade,
  input jsonb not null,
  -- The input with its references replaced by what they referred to.
  resolved jsonb not null,
  -- Files that the job reads: [{name, objectKey, sizeBytes, sha256, contentType}].
  files jsonb not null default '[]',
  -- Why the last attempt did not succeed.
  error jsonb
);

create table job_assignments (
  id uuid primary key,
  job_id uuid not null references jobs on delete cascade,
  user_id uuid not null references users,
  attempt smallint not null,
  token_hash bytea not null,
  worker_name text,
  ecs_task_arn text,
  ecs_cluster_arn text,
  created_at timestamptz not null default now(),
  heartbeat_at timestamptz,
  ended_at timestamptz,
  outcome text,
  will_retry boolean,
  -- The report that ended it, to tell a repetition from another one.
  report_hash bytea,
  constraint job_assignments_token_unique unique (token_hash),
  constraint job_assignments_outcome_known check (outcome in ('SUCCEEDED', 'FAILED', 'EXPIRED', 'CANCELLED', 'RELEASED')),
  constraint job_assignments_ended_with_outcome check ((ended_at is null) = (outcome is null))
) with (fillfactor = 80);
-- Never two live assignments of a job, whatever the code does.
create unique index job_assignments_live_unique on job_assignments (job_id) where ended_at is null;
create index job_assignments_job on job_assignments (job_id);

create table job_files (
  assignment_id uuid not null references job_assignments on delete cascade,
  name text not null,
  object_key text not null,
  size_bytes bigint not null,
  sha256 text not null,
  content_type text not null,
  primary key (assignment_id, name)
);

create table job_results (
  job_id uuid primary key references jobs on delete cascade,
  assignment_id uuid not null references job_assignments on delete cascade,
  payload jsonb,
  metadata jsonb,
  -- What may be downloaded, frozen when the result came: [{name, objectKey, sizeBytes, sha256, contentType}].
  files jsonb not null default '[]',
  created_at timestamptz not null default now()
);

-- Who asked for a job. Equal wishes share one job; a request grants reading it.
create table job_requests (
  id uuid primary key,
  job_id uuid not null references jobs on delete cascade,
  user_id uuid not null references users,
  cached boolean not null,
  -- What was asked for, where that was written in other words than the shared job's own input.
  input jsonb,
  created_at timestamptz not null default now(),
  withdrawn_at timestamptz
);
create index job_requests_user on job_requests (user_id, job_id desc);
create index job_requests_job on job_requests (job_id);

create table job_events (
  job_id uuid not null references jobs on delete cascade,
  id integer not null,
  kind text not null,
  data jsonb not null,
  at timestamptz not null default now(),
  primary key (job_id, id),
  constraint job_events_kind_known check (kind in ('status', 'progress', 'log'))
);

create table idempotency_keys (
  user_id uuid not null references users on delete cascade,
  operation text not null,
  key text not null,
  request_hash bytea not null,
  response jsonb,
  created_at timestamptz not null default now(),
  primary key (user_id, operation, key)
);
create index idempotency_keys_created on idempotency_keys (created_at);
