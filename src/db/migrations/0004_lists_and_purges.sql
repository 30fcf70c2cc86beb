-- Lists of what is in one state, newest first: a rare state would else be looked for along the whole table.
create index jobs_status on jobs (status, id desc);

-- What is to be forgotten is found without looking at what is not.
create index sessions_ended on sessions (coalesce(revoked_at, expires_at));
