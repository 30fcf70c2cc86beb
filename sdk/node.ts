/** The part that needs Node: files on disk, and the worker. Everything else is in `@fieldstation/sdk`. */
export {
  type DownloadedFile,
  type DownloadFileOptions,
  downloadFile,
  downloadJobFiles,
} from './node/download-file.ts'
export { fileDeclaration, fileSha256, fileSource, uploadFile, uploadLayerFile } from './node/files.ts'
export type {
  JobContext,
  JobHandler,
  JobHandlers,
  ResultFile,
  ResultWithMetadata,
  WorkerJob,
} from './node/handlers.ts'
export {
  createWorker,
  type Worker,
  type WorkerAccess,
  type WorkerOptions,
  type WorkerSettings,
} from './node/worker.ts'
export { type LeaseLostCode, LeaseLostError, RetryableError, WorkerStoppedError } from './node/worker-errors.ts'
