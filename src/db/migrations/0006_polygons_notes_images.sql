--! breaking: code from before must not run beside this. It would replace shapes and leave what was measured of them.

-- What follows from a polygon's shape. Null until it is measured: rows from before are, one after the other.
alter table polygons
  add column bbox double precision[],
  add column area_square_meters double precision,
  add column centroid double precision[],
  -- The bounding box in the plane, east beyond 180 where the antimeridian lies in between. Null until then, too.
  add column extent box generated always as (
    box(point(bbox[1], bbox[2]), point(case when bbox[3] < bbox[1] then bbox[3] + 360 else bbox[3] end, bbox[4]))
  ) stored,
  add constraint polygons_measured_wholly check (
    num_nulls(bbox, area_square_meters, centroid) in (0, 3) and cardinality(bbox) = 4 and cardinality(centroid) = 2
  );
create index polygons_extent on polygons using gist (extent);
create index polygons_unmeasured on polygons (id) where bbox is null;

create table notes (
  id uuid primary key,
  user_id uuid not null references users on delete cascade,
  polygon_id uuid not null references polygons on delete cascade,
  content text not null,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index notes_user on notes (user_id, id desc);
create index notes_polygon on notes (polygon_id, id desc);

create table images (
  id uuid primary key,
  user_id uuid not null references users on delete cascade,
  status text not null default 'UPLOADING',
  object_key text not null,
  name text not null,
  -- Announced while it is uploading, if it is by signed URL; found when it is READY.
  content_type text,
  size_bytes bigint,
  sha256 text,
  width integer,
  height integer,
  polygon_id uuid references polygons on delete set null,
  note_id uuid references notes on delete set null,
  created_at timestamptz not null default now(),
  constraint images_object_once unique (object_key),
  constraint images_status_known check (status in ('UPLOADING', 'READY')),
  constraint images_ready_is_described check (
    status <> 'READY' or num_nulls(content_type, size_bytes, sha256, width, height) = 0
  )
);
create index images_user on images (user_id, id desc);
create index images_polygon on images (polygon_id, id desc) where polygon_id is not null;
create index images_note on images (note_id, id desc) where note_id is not null;
create index images_uploading on images (id) where status = 'UPLOADING';
create index region_layers_uploading on region_layers (created_at) where status = 'UPLOADING';

-- How far the search for objects that nobody names has come, by prefix. It begins anew at the end.
create table orphan_sweeps (
  prefix text primary key,
  after_key text not null default '',
  swept_at timestamptz not null default now()
);
