import { createHash } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type ByteRange, type ObjectBody, type ObjectInfo, ObjectMismatch } from './object-store.ts'

/**
 * The disk store's format: an object's bytes, then a trailer of fixed length with what is known about them. One file, so
 * both appear, are replaced and vanish in one step, and a reader that opened it cannot see one without the other.
 */
export const TRAILER_BYTES = 1024

interface Trailer {
  sizeBytes: number
  contentType: string
  sha256: string
}

/** What the bytes must turn out to be; what is left out may be anything. */
export interface Expected {
  sizeBytes?: number | undefined
  sha256?: string | undefined
}

/** Writes a new file, synced to disk. Throws `ObjectMismatch`; the caller removes the file on any failure. */
export async function writeObjectFile(
  path: string,
  body: ObjectBody,
  { contentType, ...expected }: Expected & { contentType: string },
): Promise<void> {
  const handle = await open(path, 'wx', 0o600)
  try {
    const hash = createHash('sha256')
    let sizeBytes = 0
    await pipeline(chunksOf(body), async (chunks: AsyncIterable<Uint8Array>) => {
      for await (const chunk of chunks) {
        sizeBytes += chunk.byteLength
        assertNotLarger(sizeBytes, expected)
        hash.update(chunk)
        await writeAll(handle, chunk)
      }
    })
    const trailer = { sizeBytes, contentType, sha256: hash.digest('hex') }
    assertExpected(trailer, expected)
    await writeAll(handle, Buffer.from(JSON.stringify(trailer).padEnd(TRAILER_BYTES)))
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const chunksOf = (body: ObjectBody) => (body instanceof Uint8Array ? [body] : body)

/** At once, so that an endless body cannot fill the disk first. */
function assertNotLarger(sizeBytes: number, expected: Expected): void {
  if (sizeBytes > (expected.sizeBytes ?? Number.POSITIVE_INFINITY)) {
    throw new ObjectMismatch('too_large', `More was sent than the ${expected.sizeBytes} bytes announced.`)
  }
}

function assertExpected(actual: Trailer, expected: Expected): void {
  if (actual.sizeBytes < (expected.sizeBytes ?? 0)) {
    throw new ObjectMismatch('too_small', `${actual.sizeBytes} bytes were sent, ${expected.sizeBytes} were announced.`)
  }
  if (expected.sha256 !== undefined && actual.sha256 !== expected.sha256) {
    throw new ObjectMismatch('sha256', `The SHA-256 of what was sent is ${actual.sha256}, not ${expected.sha256}.`)
  }
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.byteLength; ) {
    written += (await handle.write(chunk, written)).bytesWritten
  }
}

/** An object that is open: it stays what it is, even if it is replaced or deleted meanwhile. */
export interface OpenObject {
  info: ObjectInfo
  /** Closes the file at its end, when cancelled, or on an error. Throws `RangeError`. */
  read(range?: ByteRange): ReadableStream<Uint8Array>
  close(): Promise<void>
}

export async function openObjectFile(path: string): Promise<OpenObject> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const info = await readInfo(handle)
    return { info, read: (range) => readBytes(handle, info.sizeBytes, range), close: () => handle.close() }
  } catch (error) {
    await handle.close()
    throw error
  }
}

async function readInfo(handle: FileHandle): Promise<ObjectInfo> {
  const stats = await handle.stat()
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(TRAILER_BYTES), 0, TRAILER_BYTES, sizeOf(stats))
  const { sizeBytes, contentType, sha256 } = JSON.parse(buffer.toString('utf8', 0, bytesRead)) as Trailer
  if (sizeBytes !== sizeOf(stats)) throw new Error('An object file does not have the length that its trailer names.')
  return { sizeBytes, contentType, sha256, etag: `"${sha256}"`, lastModifiedAt: stats.mtime }
}

/** The object's, not its file's. */
export const sizeOf = (stats: Stats) => Math.max(0, stats.size - TRAILER_BYTES)

function readBytes(handle: FileHandle, sizeBytes: number, range: ByteRange = { start: 0 }): ReadableStream<Uint8Array> {
  const { start } = range
  const end = Math.min(range.end ?? sizeBytes, sizeBytes - 1)
  if (sizeBytes === 0 && start === 0) return empty(handle)
  if (start > end) throw new RangeError(`The object ends before byte ${start}.`)
  return Readable.toWeb(handle.createReadStream({ start, end }), { type: 'bytes' }) as ReadableStream<Uint8Array>
}

/** A read stream cannot be told to read nothing. */
const empty = (handle: FileHandle) =>
  new ReadableStream<Uint8Array>({
    async start(controller) {
      await handle.close()
      controller.close()
    },
  })
