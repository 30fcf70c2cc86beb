export type { AdminCalls } from './admin.ts'
export type { AuthCalls } from './auth.ts'
export { type Client, createClient } from './client.ts'
export { type DownloadOptions, download } from './download.ts'
export type { EmailCalls } from './email.ts'
export {
  ApiError,
  ConnectionError,
  FieldstationError,
  JobFailedError,
  TimeoutError,
  TransferError,
  type TransferErrorCode,
} from './errors.ts'
export { etagOf } from './etags.ts'
export type { Hooks, RequestInfo, ResponseInfo, RetryInfo } from './hooks.ts'
export type { ImageUploadOptions } from './image-upload.ts'
export type { ImageAbout, ImageCalls, ImageDownloadOptions } from './images.ts'
export type { JobFile, JobFilesOptions } from './job-downloads.ts'
export type { EventsOptions } from './job-events.ts'
export type { WaitOptions } from './job-wait.ts'
export type { CreateJobOptions, JobCalls } from './jobs.ts'
export type { LayerUploadOptions } from './layer-upload.ts'
export type { Log, LogLine } from './log.ts'
export type { NoteCalls } from './notes.ts'
export type { CallOptions, ClientOptions, FetchLike } from './options.ts'
export type { ConditionalOptions, PolygonCalls } from './polygons.ts'
export type { RegionCalls } from './regions.ts'
export type { SystemCalls } from './system.ts'
export type { TransferOptions, TransferProgress } from './transfer.ts'
export type { TransferCalls } from './transfers.ts'
export type * from './types.ts'
export { upload } from './upload.ts'
export type { StreamSource, UploadBody } from './upload-body.ts'
export type { UserCalls } from './users.ts'
export type { AssignmentCallOptions, WorkerCalls } from './worker.ts'
