import type { Readable } from 'node:stream'

/**
 * Where files live: a directory or an S3 bucket, told apart by nobody. Keys are checked by `assertKey`. What is not there
 * is `undefined`; a store that cannot answer throws `StoreUnavailable`, which callers turn into 503.
 */
export interface ObjectStore {
  /** Good for one new object of exactly this size, checksum and content type; never for replacing one. */
  signUpload(key: string, upload: UploadTerms): Promise<SignedUpload>
  /** Does not ask whether the object is there. With a file name it is saved under that name, else shown. */
  signDownload(key: string, download: DownloadTerms): Promise<SignedDownload>
  /** Streamed. Whole or not at all; replaces what was there. Throws `ObjectMismatch` for a size other than announced. */
  put(key: string, body: ObjectBody, facts: { contentType: string; sizeBytes?: number }): Promise<ObjectInfo>
  /**
   * Read the body to its end or cancel it; it holds a file or a connection. `info` describes the whole object.
   * Throws `RangeError` when the range begins at or after its end.
   */
  get(key: string, options?: { range?: ByteRange }): Promise<StoredObject | undefined>
  head(key: string): Promise<ObjectInfo | undefined>
  /** All keys that begin with the prefix (any, not only whole folders), in byte order; of those only what comes behind `after`. */
  list(prefix: string, options?: { after?: string }): AsyncIterable<ListedObject>
  /** Keys that are not there are no error. */
  delete(keys: string[]): Promise<void>
  /** For readiness: throws `StoreUnavailable` unless the store really answers. */
  check(): Promise<void>
}

export type ObjectBody = Readable | ReadableStream<Uint8Array> | Uint8Array

export interface ObjectInfo {
  sizeBytes: number
  contentType: string
  /** As in the header, quotes included. */
  etag: string
  /** Hex. Known of everything uploaded by a signed URL; S3 does not know it of what `put` sent in parts. */
  sha256?: string
  lastModifiedAt: Date
}

export interface StoredObject {
  info: ObjectInfo
  body: ReadableStream<Uint8Array>
}

export interface ListedObject {
  key: string
  sizeBytes: number
  lastModifiedAt: Date
}

/** Both ends inclusive, as in HTTP; without an end, or with one beyond it, to the object's end. */
export interface ByteRange {
  start: number
  end?: number
}

export interface UploadTerms {
  sizeBytes: number
  /** Hex. */
  sha256: string
  contentType: string
  expirySeconds: number
}

export interface DownloadTerms {
  expirySeconds: number
  fileName?: string
  /** Instead of the object's own. */
  contentType?: string
}

/** One request with this method and exactly these headers, the file as its body, its length announced. */
export interface SignedUpload {
  url: string
  method: 'PUT'
  headers: Record<string, string>
  expiresAt: Date
}

export interface SignedDownload {
  url: string
  expiresAt: Date
}

/** `denied`: wrong credentials or permissions. `missing`: no such bucket or directory. `full`: no space left. */
export type StoreTrouble = 'unreachable' | 'denied' | 'missing' | 'full'

export class StoreUnavailable extends Error {
  override name = 'StoreUnavailable'
  readonly trouble: StoreTrouble

  constructor(trouble: StoreTrouble, message: string, options?: ErrorOptions) {
    super(message, options)
    this.trouble = trouble
  }
}

/** What was sent is not what was announced. Nothing was stored. */
export class ObjectMismatch extends Error {
  override name = 'ObjectMismatch'
  readonly mismatch: 'too_large' | 'too_small' | 'sha256'

  constructor(mismatch: 'too_large' | 'too_small' | 'sha256', message: string) {
    super(message)
    this.mismatch = mismatch
  }
}

/**
 * The one place that says what a key is: letters, digits, `.`, `_`, `-` and `/`, in segments of at most 200 characters (a
 * file name's limit) none of which is empty, `.` or `..`. So a key needs no encoding in a URL and names no path outside.
 */
export function isKey(key: string): boolean {
  return key.length <= 500 && key.split('/').every((segment) => SEGMENT.test(segment))
}

const SEGMENT = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,200}$/

export function assertKey(key: string): void {
  if (!isKey(key)) throw new TypeError(`Not an object key: ${JSON.stringify(key)}`)
}

/** A prefix is the beginning of a key, or nothing. */
export function assertPrefix(prefix: string): void {
  if (prefix !== '') assertKey(prefix.endsWith('/') ? `${prefix}x` : prefix)
}

/** Fit for a header, and short enough for every store. */
export function assertContentType(contentType: string): void {
  if (!/^[\x21-\x7e]([\x20-\x7e]{0,198}[\x21-\x7e])?$/.test(contentType)) {
    throw new TypeError(`Not a content type: ${JSON.stringify(contentType)}`)
  }
}
