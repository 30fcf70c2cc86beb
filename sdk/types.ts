import type { components, JobTypes, operations } from '../generated/types.ts'

export type { components, JobTypes, operations, paths } from '../generated/types.ts'

type Schemas = components['schemas']

/**
 * What kind of job.
 *
 * @remarks
 * A name, such as `TEST`.
 */
export type JobType = keyof JobTypes
/** What a job of type `T` is given: its `inputPayload`. */
export type JobInput<T extends JobType> = JobTypes[T]['input']
/**
 * What the job came to. Its schema goes by the job type.
 *
 * @remarks
 * The `resultPayload` of a job of type `T`.
 */
export type JobResult<T extends JobType> = JobTypes[T]['result']

/** A job to start. `type` says which `inputPayload` belongs to it. */
export type JobCreate = Schemas['JobCreate']

declare const jobType: unique symbol
/** A job's id that remembers the job's type for the compiler. Any string will do. */
export type JobId<T extends JobType = JobType> = string & { readonly [jobType]?: T }

/**
 * The job that answers the wish, new or shared, and the request that stands for the wish.
 *
 * @remarks
 * `jobId` remembers the job's type for the compiler.
 */
export type JobCreated<T extends JobType = JobType> = Omit<Schemas['JobCreated'], 'jobId'> & { jobId: JobId<T> }

type JobFacts = Omit<Schemas['Job'], 'id' | 'type' | 'inputPayload' | 'resultPayload'>

/**
 * A job as it is now. Its payloads go by its type.
 *
 * @remarks
 * Comparing `type` narrows its payloads.
 */
export type Job<T extends JobType = JobType> = {
  [K in T]: JobFacts & { id: JobId<K>; type: K; inputPayload: JobInput<K>; resultPayload?: JobResult<K> }
}[T]

/** The states that never change again. */
export type FinalStatus = 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'CANCELLED'

/** A job that came to a result. */
export type SucceededJob<T extends JobType = JobType> = {
  [K in T]: Job<K> & { status: 'SUCCEEDED'; resultPayload: JobResult<K> }
}[T]

/** A job that came to none. `error` says why, where anybody knows. */
export type UnsuccessfulJob<T extends JobType = JobType> = {
  [K in T]: Job<K> & { status: Exclude<FinalStatus, 'SUCCEEDED'> }
}[T]

/** A job that is over. Comparing `status` tells whether it has a `resultPayload`. */
export type FinalJob<T extends JobType = JobType> = SucceededJob<T> | UnsuccessfulJob<T>

/**
 * The data of one server-sent event. `event` carries `kind`, `id` carries `id`.
 *
 * @remarks
 * Comparing `kind` (`status`, `progress` or `log`) narrows it.
 */
export type JobEvent = Schemas['JobEvent']
/**
 * PENDING → IN_PROGRESS → SUCCEEDED, FAILED or TIMED_OUT. PENDING or IN_PROGRESS → CANCELLED. The last four are final.
 */
export type JobStatus = Schemas['JobStatus']
/** Why the last attempt did not succeed. */
export type JobError = Schemas['JobError']
/** Somebody's wish for a job. Equal wishes share one job. */
export type JobRequest = Schemas['JobRequest']
/** A line of a job's log. */
export type JobLogEntry = Schemas['JobLogEntry']
/** Links to a job's files, by name. They answer GET without credentials until they expire. */
export type JobDownload = Schemas['JobDownload']
/** What a kind of job takes and gives, and how it runs. */
export type JobTypeDescription = Schemas['JobTypeDescription']
/** How much a line of a log matters. */
export type LogLevel = Schemas['LogLevel']

/** A place that somebody drew, and what follows from its shape. */
export type Polygon = Schemas['Polygon']
/** What a polygon is made of or replaced by. */
export type PolygonWrite = Schemas['PolygonWrite']
/** An RFC 7946 FeatureCollection of areas. A `crs`, as GeoJSON of 2008 had it, must name CRS84 or EPSG:4326. */
export type AreaFeatureCollection = Schemas['AreaFeatureCollection']
/** A page of polygons as an RFC 7946 FeatureCollection, newest first. `nextCursor` is a foreign member. */
export type PolygonFeatureCollection = Schemas['PolygonFeatureCollection']
/** A polygon as an RFC 7946 Feature. What the service knows of it stands among its own properties. */
export type PolygonFeature = Schemas['PolygonFeature']
/** What was imported, in the order of the features. */
export type PolygonImport = Schemas['PolygonImport']
/** What somebody wrote about a polygon. */
export type Note = Schemas['Note']
/** A note, and the polygon that it is about. */
export type NoteCreate = Schemas['NoteCreate']
/** What a note says from now on. */
export type NoteUpdate = Schemas['NoteUpdate']
/** An image that somebody uploaded. */
export type Image = Schemas['Image']
/** What to change of an image. What is left out stays; null takes it away. */
export type ImageUpdate = Schemas['ImageUpdate']
/** The image to come, with the exact size and checksum of its file. */
export type ImageUpload = Schemas['ImageUpload']
/** The id that the image will have, and where to send its file. */
export type ImageUploadCreated = Schemas['ImageUploadCreated']

/** A named area with its layers. */
export type Region = Schemas['Region']
/** What describes a region. */
export type RegionWrite = Schemas['RegionWrite']
/** The newest version of a layer. While it is not READY, assessments go on reading `readyVersion`. */
export type Layer = Schemas['Layer']
/** The exact size and checksum of the file to upload as a layer. */
export type LayerUpload = Schemas['LayerUpload']
/** The version that the file will be, and where to send it. */
export type LayerUploadCreated = Schemas['LayerUploadCreated']

/** A person, with their roles. */
export type User = Schemas['User']
/** What a person may change of themselves. What is left out stays. */
export type UserMeUpdate = Schemas['UserMeUpdate']
/** A new account, as an admin makes it. */
export type UserCreate = Schemas['UserCreate']
/** What an admin changes of a person. What is left out stays. */
export type UserUpdate = Schemas['UserUpdate']
/** The present password, and the one that follows it. */
export type PasswordChange = Schemas['PasswordChange']
/** A token from a mail, and the password that it sets. */
export type ResetPasswordRequest = Schemas['ResetPasswordRequest']
/** A place where somebody is signed in. */
export type Session = Schemas['Session']
/** What can be told of an API key without its secret. */
export type ApiKey = Schemas['ApiKey']
/** What an API key is to be called, and what it may be used for. */
export type ApiKeyCreate = Schemas['ApiKeyCreate']
/** A new API key. `key` is shown this once. */
export type ApiKeyCreated = Schemas['ApiKeyCreated']
/** What a person signs in with. */
export type Credentials = Schemas['LoginRequest']
/** What an account is made from. */
export type RegisterRequest = Schemas['RegisterRequest']
/** The id of a new account. */
export type Registration = Schemas['Registration']
/** An access token, the refresh token that renews it, and how many seconds the first is good for. */
export type Tokens = Schemas['Tokens']
/** Who the credentials belong to. */
export type Profile = Schemas['Profile']
/** An RFC 7517 key set. The first key signs; all verify. */
export type Jwks = Schemas['Jwks']

/** One attempt at a job by one worker: its lease, its deadline, and the token that opens it. */
export type Assignment = Schemas['Assignment']
/** Which job to take, and who takes it. */
export type AssignRequest = Schemas['AssignRequest']
/** A job that was taken, and the assignment that took it. */
export type Claim = Schemas['Claim']
/** What a worker needs to know of a job. */
export type ClaimableJob = Schemas['ClaimableJob']
/** Which jobs to take, how many, and how long to wait for a first one. */
export type ClaimRequest = Schemas['ClaimRequest']
/** A file to upload: its name, exact size, checksum and content type. */
export type FileDeclaration = Schemas['FileDeclaration']
/** The lease as it is now, by the service's clock. */
export type Heartbeat = Schemas['Heartbeat']
/** What is done so far, as a fraction. */
export type HeartbeatRequest = Schemas['HeartbeatRequest']
/** A signed link to a file that the job reads. */
export type JobInputFile = Schemas['JobInputFile']
/** Lines for a job's log. */
export type LogEntries = Schemas['LogEntries']
/** What the attempt came to, and whether there will be another. */
export type ResultAccepted = Schemas['ResultAccepted']
/** What an attempt came to: a result, or an error. */
export type ResultRequest = Schemas['ResultRequest']
/** Where to send a file: one request, with this method and these headers, the file as its body. */
export type SignedUpload = Schemas['SignedUpload']

/** A mail, and who gets it. */
export type EmailRequest = Schemas['EmailRequest']
/** The mails that were taken. */
export type EmailAccepted = Schemas['EmailAccepted']
/** Something that was done to an account. */
export type AuditEvent = Schemas['AuditEvent']
/** What was done. Actions are added, never renamed. */
export type AuditAction = Schemas['AuditAction']

/** That the process lives. */
export type Health = Schemas['Health']
/** What was asked of database and store, and what they said. */
export type Readiness = Schemas['Readiness']
/** An RFC 9457 problem. */
export type Problem = Schemas['Problem']
/** What went wrong, for programs. Codes are added, never renamed. */
export type ProblemCode = Schemas['ProblemCode']
/** One fault of an invalid input, and where it is. */
export type ProblemError = Schemas['ProblemError']

/** One page of a list. Pass `nextCursor` back as `cursor`; without it this is the last page. */
export interface Page<T> {
  /** In the order of the list. */
  items: T[]
  /** Where the next page begins. */
  nextCursor?: string
}

/** The query parameters of an operation. */
export type Query<Operation extends keyof operations> = NonNullable<operations[Operation]['parameters']['query']>
