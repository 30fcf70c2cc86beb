create table polygons (
  id uuid primary key,
  user_id uuid not null references users on delete cascade,
  geometry jsonb not null,
  -- Of geometry and properties as JSON: pages of polygons are bounded by it.
  size_bytes integer not null,
  name text,
  description text,
  properties jsonb not null default '{}',
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index polygons_user on polygons (user_id, id desc);

create table regions (
  name text primary key,
  title text not null,
  description text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table region_layers (
  region text not null references regions on delete cascade,
  name text not null,
  version integer not null,
  status text not null default 'UPLOADING',
  object_key text not null,
  size_bytes bigint not null,
  sha256 text not null,
  content_type text not null,
  inspection_job_id uuid,
  reason text,
  raster jsonb,
  created_at timestamptz not null default now(),
  primary key (region, name, version),
  constraint region_layers_status_known check (status in ('UPLOADING', 'INSPECTING', 'READY', 'REJECTED')),
  constraint region_layers_ready_is_described check (status <> 'READY' or raster is not null),
  constraint region_layers_rejected_has_reason check (status <> 'REJECTED' or reason is not null)
);

-- Objects that nothing in the catalogue names any more. They go once no unfinished job reads them.
create table discarded_objects (
  object_key text primary key,
  discarded_at timestamptz not null default now()
);
